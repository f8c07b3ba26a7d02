/** Connects the configured Alertmanager with our incidents: its peers, the comparison, and the loop that repeats it. */

import { type AlertmanagerClient, createAlertmanagerClient } from '../alertmanager/alertmanager-client.js';
import { readPeers, SETTLED_AFTER_MS } from '../alertmanager/read-peers.js';
import type { Config } from '../config/config.js';
import type { AlertGroup } from '../domain/alert.js';
import { type Clock, MINUTE } from '../domain/clock.js';
import { createPageAnewStores } from '../incidents/page-anew.js';
import { EXPIRES_AFTER_MS } from '../incidents/plan-reconcile.js';
import { createReconcile, type ReconcileDeps } from '../incidents/reconcile.js';
import {
  createReconcileLoop,
  type ReconcileLoop,
  type ReconcileLoopDeps,
} from '../incidents/reconcile-loop.js';
import type { Logger } from '../log/logger.js';
import { createAlertStore } from '../store/alert-store.js';

export type Reconciling = ReconcileLoop & {
  /** One a peer. Empty when none is configured: then nothing is compared. */
  readonly clients: readonly AlertmanagerClient[];
  /** Completes a group that was cut off, now. */
  readonly groupTruncated: (group: AlertGroup) => void;
};

export type ReconcilingDeps = Pick<ReconcileDeps, 'db' | 'receive' | 'route' | 'onDue' | 'isHeartbeat'> & {
  readonly config: Pick<Config, 'alertmanager' | 'scopeLabels' | 'severityMapping' | 'timeScale' | 'timings'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics?: NonNullable<ReconcileLoopDeps['metrics']>;
};

export function createReconciling(deps: ReconcilingDeps): Reconciling {
  const { clock, logger } = deps;
  const { alertmanager, scopeLabels, severityMapping, timeScale, timings } = deps.config;
  const { source, receiver, bearerToken, basicAuth, headers } = alertmanager;
  const clients = alertmanager.urls.map((baseUrl) =>
    createAlertmanagerClient({
      baseUrl,
      ...(bearerToken === undefined ? {} : { bearerToken: bearerToken.reveal() }),
      ...(basicAuth === undefined
        ? {}
        : { basicAuth: { username: basicAuth.username, password: basicAuth.password.reveal() } }),
      headers,
      read: { source, scopeLabels, severityMapping },
      clock,
    }),
  );
  const reconcile = createReconcile({
    db: deps.db,
    stores: { ...createPageAnewStores(), alerts: createAlertStore() },
    read: () => readPeers(clients, SETTLED_AFTER_MS / timeScale),
    receive: deps.receive,
    route: deps.route,
    ...(deps.isHeartbeat === undefined ? {} : { isHeartbeat: deps.isHeartbeat }),
    source,
    receiver,
    pageDeadlineMs: timings.pageDeadlineMs,
    expiresAfterMs: EXPIRES_AFTER_MS / timeScale,
    now: clock.now,
    logger,
    onDue: deps.onDue,
  });
  const loop = createReconcileLoop({
    reconcile,
    clock,
    logger,
    intervalMs: MINUTE / timeScale,
    ...(deps.metrics === undefined ? {} : { metrics: deps.metrics }),
  });
  return {
    ...loop,
    clients,
    groupTruncated(group) {
      reconcile.noteTruncated(group);
      void loop.now();
    },
    start() {
      if (clients.length > 0) loop.start();
    },
    async stop() {
      // An answer that does not come must not hold the stop.
      const stopped = loop.stop();
      for (const client of clients) await client.close();
      await stopped;
    },
  };
}
