/**
 * Why an incident was routed, joined, paged or not: the closed list of reasons. Each says in one sentence what it
 * means wherever it occurs; what it came to in one case is told beside it, from what was stored when it was decided.
 */

/** What a reader asks: who was chosen, what belongs together, who was woken, who was not, who was told otherwise. */
export const REASON_TOPICS = ['routing', 'together', 'paged', 'not_paged', 'told'] as const;
export type ReasonTopic = (typeof REASON_TOPICS)[number];

type ReasonText = { readonly topic: ReasonTopic; readonly says: string };

const LIST = {
  routed: {
    topic: 'routing',
    says: 'A route of the configuration, or the default for its severity, chose who is told.',
  },
  recorded_only: {
    topic: 'routing',
    says: 'Nobody is to be told of this severity: it is recorded and shown here.',
  },
  only_critical_pages: {
    topic: 'routing',
    says: 'A pager is among the chosen, but only a critical pages.',
  },
  severity_assumed: {
    topic: 'routing',
    says: 'Its severity label is missing or not known, so it counts as a warning.',
  },

  opened: { topic: 'together', says: 'It was the first of its problem and opened the incident.' },
  joined: {
    topic: 'together',
    says: 'It belongs to a problem that was open already, so it joined it and paged nobody by itself.',
  },
  reopened: {
    topic: 'together',
    says: 'It fired again after its end: a new firing period, which pages like a first one.',
  },
  continued: {
    topic: 'together',
    says: 'It fired again so soon after its end that the period, and its page, went on.',
  },
  severity_raised: { topic: 'together', says: 'It became more severe, so it was routed and told anew.' },
  folded: {
    topic: 'together',
    says: 'One cause was found for several incidents, so one of them goes on for all.',
  },
  unfolded: {
    topic: 'together',
    says: 'A later verdict did not explain it any more, so it became an incident of its own.',
  },
  flapping: {
    topic: 'together',
    says: 'It fires and resolves in turn, so it stays open and wakes nobody again until it was quiet.',
  },
  storm: {
    topic: 'together',
    says: 'Too many incidents of its cluster came at once, so an umbrella speaks for all of them.',
  },
  late_copy: {
    topic: 'together',
    says: 'A copy of an alert arrived after its resolve and was ignored.',
  },
  unreadable: {
    topic: 'together',
    says: 'A part of what was delivered could not be read, so it was set aside and shown.',
  },
  found_by_reconciling: {
    topic: 'together',
    says: 'Alertmanager held it, but it had not arrived here, so it was taken in from there.',
  },
  resolve_found_by_reconciling: {
    topic: 'together',
    says: 'Alertmanager no longer held it, and its resolve had not arrived, so it was closed.',
  },

  paged: { topic: 'paged', says: 'The page was accepted.' },
  passed_on: {
    topic: 'paged',
    says: 'A receiver did not accept the page in time, so the next of its ladder was told as well.',
  },
  reminded: { topic: 'paged', says: 'Nobody took it in time, so it was said once more.' },
  escalated: {
    topic: 'paged',
    says: 'The playbook asks for somebody else when it lasts, and it lasted.',
  },
  paged_anew: {
    topic: 'paged',
    says: 'It still fired when what had kept it quiet was over, so it paged under a new key.',
  },
  sent_bare: {
    topic: 'paged',
    says: 'The full page could not be made or was refused, so its bare facts were sent.',
  },
  listed: { topic: 'paged', says: 'The page of an umbrella that names it was accepted.' },

  not_critical: { topic: 'not_paged', says: 'Only a critical pages.' },
  no_pager: { topic: 'not_paged', says: 'No pager is among those whom its route chose.' },
  page_waits: {
    topic: 'not_paged',
    says: 'The page waits for its verdict, at most until its deadline.',
  },
  page_retrying: {
    topic: 'not_paged',
    says: 'The receiver has not accepted the page yet; it is tried until it does.',
  },
  receiver_in_trouble: {
    topic: 'not_paged',
    says: 'The receiver accepts nothing at present; the page goes as soon as it does.',
  },
  budget_used: {
    topic: 'not_paged',
    says: 'As many messages as the receiver may be sent were sent; the page goes with the next.',
  },
  page_refused: { topic: 'not_paged', says: 'The receiver refused the page for good.' },
  page_late: {
    topic: 'not_paged',
    says: 'It was over, or another period had begun, before the page could be sent.',
  },
  acknowledged: { topic: 'not_paged', says: 'Somebody took it, so nobody is woken again.' },
  resolved_at_pager: {
    topic: 'not_paged',
    says: 'Somebody closed it at the pager while it fired, so the pager is not told again.',
  },
  silenced: { topic: 'not_paged', says: 'Alertmanager silences it, so nobody is disturbed.' },
  held_back: {
    topic: 'not_paged',
    says: 'Alertmanager holds it back: another alert inhibits it, or an interval mutes it.',
  },
  bundled: {
    topic: 'not_paged',
    says: 'The receiver was paged as often as it may be, so a bundle names it until there is room.',
  },
  in_umbrella: { topic: 'not_paged', says: 'The umbrella of its storm pages for it.' },
  maintenance: {
    topic: 'not_paged',
    says: 'A maintenance window of the configuration covers it: recorded, and told only if it lasts longer.',
  },
  shadow: { topic: 'not_paged', says: 'Shadow mode: everything is decided and nothing is sent.' },

  told: { topic: 'told', says: 'The message was accepted.' },
  not_told: { topic: 'told', says: 'The message was refused or given up.' },
} as const satisfies Readonly<Record<string, ReasonText>>;

export type ReasonCode = keyof typeof LIST;

export const REASONS: Readonly<Record<ReasonCode, ReasonText>> = LIST;

/** One reason in one case. */
export type Reason = {
  readonly code: ReasonCode;
  /** What it came to: one sentence, possibly hostile. */
  readonly detail: string;
  /** When it was decided or happened, ms since 1970; null for what is so all the time. */
  readonly atMs: number | null;
  readonly receiver: string | null;
};

export type AlertExplanation = {
  readonly alertKey: string;
  readonly name: string;
  readonly reasons: readonly Reason[];
};

export type Explanation = {
  /** Whether somebody was woken for the present firing period. */
  readonly paged: boolean;
  /** One sentence that answers why, or why not. */
  readonly summary: string;
  /** In the order in which it happened; what is so all the time first. */
  readonly reasons: readonly Reason[];
  /** Of the alerts that are shown with the incident. */
  readonly alerts: readonly AlertExplanation[];
};
