/** One firing period by its id: a late resolve is about an earlier one than the incident's present. */

import type { Episode } from '../domain/incident.js';
import { toEpisode } from '../store/incident-rows.js';
import type { Tx } from '../store/tables.js';

/** Null when there is no such episode. */
export async function readEpisode(tx: Tx, episodeId: number): Promise<Episode | null> {
  const row = await tx.selectFrom('episodes').selectAll().where('id', '=', episodeId).executeTakeFirst();
  return row === undefined ? null : toEpisode(row);
}
