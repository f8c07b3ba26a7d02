/** Intake over a real database in memory, beside a fake Alertmanager that holds what the test says. */

import { onTestFinished } from 'vitest';
import { createAlertmanagerClient } from '../../src/alertmanager/alertmanager-client.js';
import { readPeers } from '../../src/alertmanager/read-peers.js';
import type { Alert } from '../../src/domain/alert.js';
import { MINUTE } from '../../src/domain/clock.js';
import { createIncidentActions } from '../../src/incidents/incident-actions.js';
import { createPageAnewStores } from '../../src/incidents/page-anew.js';
import { createReconcile, type Reconciled } from '../../src/incidents/reconcile.js';
import { createAlertStore } from '../../src/store/alert-store.js';
import { type FakeAlertmanager, startFakeAlertmanager } from './fake-alertmanager.js';
import { createIntakeHarness, silentLogger } from './intake-harness.js';

const READ = {
  source: 'alertmanager',
  scopeLabels: ['cluster', 'namespace', 'model'],
  severityMapping: {},
};

export async function createReconcileHarness(options: { readonly peers?: number } = {}) {
  const h = createIntakeHarness();
  const { clock, db } = h;
  const peers: FakeAlertmanager[] = [];
  for (let index = 0; index < (options.peers ?? 1); index += 1)
    peers.push(await startFakeAlertmanager({ clock }));
  const [am] = peers as [FakeAlertmanager];
  // Real time: what is tested here is not how long a question may take.
  const clients = peers.map(({ url }) =>
    createAlertmanagerClient({
      baseUrl: url,
      read: READ,
      timeoutMs: 2000,
      clock: { now: clock.now, monotonic: clock.monotonic, after: systemTimer },
    }),
  );
  onTestFinished(async () => {
    for (const client of clients) await client.close();
    for (const peer of peers) await peer.close();
  });

  /** A process of its own: what it remembers of earlier reads is lost with it. */
  const start = () =>
    createReconcile({
      db,
      stores: { ...createPageAnewStores(), alerts: createAlertStore() },
      read: () => readPeers(clients),
      receive: h.intake.receive,
      source: 'alertmanager',
      receiver: 'wakewell',
      route: (severity) =>
        severity === 'critical'
          ? [
              { receiver: 'pager', kind: 'pagerduty' },
              { receiver: 'slack', kind: 'slack' },
            ]
          : [{ receiver: 'slack', kind: 'slack' }],
      pageDeadlineMs: 5000,
      now: clock.now,
      logger: silentLogger,
      onDue: () => {},
    });
  let reconcile = start();

  return {
    ...h,
    am,
    peers,
    /** What people do, with this Alertmanager behind it. */
    actions: createIncidentActions({
      db,
      clock,
      pageDeadlineMs: 5000,
      silencing: { clients, source: 'alertmanager', reconcile: async () => void (await reconcile.run()) },
      onCommitted: () => {},
    }),
    run: () => reconcile.run(),
    noteTruncated: (group: Parameters<typeof reconcile.noteTruncated>[0]) => reconcile.noteTruncated(group),
    /** A minute passes, and what is held is sent by Prometheus again. */
    async minute(held: readonly Alert[] = []): Promise<Reconciled> {
      await clock.advance(MINUTE);
      for (const alert of held) for (const peer of peers) peer.hold(alert.labels);
      return reconcile.run();
    },
    restart() {
      reconcile = start();
    },
    episodes: async () =>
      (await db.kysely.selectFrom('episodes').selectAll().orderBy('id').execute()).map(
        ({ number, because, ended_at }) => ({ number, because, over: ended_at !== null }),
      ),
  };
}

function systemTimer(delayMs: number, fn: () => void): () => void {
  const timer = setTimeout(fn, delayMs);
  return () => clearTimeout(timer);
}
