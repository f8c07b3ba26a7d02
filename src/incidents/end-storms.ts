/** Ends a storm when no incident was opened in it for a while: what still stands lives on by itself. */

import { minutesBetween } from '../render/duration.js';
import type { Tx } from '../store/database.js';
import type { OpenStorm } from '../store/storm-store.js';
import type { Upkeep } from './upkeep.js';

/** A time further ahead than this was recorded by a clock that was wrong. */
const CLOCK_STEP_MS = 5_000;

/** More cards at once are no help to anybody: the umbrella's card has named them. */
const MOST_CARDS = 20;

type Stores = Parameters<Upkeep>[1];

/** Makes the part of the upkeep that ends storms. */
export function createEndStorms(options: { readonly quietMs: number }): Upkeep {
  return async function endStorms(tx, stores, nowMs) {
    const storms = await stores.storms.openStorms(tx);
    const over = storms.filter((storm) => isOver(storm, nowMs, options.quietMs));
    for (const storm of over) await end(tx, stores, storm, options.quietMs, nowMs);
    return over.length > 0;
  };
}

function isOver({ state, lastOpenedAtMs }: OpenStorm, nowMs: number, quietMs: number): boolean {
  if (state === 'resolved') return true;
  return lastOpenedAtMs <= nowMs - quietMs || lastOpenedAtMs > nowMs + CLOCK_STEP_MS;
}

async function end(
  tx: Tx,
  stores: Stores,
  { incidentId, episodeId }: OpenStorm,
  quietMs: number,
  nowMs: number,
): Promise<void> {
  await stores.storms.endStorm(tx, incidentId, nowMs);
  await stores.storms.releaseCards(tx, { incidentId, limit: MOST_CARDS, nowMs });
  await stores.incidents.countChanges(tx, [incidentId]);
  await stores.timeline.append(tx, [
    {
      incidentId,
      atMs: nowMs,
      kind: 'storm',
      text: `The storm is over: nothing new for ${minutesBetween(0, quietMs)}`,
      actor: 'wakewell',
    },
  ]);
  const cards = await stores.notifications.postedCards(tx, [incidentId]);
  await stores.notifications.enqueue(
    tx,
    cards.map(({ receiver }) => ({
      incidentId,
      episodeId,
      receiver,
      purpose: 'card',
      dueAtMs: nowMs,
      createdAtMs: nowMs,
    })),
  );
}
