/** Makes sure that no two episodes share a dedup key: a pager would swallow the second page, or reopen what is over. */

import { hash } from 'node:crypto';
import type { Tx } from '../store/database.js';
import type { IncidentStore } from '../store/incident-store.js';
import type { PlannedIncident } from './intake-types.js';

/**
 * Gives an episode whose key is taken another one. That happens where an alert fires again with the start it
 * had before (a sender cut off for a while): the earlier episode is over and its key must not be used again.
 */
export async function finishDedupKeys(
  tx: Tx,
  incidents: IncidentStore,
  beginning: readonly PlannedIncident[],
  nowMs: number,
): Promise<void> {
  const keys = beginning.flatMap((incident) => incident.newEpisode?.dedupKey ?? []);
  const taken = new Set((await incidents.findDedupKeys(tx, keys)).keys());
  for (const incident of beginning) {
    const episode = incident.newEpisode;
    if (episode === null || episode.dedupKey === null) continue;
    if (taken.has(episode.dedupKey)) {
      episode.dedupKey = hash('sha256', `v1 again\0${episode.dedupKey}\0${nowMs}\0${String(incident.id)}`);
    }
    taken.add(episode.dedupKey);
  }
}
