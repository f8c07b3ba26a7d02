/** Why a message that waited is not sent any more: the words that stand in its row, which explanations go by. */

export const DROP_WORDS = {
  not_critical: 'only critical pages',
  page_closed: 'a resolve was sent',
  period_over: 'this firing period is over',
  resolved: 'resolved before it could be sent',
  resolved_at_pager: 'resolved at the pager by',
  acknowledged: 'acknowledged by',
  not_acknowledged: 'no longer acknowledged',
  silenced: 'silenced by',
  no_page: 'no page of this firing period was sent',
  update_late: 'the page is closed',
  fires_again: 'fires again',
  no_verdict: 'there is no verdict',
  folded: 'folded into',
  paged_anew: 'paged anew because',
} as const;

/** How the reason of a message begins that waits for the end of a maintenance window. */
export const MAINTENANCE_WORDS = 'maintenance window';

export type DropCode = keyof typeof DROP_WORDS;

/** The code behind the reason of a dropped message; null for one that says nothing about the incident ("unchanged: …"). */
export function dropCodeOf(reason: string): DropCode | null {
  const codes = Object.keys(DROP_WORDS) as DropCode[];
  return codes.find((code) => reason.startsWith(DROP_WORDS[code])) ?? null;
}
