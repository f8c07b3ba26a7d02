/** What an act on an umbrella does to those whom its pages named. */

import { sql } from 'kysely';
import { publicId } from '../domain/incident.js';
import type { Tx } from './tables.js';

export function createMemberStore() {
  return {
    /**
     * Makes the open incidents that an umbrella's pages named, and those of umbrellas under it, somebody's. Who was
     * not named yet was not seen either. Returns whose they were.
     */
    async takeMembers(
      tx: Tx,
      taken: {
        readonly umbrellaId: number;
        readonly actor: string;
        readonly via: string | null;
        readonly nowMs: number;
      },
    ): Promise<{ readonly incidentId: number; readonly episodeId: number }[]> {
      const { umbrellaId, actor, via, nowMs } = taken;
      const rows = await tx
        .updateTable('incidents')
        .set((eb) => ({
          state: 'acknowledged',
          acknowledged_at: nowMs,
          acknowledged_by: actor,
          revision: eb('revision', '+', 1),
        }))
        .where('state', '=', 'open')
        .where('id', 'in', (eb) =>
          eb
            .selectFrom('notifications as n')
            .innerJoin('incidents as i', 'i.id', 'n.incident_id')
            .select('n.incident_id')
            .whereRef('n.episode_id', '=', 'i.episode_id')
            .where('n.purpose', '=', 'page')
            .where(sql<boolean>`(n.state = 'sent' or (n.state = 'withheld' and n.listed_at is not null))`)
            .where(
              sql<boolean>`(n.umbrella_id = ${umbrellaId} or n.umbrella_id in (select u.incident_id
                from notifications u where u.umbrella_id = ${umbrellaId} and u.purpose = 'page'))`,
            ),
        )
        .returning(['id', 'episode_id'])
        .execute();
      const ids = rows.map((row) => row.id);
      if (ids.length === 0) return [];
      await tx
        .insertInto('timeline')
        .columns(['incident_id', 'at', 'kind', 'text', 'actor', 'via'])
        .expression((eb) =>
          eb
            .selectFrom('incidents')
            .select([
              'id',
              sql<number>`cast(${nowMs} as bigint)`.as('at'),
              sql<'acknowledged'>`'acknowledged'`.as('kind'),
              sql<string>`${`Acknowledged with ${publicId(umbrellaId)}`}`.as('text'),
              sql<string>`${actor}`.as('actor'),
              sql<string | null>`${via}`.as('via'),
            ])
            .where('id', 'in', ids),
        )
        .execute();
      return rows.map((row) => ({ incidentId: row.id, episodeId: row.episode_id }));
    },
  };
}
