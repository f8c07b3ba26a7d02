/** Who is told when a critical page is not accepted: the rungs of the receiver's ladder, one after the other. */

import type { NewNotification, Notification } from '../domain/notification.js';
import type { Receiver } from '../receivers/receiver.js';

/**
 * What to store for a page that its receiver refused or did not accept in time: the page at every receiver of
 * the first rung that nobody of has it yet. Empty at the top of the ladder.
 */
export function nextOfLadder(
  page: Notification,
  receivers: ReadonlyMap<string, Receiver>,
  history: readonly Notification[],
  nowMs: number,
): NewNotification[] {
  const owner = page.onBehalfOf ?? page.receiver;
  const tried = new Set(
    history
      .filter((one) => one.purpose === 'page' && one.episodeId === page.episodeId)
      .map((one) => one.receiver),
  );
  const rung = rungsOf(owner, receivers).find((names) => !names.some((name) => tried.has(name))) ?? [];
  return rung.map((receiver) => ({
    incidentId: page.incidentId,
    episodeId: page.episodeId,
    receiver,
    purpose: 'page',
    onBehalfOf: owner,
    dueAtMs: nowMs,
    // It is the same page: what was acknowledged since it arose is acknowledged here too.
    createdAtMs: page.createdAtMs,
  }));
}

/**
 * The rungs above a receiver. As configured, else every other pager in turn, then all channels and logs at
 * once, since somebody must see it. Webhook receivers are only on a ladder that names them.
 */
export function rungsOf(owner: string, receivers: ReadonlyMap<string, Receiver>): string[][] {
  const written = receivers.get(owner)?.ladder;
  if (written !== undefined) return written.filter((name) => receivers.has(name)).map((name) => [name]);
  const all = [...receivers.values()].filter((one) => one.name !== owner);
  const pagers = all.filter((one) => one.kind === 'pagerduty').map((one) => [one.name]);
  const last = all.filter((one) => one.kind === 'slack' || one.kind === 'log').map((one) => one.name);
  return last.length === 0 ? pagers : [...pagers, last];
}
