/** The dispatcher on a real database with time that only the test moves, and receivers that do as they are told. */

import { onTestFinished } from 'vitest';
import type { IncidentState } from '../../src/domain/incident.js';
import type { DeliveryResult, NewNotification, Purpose } from '../../src/domain/notification.js';
import type { Severity } from '../../src/domain/severity.js';
import { createDispatcher, type Dispatcher } from '../../src/outbox/dispatcher.js';
import type { DeliveryObservation, OutboxDeps } from '../../src/outbox/outbox-deps.js';
import type { BareDelivery, Delivery, Receiver } from '../../src/receivers/receiver.js';
import type { ReceiverKind } from '../../src/routing/route-table.js';
import { createAccountStore } from '../../src/store/account-store.js';
import { type Database, openDatabase } from '../../src/store/database.js';
import { readIncidentView } from '../../src/store/incident-view.js';
import { createNotificationStore } from '../../src/store/notification-store.js';
import { createTimelineStore } from '../../src/store/timeline-store.js';
import { keptLog } from '../receivers/receiver-setup.js';
import { createManualClock, type ManualClock } from '../support/manual-clock.js';

export const NOW = Date.UTC(2026, 10, 22, 3, 0, 0);

/** A receiver under the test's control. Answers `sent` unless told otherwise. */
export type Puppet = Receiver & {
  readonly got: Delivery[];
  readonly gotBare: BareDelivery[];
  /** The answers to come, then `sent` again. */
  readonly answer: (...results: (DeliveryResult | 'hang' | Error)[]) => void;
  /** Lets everything that hangs answer `sent`. */
  readonly release: () => void;
};

export function aPuppet(
  name: string,
  kind: ReceiverKind,
  over: Pick<Receiver, 'account' | 'budget' | 'ladder'> = {},
): Puppet {
  const got: Delivery[] = [];
  const gotBare: BareDelivery[] = [];
  const next: (DeliveryResult | 'hang' | Error)[] = [];
  let hanging: (() => void)[] = [];

  async function told(): Promise<DeliveryResult | null> {
    const result = next.shift();
    if (result instanceof Error) throw result;
    if (result !== 'hang') return result ?? null;
    await new Promise<void>((resolve) => hanging.push(resolve));
    return null;
  }

  return {
    name,
    kind,
    ...over,
    got,
    gotBare,
    answer: (...results) => void next.push(...results),
    release() {
      for (const resolve of hanging) resolve();
      hanging = [];
    },
    async deliverBare(delivery) {
      gotBare.push(delivery);
      return (await told()) ?? { kind: 'sent', ref: 'bare' };
    },
    async deliver(delivery) {
      got.push(delivery);
      const result = await told();
      if (result !== null) return result;
      if (delivery.notification.purpose !== 'card') return { kind: 'sent', ref: 'ref' };
      const card = {
        channel: 'C',
        messageId: `m${delivery.view.incident.id}`,
        contentHash: `h${got.length}`,
      };
      return { kind: 'sent', ref: card.messageId, card };
    },
  };
}

export const FAILS: DeliveryResult = { kind: 'retry', reason: 'server_error', detail: 'HTTP 503' };
export const REFUSED: DeliveryResult = { kind: 'dead', reason: 'auth', detail: 'HTTP 403' };

export async function outboxHarness(
  options: {
    receivers?: readonly Puppet[];
    url?: string;
    concurrency?: number;
    random?: () => number;
    onStuck?: () => void;
    maintenanceOf?: NonNullable<OutboxDeps['maintenanceOf']>;
  } = {},
) {
  const clock: ManualClock = createManualClock({ nowMs: NOW });
  const db: Database = openDatabase(options.url ?? 'file::memory:', { clock });
  const log = keptLog();
  const puppets = options.receivers ?? [
    aPuppet('pager', 'pagerduty'),
    aPuppet('pager-b', 'pagerduty'),
    aPuppet('team', 'slack'),
    aPuppet('journal', 'log'),
  ];
  const notifications = createNotificationStore();
  const timeline = createTimelineStore();
  const observed: DeliveryObservation[] = [];
  const started: Dispatcher[] = [];

  function createOne(): Dispatcher {
    const dispatcher = createDispatcher({
      ...(options.maintenanceOf === undefined ? {} : { maintenanceOf: options.maintenanceOf }),
      db,
      stores: { notifications, accounts: createAccountStore(), timeline },
      receivers: new Map(puppets.map((one) => [one.name, one])),
      readView: (id) => readIncidentView(db.kysely, id),
      clock,
      random: options.random ?? (() => 0.5),
      logger: log,
      ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
      ...(options.onStuck === undefined ? {} : { onStuck: options.onStuck }),
      metrics: { observe: (one) => void observed.push(one) },
    });
    started.push(dispatcher);
    return dispatcher;
  }
  const dispatcher = createOne();

  onTestFinished(async () => {
    for (const one of puppets) one.release();
    for (const one of started) await one.stop();
    await db.close();
  });

  let nextId = 0;
  return {
    clock,
    db,
    log,
    observed,
    notifications,
    dispatcher,
    /** Another dispatcher on the same database, as after a restart. */
    createOne,
    puppet(name: string): Puppet {
      const found = puppets.find((one) => one.name === name);
      if (found === undefined) throw new Error(`no puppet ${name}`);
      return found;
    },
    /** An open incident with one episode; returns their (equal) id. */
    async incident(severity: Severity = 'critical'): Promise<number> {
      nextId += 1;
      const id = nextId;
      await db.kysely
        .insertInto('incidents')
        .values({
          id,
          source: 'am',
          alert_name: 'LLMHighTTFT',
          alert_key: `key${id}`,
          severity,
          severity_note: null,
          scope: JSON.stringify([['model', 'llama-70b']]),
          state: 'open',
          episode_id: id,
          opened_at: clock.now(),
          acknowledged_at: null,
          acknowledged_by: null,
          resolved_at: null,
          resolved_by: null,
        })
        .execute();
      await db.kysely
        .insertInto('episodes')
        .values({
          id,
          incident_id: id,
          number: 1,
          dedup_key: `dedup${id}`,
          severity,
          started_at: clock.now(),
          ended_at: null,
          resolve_attempted_at: null,
        })
        .execute();
      return id;
    },
    /** Begins another firing period. */
    async newEpisode(incidentId: number, episodeId: number): Promise<void> {
      await db.kysely
        .updateTable('episodes')
        .set({ ended_at: clock.now() })
        .where('incident_id', '=', incidentId)
        .execute();
      await db.kysely
        .insertInto('episodes')
        .values({
          id: episodeId,
          incident_id: incidentId,
          number: episodeId,
          dedup_key: `dedup${episodeId}`,
          severity: 'critical',
          started_at: clock.now(),
          ended_at: null,
          resolve_attempted_at: null,
        })
        .execute();
      await db.kysely
        .updateTable('incidents')
        .set({ episode_id: episodeId, state: 'open', resolved_at: null })
        .where('id', '=', incidentId)
        .execute();
    },
    async setState(id: number, state: IncidentState, actor = 'mia'): Promise<void> {
      const at = clock.now();
      await db.kysely
        .updateTable('incidents')
        .set((eb) => ({
          state,
          revision: eb('revision', '+', 1),
          ...(state === 'acknowledged' ? { acknowledged_at: at, acknowledged_by: actor } : {}),
          ...(state === 'resolved' ? { resolved_at: at, resolved_by: actor } : {}),
        }))
        .where('id', '=', id)
        .execute();
      if (state !== 'open') {
        await timeline.append(db.kysely, [
          { incidentId: id, atMs: at, kind: state, text: `${state} by ${actor}`, actor },
        ]);
      }
    },
    async enqueue(
      incidentId: number,
      receiver: string,
      purpose: Purpose,
      over: Partial<NewNotification> = {},
    ): Promise<void> {
      const at = clock.now();
      const row = {
        incidentId,
        episodeId: incidentId,
        receiver,
        purpose,
        dueAtMs: at,
        createdAtMs: at,
        ...over,
      };
      await db.transaction((tx) => notifications.enqueue(tx, [row]));
      dispatcher.wake();
    },
    rows: () => db.kysely.selectFrom('notifications').selectAll().orderBy('id').execute(),
    story: async (incidentId: number) =>
      (await timeline.read(db.kysely, incidentId)).map((one) => `${one.kind}: ${one.text}`),
  };
}
