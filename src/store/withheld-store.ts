/** Pages that wait under umbrellas, and the umbrellas that may end: what the upkeep asks every second. */

import { sql } from 'kysely';
import type { Incident, IncidentKind } from '../domain/incident.js';
import { toIncident } from './incident-rows.js';
import type { Tx } from './tables.js';

/** Pages of one umbrella that wait at one receiver. */
export type WithheldGroup = {
  readonly receiver: string;
  readonly umbrellaId: number;
  readonly umbrellaKind: IncidentKind;
  /** A person closed it. */
  readonly isClosed: boolean;
  readonly ids: readonly number[];
  /** How many no message has named yet, nor is about to. */
  readonly unnamed: number;
};

/** The page of an umbrella at one receiver. */
export type UmbrellaPage = {
  readonly incidentId: number;
  readonly episodeId: number;
  readonly state: 'queued' | 'sending' | 'sent' | 'dead' | 'dropped' | 'withheld';
  /** Set when another umbrella speaks for it. */
  readonly umbrellaId: number | null;
  /** When the receiver was last told something by this umbrella; null when never. */
  readonly lastToldMs: number | null;
};

const WAITS = sql<boolean>`n.state = 'withheld' and n.purpose = 'page'`;

export type WithheldStore = ReturnType<typeof createWithheldStore>;

export function createWithheldStore() {
  return {
    /** Withdraws pages that nobody needs any more: over, taken, silenced, or of an earlier firing period. */
    async dropNeedless(tx: Tx, nowMs: number): Promise<number> {
      const why = sql<string>`(select case
        when i.episode_id <> n.episode_id then 'this firing period is over'
        when i.state = 'resolved' then 'resolved before it could be sent'
        when i.state = 'acknowledged' then 'acknowledged before it could be sent'
        else 'silenced' end
        from incidents i join notifications n on n.incident_id = i.id where n.id = notifications.id)`;
      const needless = await tx
        .selectFrom('notifications as n')
        .innerJoin('incidents as i', 'i.id', 'n.incident_id')
        .select('n.id')
        .where(WAITS)
        .where(sql<boolean>`(i.state <> 'open' or i.episode_id <> n.episode_id or i.silenced = 1)`)
        .execute();
      if (needless.length === 0) return 0;
      const ids = needless.map((row) => row.id);
      await tx
        .insertInto('timeline')
        .columns(['incident_id', 'at', 'kind', 'text', 'actor'])
        .expression((eb) =>
          eb
            .selectFrom('notifications')
            .select([
              'incident_id',
              sql<number>`cast(${nowMs} as bigint)`.as('at'),
              sql<'send_dropped'>`'send_dropped'`.as('kind'),
              sql<string>`'Page to ' || receiver || ' not sent: ' || ${why}`.as('text'),
              sql<string>`'wakewell'`.as('actor'),
            ])
            .where('id', 'in', ids),
        )
        .execute();
      await tx
        .updateTable('notifications')
        .set({ state: 'dropped', last_reason: why, finished_at: nowMs })
        .where('id', 'in', ids)
        .execute();
      return ids.length;
    },

    /** Everything that waits, by receiver and umbrella, the longest waiting first. */
    async withheldGroups(tx: Tx): Promise<WithheldGroup[]> {
      const rows = await tx
        .selectFrom('notifications as n')
        .innerJoin('incidents as u', 'u.id', 'n.umbrella_id')
        .select([
          'n.id',
          'n.receiver',
          'u.id as umbrella_id',
          'u.kind',
          'u.state',
          sql<number>`case when n.listed_at is null and n.carrier_id is null then 1 else 0 end`.as('unnamed'),
        ])
        .where(WAITS)
        .orderBy('n.id')
        .execute();
      const groups = new Map<string, WithheldGroup & { ids: number[]; unnamed: number }>();
      for (const row of rows) {
        const key = `${row.receiver}\n${row.umbrella_id}`;
        let group = groups.get(key);
        if (group === undefined) {
          const { receiver, kind: umbrellaKind, umbrella_id: umbrellaId } = row;
          const isClosed = row.state === 'resolved';
          group = { receiver, umbrellaKind, umbrellaId, isClosed, ids: [], unnamed: 0 };
          groups.set(key, group);
        }
        group.ids.push(row.id);
        group.unnamed += row.unnamed;
      }
      return [...groups.values()];
    },

    /** The page of an umbrella's present episode at a receiver; null when there is none. */
    async umbrellaPage(tx: Tx, umbrellaId: number, receiver: string): Promise<UmbrellaPage | null> {
      const page = await tx
        .selectFrom('incidents as i')
        .innerJoin('notifications as n', (join) =>
          join.onRef('n.incident_id', '=', 'i.id').onRef('n.episode_id', '=', 'i.episode_id'),
        )
        .select(['n.state', 'n.umbrella_id', 'i.episode_id'])
        .where('i.id', '=', umbrellaId)
        .where('n.receiver', '=', receiver)
        .where('n.purpose', '=', 'page')
        .executeTakeFirst();
      if (page === undefined) return null;
      const told = await tx
        .selectFrom('notifications')
        .select((eb) => eb.fn.max<number | null>('finished_at').as('at'))
        .where('incident_id', '=', umbrellaId)
        .where('receiver', '=', receiver)
        .where('purpose', 'in', ['page', 'page_update'])
        .where('state', '=', 'sent')
        .executeTakeFirst();
      return {
        incidentId: umbrellaId,
        episodeId: page.episode_id,
        state: page.state,
        umbrellaId: page.umbrella_id,
        lastToldMs: told?.at ?? null,
      };
    },

    /** When a receiver was last woken by an umbrella, or by one that spoke for it; null when never. */
    async lastPagedMs(tx: Tx, umbrellaId: number, receiver: string): Promise<number | null> {
      const row = await tx
        .selectFrom('notifications')
        .select((eb) => eb.fn.max<number | null>('finished_at').as('at'))
        .where('incident_id', '=', umbrellaId)
        .where('receiver', '=', receiver)
        .where('purpose', '=', 'page')
        .where('state', '=', 'sent')
        .executeTakeFirst();
      return row?.at ?? null;
    },

    /** Who was, or is to be, paged by an umbrella. */
    async pageReceivers(tx: Tx, umbrellaId: number): Promise<string[]> {
      const rows = await tx
        .selectFrom('notifications')
        .select('receiver')
        .distinct()
        .where('incident_id', '=', umbrellaId)
        .where('purpose', '=', 'page')
        .execute();
      return rows.map((row) => row.receiver);
    },

    /** Lets withheld pages take their chance again, each by itself. */
    async releaseWithheld(tx: Tx, ids: readonly number[], nowMs: number): Promise<void> {
      await tx
        .updateTable('notifications')
        .set({ state: 'queued', due_at: nowMs, umbrella_id: null, carrier_id: null, last_reason: null })
        .where('id', 'in', [...ids])
        .where('state', '=', 'withheld')
        .execute();
    },

    /** Every umbrella that stands. */
    async standingUmbrellas(tx: Tx): Promise<Incident[]> {
      const rows = await tx
        .selectFrom('incidents')
        .selectAll()
        .where(sql<boolean>`kind <> 'problem' and state <> 'resolved'`)
        .orderBy('id')
        .execute();
      return rows.map(toIncident);
    },

    /**
     * How many incidents an umbrella's pages speak for that are not surely over: firing, or resolved by a machine
     * after `heldSinceMs`, when it may still change its mind. Of those that are not resolved: how many nobody has
     * taken, how many somebody has, and who.
     */
    async spokenFor(
      tx: Tx,
      umbrellaId: number,
      heldSinceMs: number,
    ): Promise<{
      readonly standing: number;
      readonly untaken: number;
      readonly taken: number;
      readonly takenBy: string | null;
    }> {
      const row = await tx
        .selectFrom('notifications as n')
        .innerJoin('incidents as i', 'i.id', 'n.incident_id')
        .innerJoin('episodes as e', 'e.id', 'n.episode_id')
        .select((eb) => [
          eb.fn.countAll<number>().as('standing'),
          sql<number>`coalesce(sum(case when i.state = 'open' or e.id <> i.episode_id then 1 else 0 end), 0)`.as(
            'untaken',
          ),
          sql<number>`coalesce(sum(case when i.state = 'acknowledged' and e.id = i.episode_id then 1 else 0 end), 0)`.as(
            'taken',
          ),
          sql<string | null>`max(i.acknowledged_by)`.as('taken_by'),
        ])
        .where('n.umbrella_id', '=', umbrellaId)
        .where('n.purpose', '=', 'page')
        .where('n.state', 'in', ['withheld', 'sent'])
        .where(
          sql<boolean>`(e.ended_at is null or (e.ended_at > ${heldSinceMs} and i.resolved_by = i.source))`,
        )
        .executeTakeFirstOrThrow();
      const { standing, untaken, taken } = row;
      return { standing, untaken, taken, takenBy: row.taken_by };
    },

    /** Whether an umbrella's pages speak for an incident that fires, audibly, and that nobody has taken. */
    async needsSomebody(tx: Tx, umbrellaId: number): Promise<boolean> {
      const row = await tx
        .selectFrom('notifications as n')
        .innerJoin('incidents as i', 'i.id', 'n.incident_id')
        .select('i.id')
        .where('n.umbrella_id', '=', umbrellaId)
        .where('n.purpose', '=', 'page')
        .where('n.state', 'in', ['withheld', 'sent'])
        .whereRef('i.episode_id', '=', 'n.episode_id')
        .where('i.state', '=', 'open')
        .where('i.silenced', '=', 0)
        .limit(1)
        .executeTakeFirst();
      return row !== undefined;
    },

    /** The pager was told that what an umbrella spoke for is over: none of these episodes may be triggered again. */
    async closeSpokenFor(tx: Tx, umbrellaId: number, nowMs: number): Promise<void> {
      await tx
        .updateTable('episodes')
        .set({ resolve_attempted_at: nowMs })
        .where('resolve_attempted_at', 'is', null)
        .where('id', 'in', (eb) =>
          eb
            .selectFrom('notifications')
            .select('episode_id')
            .where('umbrella_id', '=', umbrellaId)
            .where('purpose', '=', 'page')
            .where('state', 'in', ['withheld', 'sent']),
        )
        .execute();
    },
  };
}
