/**
 * What a restored database holds as due: it was due when the backup was made, and may have been done since. It is
 * held back by its due time, so that it survives the process that held it, and comes out by itself in the end.
 */

import { sql } from 'kysely';
import type { Tx } from './tables.js';

export type RestoredRows = {
  /** Until when it is held, ms since 1970. */
  readonly untilMs: number;
};

/** Before anything else was written: holds back messages, investigations and timers of incidents, and forgets how providers answered back then. */
export async function holdRestored(tx: Tx, { untilMs }: RestoredRows): Promise<number> {
  const held = await tx
    .updateTable('notifications')
    .set({ due_at: untilMs, climb_at: null })
    .where('state', '=', 'queued')
    // These disturb nobody, and show what is the case.
    .where('purpose', 'not in', ['card', 'log'])
    .where('due_at', '<', untilMs)
    .executeTakeFirst();
  // An investigation pulls its page forward.
  await tx
    .updateTable('work')
    .set({ due_at: untilMs })
    .where('state', '=', 'queued')
    .where('due_at', '<', untilMs)
    .execute();
  await tx
    .updateTable('timers')
    .set({ due_at: untilMs })
    .where('state', '=', 'waiting')
    .where('incident_id', 'is not', null)
    .where('due_at', '<', untilMs)
    .execute();
  await tx.deleteFrom('accounts').execute();
  await tx.deleteFrom('account_calls').execute();
  return Number(held.numUpdatedRows);
}

/** Lets go what is still held: of the incidents with an alert that was heard of after `heardAfterMs`, or of all. */
export async function releaseRestored(
  tx: Tx,
  release: RestoredRows & { readonly heardAfterMs: number | null; readonly nowMs: number },
): Promise<number> {
  const { untilMs, heardAfterMs, nowMs } = release;
  let released = 0;
  for (const table of ['notifications', 'work', 'timers'] as const) {
    const heard =
      heardAfterMs === null
        ? sql<boolean>`1 = 1`
        : sql<boolean>`exists (select 1 from incident_alerts a where a.incident_id = ${sql.ref(`${table}.incident_id`)}
            and a.last_seen_at > ${heardAfterMs})`;
    const done = await tx
      .updateTable(table)
      .set({ due_at: nowMs })
      .where('due_at', '=', untilMs)
      .where('state', 'in', ['queued', 'waiting'])
      .where(heard)
      .executeTakeFirst();
    released += Number(done.numUpdatedRows);
  }
  return released;
}
