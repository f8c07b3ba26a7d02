/** Umbrellas, and the pages for which they speak: withheld, named in a message of the umbrella, and sent with its page. */

import { hash } from 'node:crypto';
import { sql } from 'kysely';
import { type IncidentKind, OWN_SOURCE, publicId } from '../domain/incident.js';
import { labelsFrom } from '../domain/labels.js';
import type { Scope } from '../domain/scope.js';
import type { Severity } from '../domain/severity.js';
import { labelsToText } from './incident-rows.js';
import { storable } from './storable.js';
import type { Tx } from './tables.js';

export type NewUmbrella = {
  readonly kind: Exclude<IncidentKind, 'problem'>;
  /** Stands where an alert's name would. */
  readonly name: string;
  readonly severity: Severity;
  readonly scope: Scope;
  readonly cluster: string;
  readonly dedupKey: string;
  readonly nowMs: number;
};

export type Umbrella = { readonly incidentId: number; readonly episodeId: number };

const WITHHELD_PAGE = sql<boolean>`notifications.state = 'withheld' and notifications.purpose = 'page'`;

export function createUmbrellaStore() {
  return {
    openUmbrella,

    /** The newest bundle that stands at a receiver; null when there is none. */
    async standingBundle(tx: Tx, receiver: string): Promise<Umbrella | null> {
      const row = await tx
        .selectFrom('incidents as i')
        .innerJoin('notifications as n', (join) =>
          join.onRef('n.incident_id', '=', 'i.id').onRef('n.episode_id', '=', 'i.episode_id'),
        )
        .select(['i.id', 'i.episode_id'])
        .where(sql<boolean>`i.kind <> 'problem' and i.state <> 'resolved'`)
        .where('i.kind', '=', 'bundle')
        .where('n.receiver', '=', receiver)
        .where('n.purpose', '=', 'page')
        .where('n.state', 'in', ['queued', 'sending', 'sent'])
        .orderBy('i.id', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row === undefined ? null : { incidentId: row.id, episodeId: row.episode_id };
    },

    /** Pages of problems that are due at a receiver and were not offered to it yet. */
    async unofferedPages(tx: Tx, receiver: string, nowMs: number): Promise<number[]> {
      const rows = await tx
        .selectFrom('notifications as n')
        .innerJoin('incidents as i', 'i.id', 'n.incident_id')
        .select('n.id')
        .where('n.receiver', '=', receiver)
        .where(sql<boolean>`n.state in ('queued', 'sending') and n.state = 'queued'`)
        .where('n.due_at', '<=', nowMs)
        .where('n.purpose', '=', 'page')
        .where('n.attempts', '=', 0)
        .where('n.admitted_at', 'is', null)
        .where('i.kind', '<>', 'bundle')
        .execute();
      return rows.map((row) => row.id);
    },

    withhold,

    /** Opens a bundle that speaks for these pages of one receiver, and lets its page go at once. */
    async bundlePages(
      tx: Tx,
      bundle: { readonly receiver: string; readonly ids: readonly number[]; readonly nowMs: number },
    ): Promise<Umbrella> {
      const { receiver, ids, nowMs } = bundle;
      const umbrella = await openUmbrella(tx, {
        kind: 'bundle',
        name: `Criticals beyond the page ceiling of ${receiver}`,
        severity: 'critical',
        scope: labelsFrom([]),
        cluster: '',
        // The first page that it speaks for is in one bundle of one moment.
        dedupKey: hash('sha256', `v1 bundle\0${receiver}\0${ids[0] ?? 0}\0${nowMs}`),
        nowMs,
      });
      await withhold(tx, { ids, umbrellaId: umbrella.incidentId });
      await tx
        .insertInto('notifications')
        .values({
          incident_id: umbrella.incidentId,
          episode_id: umbrella.episodeId,
          receiver,
          purpose: 'page',
          state: 'queued',
          due_at: nowMs,
          created_at: nowMs,
          admitted_at: nowMs,
        })
        .execute();
      return umbrella;
    },

    /**
     * Names the withheld pages that a message of an umbrella is about to speak for: its own at these receivers, and
     * those of umbrellas under it. Returns how many of them no message has named yet.
     */
    async carry(
      tx: Tx,
      carried: {
        readonly notificationId: number;
        readonly umbrellaId: number;
        readonly receivers: readonly string[];
      },
    ): Promise<number> {
      const { notificationId, umbrellaId, receivers } = carried;
      await tx
        .updateTable('notifications')
        .set({ carrier_id: notificationId })
        .where(WITHHELD_PAGE)
        .where('receiver', 'in', [...receivers])
        .where((eb) =>
          eb.or([
            eb('umbrella_id', '=', umbrellaId),
            eb('umbrella_id', 'in', (inner) =>
              inner
                .selectFrom('notifications as u')
                .select('u.incident_id')
                .where('u.umbrella_id', '=', umbrellaId)
                .where('u.purpose', '=', 'page'),
            ),
          ]),
        )
        .execute();
      const row = await tx
        .selectFrom('notifications')
        .select((eb) => eb.fn.countAll<number>().as('n'))
        .where('carrier_id', '=', notificationId)
        .where('listed_at', 'is', null)
        .executeTakeFirstOrThrow();
      return row.n;
    },

    /** A message that carried pages was accepted: they are named, and with a page of the umbrella they are sent. */
    async settleCarried(
      tx: Tx,
      settled: {
        readonly carrierId: number;
        /** Of the umbrella. */
        readonly named: string;
        readonly wakes: boolean;
        readonly ref: string | null;
        /** The page was only shadowed. */
        readonly shadow: boolean;
        readonly nowMs: number;
      },
    ): Promise<void> {
      const { carrierId, named, wakes, nowMs } = settled;
      const text = `named in ${wakes ? 'the page' : 'an update of the page'} of ${named}`;
      await tx
        .insertInto('timeline')
        .columns(['incident_id', 'at', 'kind', 'text', 'actor'])
        .expression((eb) =>
          eb
            .selectFrom('notifications')
            .select([
              'incident_id',
              sql<number>`cast(${nowMs} as bigint)`.as('at'),
              sql<'listed'>`'listed'`.as('kind'),
              sql<string>`'Page to ' || receiver || ': ' || ${text}`.as('text'),
              sql<string>`'wakewell'`.as('actor'),
            ])
            .where('carrier_id', '=', carrierId)
            .where(WITHHELD_PAGE)
            // An update says it once; the page that wakes is news again.
            .where(wakes ? sql<boolean>`1 = 1` : sql<boolean>`listed_at is null`),
        )
        .execute();
      const common = { carrier_id: null, listed_at: sql<number>`coalesce(listed_at, ${nowMs})` };
      await tx
        .updateTable('notifications')
        .set(
          wakes
            ? {
                ...common,
                state: 'sent',
                ref: settled.ref,
                shadow: settled.shadow ? 1 : 0,
                finished_at: nowMs,
                last_reason: text,
              }
            : { ...common, last_reason: `${text}; it still waits to wake somebody` },
        )
        .where('carrier_id', '=', carrierId)
        .where(WITHHELD_PAGE)
        .execute();
    },

    /** Takes pages out of the hands of messages that will never be accepted. */
    async freeCarried(tx: Tx): Promise<void> {
      await tx
        .updateTable('notifications')
        .set({ carrier_id: null })
        .where('carrier_id', 'is not', null)
        .where(
          sql<boolean>`not exists (select 1 from notifications c where c.id = notifications.carrier_id
            and c.state in ('queued', 'sending'))`,
        )
        .execute();
    },
  };
}

/** Opens an umbrella with its first episode. */
async function openUmbrella(tx: Tx, umbrella: NewUmbrella): Promise<Umbrella> {
  const { nowMs, severity } = umbrella;
  const incident = await tx
    .insertInto('incidents')
    .values({
      kind: umbrella.kind,
      source: OWN_SOURCE,
      alert_name: storable(umbrella.name, 200),
      alert_key: umbrella.dedupKey,
      severity,
      scope: labelsToText(umbrella.scope),
      cluster: umbrella.cluster,
      state: 'open',
      opened_at: nowMs,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  const { id: incidentId } = incident;
  const episode = await tx
    .insertInto('episodes')
    .values({
      incident_id: incidentId,
      number: 1,
      dedup_key: umbrella.dedupKey,
      severity,
      started_at: nowMs,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  await tx.updateTable('incidents').set({ episode_id: episode.id }).where('id', '=', incidentId).execute();
  return { incidentId, episodeId: episode.id };
}

/** Withholds pages: from now on an umbrella speaks for them. What was sent or dropped is left alone. */
async function withhold(
  tx: Tx,
  { ids, umbrellaId }: { readonly ids: readonly number[]; readonly umbrellaId: number },
): Promise<void> {
  if (ids.length === 0) return;
  await tx
    .updateTable('notifications')
    .set({
      state: 'withheld',
      umbrella_id: umbrellaId,
      carrier_id: null,
      attempts: 0,
      climb_at: null,
      lease_until: null,
      last_reason: `${publicId(umbrellaId)} speaks for it`,
    })
    .where('id', 'in', [...ids])
    .where('state', 'in', ['queued', 'sending', 'withheld'])
    .execute();
}
