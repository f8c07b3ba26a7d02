/** Firing periods of incidents: what pagers know as one alert. Part of the incident store. */

import { sql } from 'kysely';
import type { Episode } from '../domain/incident.js';
import type { Severity } from '../domain/severity.js';
import { bulkStatement, listSlices, placeholderRows } from './bulk.js';
import { toEpisode } from './incident-rows.js';
import { inInsertOrder } from './receipt-store.js';
import { storable } from './storable.js';
import type { Tx } from './tables.js';

export type NewEpisode = {
  readonly incidentId: number;
  readonly number: number;
  readonly dedupKey: string;
  readonly severity: Severity;
  readonly startedAtMs: number;
  /** Why it begins though its alerts kept firing; absent when they began to. */
  readonly because?: string;
};

/** What decides whether a re-fire continues the running episode or begins another. */
export type EpisodeFacts = {
  readonly episodeId: number;
  readonly number: number;
  /** A resolve went, or is going, to a pager, or was made there: no trigger of this episode may follow. */
  readonly resolveUnderWay: boolean;
  /** Its pages were all dropped or refused: nobody was woken, and none of them can be stored again. */
  readonly pageLost: boolean;
};

const EPISODE_COLUMNS = ['incident_id', 'number', 'dedup_key', 'severity', 'started_at', 'because'] as const;
const insertEpisodeRows = bulkStatement((tx, count) =>
  tx
    .insertInto('episodes')
    .values(placeholderRows('episodes', EPISODE_COLUMNS, count))
    .returning('id')
    .compile(),
);

export function createEpisodeStore() {
  return {
    /** What is known of episodes whose incidents are resolved. */
    async episodeFacts(tx: Tx, episodeIds: readonly number[]): Promise<Map<number, EpisodeFacts>> {
      const facts = new Map<number, EpisodeFacts>();
      for (const slice of listSlices(episodeIds)) {
        const rows = await tx
          .selectFrom('episodes as e')
          .select([
            'e.id',
            'e.number',
            'e.resolve_attempted_at',
            'e.pager_resolved_at',
            sql<number>`exists (select 1 from notifications n where n.incident_id = e.incident_id and n.episode_id = e.id
              and n.purpose = 'page_resolve' and n.state in ('sending', 'sent', 'dead'))`.as('resolving'),
            sql<
              number | null
            >`(select min(case when n.state in ('dropped', 'dead') then 1 else 0 end) from notifications n
              where n.incident_id = e.incident_id and n.episode_id = e.id and n.purpose = 'page')`.as(
              'page_lost',
            ),
          ])
          .where('e.id', 'in', slice)
          .execute();
        for (const row of rows) {
          facts.set(row.id, {
            episodeId: row.id,
            number: row.number,
            resolveUnderWay:
              row.resolve_attempted_at !== null || row.pager_resolved_at !== null || Boolean(row.resolving),
            pageLost: Boolean(row.page_lost),
          });
        }
      }
      return facts;
    },

    /** Which of these dedup keys are taken, and by which incident. */
    async findDedupKeys(tx: Tx, keys: readonly string[]): Promise<Map<string, number>> {
      const taken = new Map<string, number>();
      for (const slice of listSlices(keys)) {
        const rows = await tx
          .selectFrom('episodes')
          .select(['dedup_key', 'incident_id'])
          .where('dedup_key', 'in', slice)
          .execute();
        for (const row of rows) taken.set(row.dedup_key, row.incident_id);
      }
      return taken;
    },

    /** Stores new episodes, makes each the present one of its incident, and returns their ids in the same order. */
    async insertEpisodes(tx: Tx, episodes: readonly NewEpisode[]): Promise<number[]> {
      const rows = await insertEpisodeRows.run(
        tx,
        episodes.map((one) => [
          one.incidentId,
          one.number,
          one.dedupKey,
          one.severity,
          one.startedAtMs,
          one.because ?? null,
        ]),
      );
      for (const slice of listSlices(episodes.map((one) => one.incidentId))) {
        await tx
          .updateTable('incidents')
          .set({ episode_id: sql`(select max(e.id) from episodes e where e.incident_id = incidents.id)` })
          .where('id', 'in', slice)
          .execute();
      }
      return inInsertOrder(rows);
    },

    /** Remembers that an episode was resolved at the pager while it went on here; `null` that it was opened again there. */
    async markPagerResolved(
      tx: Tx,
      episodeId: number,
      resolved: { readonly atMs: number; readonly by: string } | null,
    ): Promise<void> {
      await tx
        .updateTable('episodes')
        .set({
          pager_resolved_at: resolved?.atMs ?? null,
          pager_resolved_by: resolved === null ? null : storable(resolved.by, 200),
        })
        .where('id', '=', episodeId)
        .execute();
    },

    /** Changes an episode: its end, or the severity it rose to. */
    async changeEpisode(
      tx: Tx,
      episodeId: number,
      change: { readonly endedAtMs?: number | null; readonly severity?: Severity },
    ): Promise<void> {
      if (change.endedAtMs === undefined && change.severity === undefined) return;
      await tx
        .updateTable('episodes')
        .set({ ended_at: change.endedAtMs, severity: change.severity })
        .where('id', '=', episodeId)
        .execute();
    },
  };
}

/** The episode that a pager knows by this key; null when it is none of ours. */
export async function findEpisode(tx: Tx, dedupKey: string): Promise<Episode | null> {
  const row = await tx
    .selectFrom('episodes')
    .selectAll()
    .where('dedup_key', '=', dedupKey)
    .executeTakeFirst();
  return row === undefined ? null : toEpisode(row);
}

/** The dedup key of an episode. Throws when there is none. */
export async function readEpisodeKey(tx: Tx, episodeId: number): Promise<string> {
  const row = await tx
    .selectFrom('episodes')
    .select('dedup_key')
    .where('id', '=', episodeId)
    .executeTakeFirstOrThrow();
  return row.dedup_key;
}

/** One firing period by its id; null when there is none. A late resolve is about an earlier one than the present. */
export async function readEpisode(tx: Tx, episodeId: number): Promise<Episode | null> {
  const row = await tx.selectFrom('episodes').selectAll().where('id', '=', episodeId).executeTakeFirst();
  return row === undefined ? null : toEpisode(row);
}
