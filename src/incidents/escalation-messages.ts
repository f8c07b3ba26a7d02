/** What an escalation sends, and how it is told. Pure. */

import type { Incident } from '../domain/incident.js';
import type { NewNotification, Notification, Purpose } from '../domain/notification.js';
import type { Escalation } from '../playbook/schema.js';
import type { ReceiverRef } from '../routing/route-table.js';

/** What a check said that was made again. */
export type Rechecked = { readonly state: 'holds' | 'not' | 'unseen'; readonly says: string };

/** To one receiver of the target. `history` are the incident's messages so far. */
export function escalationTo(
  receiver: ReceiverRef,
  incident: Pick<Incident, 'id' | 'severity'>,
  history: readonly Notification[],
  at: { readonly episodeId: number; readonly nowMs: number },
): NewNotification[] {
  const { episodeId, nowMs } = at;
  const has = (purpose: Purpose) =>
    history.find(
      (one) =>
        one.receiver === receiver.name &&
        one.purpose === purpose &&
        (one.episodeId === episodeId || purpose === 'card'),
    );
  return purposes().map((purpose) => ({
    incidentId: incident.id,
    episodeId,
    receiver: receiver.name,
    purpose,
    dueAtMs: nowMs,
    createdAtMs: nowMs,
  }));

  function purposes(): Purpose[] {
    switch (receiver.kind) {
      case 'pagerduty':
        if (incident.severity !== 'critical') return [];
        if (has('page') === undefined) return ['page'];
        return has('page')?.state === 'sent' && has('page_again') === undefined ? ['page_again'] : [];
      case 'slack':
        return has('card') === undefined ? ['card', 'reminder_reply'] : ['reminder_reply'];
      case 'webhook':
        return ['webhook'];
      case 'log':
        return ['log'];
    }
  }
}

/** "Escalated to infrastructure (infra-pager): not resolved for 30m. Checked again: Free KV blocks: …". */
export function escalationInWords(
  incident: Pick<Incident, 'severity'>,
  escalation: Escalation,
  told: readonly ReceiverRef[],
  rechecked: Rechecked | null,
  age: string,
): string {
  const { to, unless, why } = escalation;
  const names = told.map((one) => one.name).filter((name) => name !== to);
  const whom = names.length === 0 ? to : `${to} (${names.join(', ')})`;
  const head = told.length === 0 ? `Escalate this to ${to}` : `Escalated to ${whom}`;
  const parts = [`${head}: not ${unless} for ${age}${why === null ? '' : `, ${why}`}`];
  if (told.length === 0) parts.push('Nobody was told: no receiver is behind that name');
  else if (told.every((one) => one.kind === 'pagerduty') && incident.severity !== 'critical') {
    parts.push(`Nobody was paged: only critical pages, this is ${incident.severity}`);
  }
  if (rechecked?.state === 'holds') parts.push(`Checked again: ${rechecked.says}`);
  if (rechecked?.state === 'unseen') parts.push(`The check could not be seen again: ${rechecked.says}`);
  return parts.join('. ');
}
