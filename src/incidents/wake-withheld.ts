/** Wakes somebody for what umbrellas only named so far, where the page ceilings have room again. */

import { hash } from 'node:crypto';
import type { Room } from '../domain/page-ceiling.js';
import type { Tx } from '../store/database.js';
import type { WithheldGroup } from '../store/withheld-store.js';
import { roomAt } from './room-at.js';
import { followUps } from './told-receivers.js';
import type { UmbrellaOptions, UmbrellaStores } from './umbrella-types.js';

/** At most one page a receiver: the next tick sees what room it left. True when somebody will be woken. */
export async function wakeWithheld(
  tx: Tx,
  stores: UmbrellaStores,
  options: UmbrellaOptions,
  nowMs: number,
): Promise<boolean> {
  const byReceiver = new Map<string, WithheldGroup[]>();
  for (const group of await stores.withheld.withheldGroups(tx)) {
    byReceiver.set(group.receiver, [...(byReceiver.get(group.receiver) ?? []), group]);
  }
  let changed = false;
  for (const [receiver, groups] of byReceiver) {
    const { ceilings } = options;
    const room = await roomAt(tx, stores.notifications, { receiver, ceilings, nowMs });
    if (room === 'none') continue;
    const woken =
      (await wakeBundled(tx, stores, receiver, groups, room, nowMs)) ||
      (await wakeStorm(tx, stores, receiver, groups, options, nowMs));
    if (woken) changed = true;
  }
  return changed;
}

async function wakeBundled(
  tx: Tx,
  stores: UmbrellaStores,
  receiver: string,
  groups: readonly WithheldGroup[],
  room: Room,
  nowMs: number,
): Promise<boolean> {
  const ids: number[] = [];
  for (const group of groups) {
    if (group.umbrellaKind !== 'bundle') continue;
    const page = await stores.withheld.umbrellaPage(tx, group.umbrellaId, receiver);
    // Its own page is on its way and wakes for them.
    if (page !== null && (page.state === 'queued' || page.state === 'sending')) continue;
    ids.push(...group.ids);
  }
  if (ids.length === 0) return false;
  if (ids.length === 1 && room === 'alone') await stores.withheld.releaseWithheld(tx, ids, nowMs);
  else await stores.notifications.bundlePages(tx, { receiver, ids, nowMs });
  return true;
}

async function wakeStorm(
  tx: Tx,
  stores: UmbrellaStores,
  receiver: string,
  groups: readonly WithheldGroup[],
  { stormPageEveryMs }: UmbrellaOptions,
  nowMs: number,
): Promise<boolean> {
  for (const { umbrellaKind, umbrellaId } of groups) {
    if (umbrellaKind !== 'storm') continue;
    const page = await stores.withheld.umbrellaPage(tx, umbrellaId, receiver);
    // It is on its way; or another umbrella speaks for it, and wakes for it.
    if (page?.state === 'queued' || page?.state === 'sending' || page?.state === 'withheld') continue;
    const lastMs = await stores.withheld.lastPagedMs(tx, umbrellaId, receiver);
    if (lastMs !== null && lastMs <= nowMs && lastMs > nowMs - stormPageEveryMs) continue;
    await pageAgain(tx, stores, umbrellaId, receiver, nowMs);
    return true;
  }
  return false;
}

/** A pager wakes nobody twice under one key: the umbrella begins a new episode, and the page of the old one closes. */
async function pageAgain(
  tx: Tx,
  stores: UmbrellaStores,
  umbrellaId: number,
  receiver: string,
  nowMs: number,
): Promise<void> {
  const [umbrella] = await stores.incidents.findIncidents(tx, [umbrellaId]);
  if (umbrella === undefined) return;
  const told = await stores.notifications.toldReceivers(tx, [umbrellaId]);
  const last = { incidentId: umbrellaId, episodeId: umbrella.episodeId, nowMs };
  const closing = followUps(told, 'resolved', last).filter(({ purpose }) => purpose === 'page_resolve');
  const facts = (await stores.incidents.episodeFacts(tx, [umbrella.episodeId])).get(umbrella.episodeId);
  const number = (facts?.number ?? 0) + 1;
  await stores.incidents.changeEpisode(tx, umbrella.episodeId, { endedAtMs: nowMs });
  const [episodeId = umbrella.episodeId] = await stores.incidents.insertEpisodes(tx, [
    {
      incidentId: umbrellaId,
      number,
      dedupKey: hash('sha256', `v1 umbrella\0${umbrellaId}\0${number}\0${nowMs}`),
      severity: 'critical',
      startedAtMs: nowMs,
    },
  ]);
  await stores.incidents.changeIncident(tx, umbrellaId, {
    state: 'open',
    acknowledgedAtMs: null,
    acknowledgedBy: null,
  });
  const base = { incidentId: umbrellaId, episodeId, dueAtMs: nowMs, createdAtMs: nowMs };
  const receivers = [...new Set([receiver, ...closing.map((one) => one.receiver)])];
  await stores.notifications.enqueue(tx, [
    ...closing,
    ...receivers.map((name) => ({ ...base, receiver: name, purpose: 'page' as const })),
  ]);
  const text = 'Paged again: criticals stand that no page has woken anybody for';
  await stores.timeline.append(tx, [
    { incidentId: umbrellaId, atMs: nowMs, kind: 'storm', text, actor: 'wakewell' },
  ]);
}
