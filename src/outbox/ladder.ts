/** Who is told when a critical page is not accepted: the other pagers in turn, then every team channel and log. */

import type { NewNotification, Notification } from '../domain/notification.js';
import type { Receiver } from '../receivers/receiver.js';

/**
 * What to store for a page that its receiver refused or did not accept in time: the page at the first pager that
 * has none of this episode yet; without such a pager a card and a log line, since somebody must see it.
 */
export function nextOfLadder(
  page: Notification,
  receivers: ReadonlyMap<string, Receiver>,
  history: readonly Notification[],
  nowMs: number,
): NewNotification[] {
  const tried = new Set(
    history
      .filter((one) => one.purpose === 'page' && one.episodeId === page.episodeId)
      .map((one) => one.receiver),
  );
  const base = { incidentId: page.incidentId, episodeId: page.episodeId, dueAtMs: nowMs, createdAtMs: nowMs };
  const all = [...receivers.values()];
  const pager = all.find(
    (one) => one.kind === 'pagerduty' && one.name !== page.receiver && !tried.has(one.name),
  );
  if (pager !== undefined) return [{ ...base, receiver: pager.name, purpose: 'page' }];

  const told = new Set(history.filter((one) => one.purpose === 'log').map((one) => one.receiver));
  return all.flatMap((one): NewNotification[] => {
    if (one.kind === 'slack') return [{ ...base, receiver: one.name, purpose: 'card' }];
    // A log line has no key that would keep it from being written twice.
    if (one.kind === 'log' && !told.has(one.name)) return [{ ...base, receiver: one.name, purpose: 'log' }];
    return [];
  });
}
