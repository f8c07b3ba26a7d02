/** Makes sure that no two episodes share a dedup key: a pager would swallow the second page, or reopen what is over. */

import { hash } from 'node:crypto';
import type { Tx } from '../store/database.js';
import type { IncidentStore } from '../store/incident-store.js';
import type { PlannedIncident } from './intake-types.js';

/** Keys looked at in one go. */
const TRIES = 8;

/**
 * Gives an episode whose key is taken another one. That happens where an alert fires again with the start it
 * had before (a sender cut off for a while): the earlier episode is over and its key must not be used again.
 * The key follows from what is stored alone, so that a page sent before its commit has the one of the commit.
 */
export async function finishDedupKeys(
  tx: Tx,
  incidents: Pick<IncidentStore, 'findDedupKeys'>,
  beginning: readonly PlannedIncident[],
): Promise<void> {
  const keys = beginning.flatMap((incident) => incident.newEpisode?.dedupKey ?? []);
  const taken = new Set((await incidents.findDedupKeys(tx, keys)).keys());
  for (const incident of beginning) {
    const episode = incident.newEpisode;
    if (episode === null || episode.dedupKey === null) continue;
    if (taken.has(episode.dedupKey))
      episode.dedupKey = await nextFree(tx, incidents, episode.dedupKey, taken);
    taken.add(episode.dedupKey);
  }
}

/** The first key of the series that is free: the same for everybody who asks before it is taken. */
async function nextFree(
  tx: Tx,
  incidents: Pick<IncidentStore, 'findDedupKeys'>,
  key: string,
  taken: ReadonlySet<string>,
): Promise<string> {
  for (let from = 1; ; from += TRIES) {
    const series = Array.from({ length: TRIES }, (_, index) =>
      hash('sha256', `v1 again\0${key}\0${from + index}`),
    );
    const stored = await incidents.findDedupKeys(tx, series);
    const free = series.find((one) => !stored.has(one) && !taken.has(one));
    if (free !== undefined) return free;
  }
}
