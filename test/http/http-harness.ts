/** The HTTP application over a real store in memory, with one diagnosed critical incident when asked. */

import { gzipSync } from 'node:zlib';
import supertest from 'supertest';
import { SIGNALS } from '../../src/catalog/signals.js';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { createSecret } from '../../src/config/secret.js';
import { createHttpApp, type HttpAppDeps } from '../../src/http/http-app.js';
import type { ServingHealthReads } from '../../src/http/serving-health-api.js';
import { createIncidentActions } from '../../src/incidents/incident-actions.js';
import { createReadExplanation } from '../../src/incidents/read-explanation.js';
import { createLogger } from '../../src/log/logger.js';
import { builtInPlaybooksDirectory, loadPlaybooks } from '../../src/playbook/load.js';
import { renderPlainText } from '../../src/render/plain-text.js';
import { createDiagnosisStore } from '../../src/store/diagnosis-store.js';
import {
  countByState,
  diagnoses,
  listIncidents,
  recording,
  timeline,
} from '../../src/store/incident-history.js';
import { readIncidentView } from '../../src/store/incident-view.js';
import { createNotificationStore } from '../../src/store/notification-store.js';
import { createPageRenderers } from '../../src/ui/pages.js';
import { aDiagnosis, anAlert } from '../support/build.js';
import { createIntakeHarness } from '../support/intake-harness.js';

export const TOKEN = 'an-api-token-0123456789';

export type HarnessOptions = {
  readonly tokens?: readonly { readonly name: string; readonly token: string }[];
  readonly publicUrl?: string | null;
  readonly servingHealth?: ServingHealthReads;
  readonly readiness?: HttpAppDeps['health']['readiness'];
  readonly views?: HttpAppDeps['incidents']['reads']['view'];
};

/** Nothing is served anywhere. */
const NO_HEALTH: ServingHealthReads = {
  now: async () => ({ atMs: 0, overall: 'unknown', blind: 'no engine reports anything', reports: [] }),
  transitions: async () => [],
};

export function createHttpHarness(options: HarnessOptions = {}) {
  const h = createIntakeHarness();
  const { db, clock } = h;
  const notifications = createNotificationStore();
  const store = createDiagnosisStore();
  const lines: string[] = [];
  const { entries } = loadPlaybooks({
    directories: [builtInPlaybooksDirectory()],
    signals: new Set(SIGNALS.map(({ name }) => name)),
    thresholds: DEFAULT_THRESHOLDS,
  });
  const view = (id: number) => readIncidentView(db.kysely, id);

  const app = createHttpApp({
    webhook: (_request, response) => response.end('{"receipt":1}'),
    callbacks: [],
    incidents: {
      reads: {
        list: (query) => listIncidents(db.kysely, query),
        view: options.views ?? view,
        timeline: (id) => timeline(db.kysely, id),
        diagnoses: (id) => diagnoses(db.kysely, id),
        explanation: createReadExplanation({ db, receivers: { troubleOf: () => null }, now: clock.now }),
        recording: (id, diagnosisId) => recording(db.kysely, id, diagnosisId),
      },
      actions: createIncidentActions({ db, clock, pageDeadlineMs: 5_000, onCommitted: () => {} }),
    },
    pages: {
      render: createPageRenderers(),
      servingHealth: options.servingHealth ?? NO_HEALTH,
      counts: () => countByState(db.kysely),
      outbox: (limit) => notifications.listOutbox(db.kysely, { limit }),
      receiverTroubles: () => [],
      notificationsOf: (id) => notifications.notificationsOf(db.kysely, id),
      async renderMessage({ incidentId }) {
        const found = await view(incidentId);
        return found === null ? null : renderPlainText(found);
      },
      playbooks: () => entries,
      now: clock.now,
    },
    health: {
      readiness: options.readiness ?? (() => ({ ready: true, checks: [] })),
      metrics: { contentType: 'text/plain; version=0.0.4', metrics: async () => 'wakewell_up 1\n' },
    },
    apiTokens: (options.tokens ?? []).map(({ name, token }) => ({ name, token: createSecret(token) })),
    publicUrl: options.publicUrl ?? null,
    logger: createLogger({ level: 'debug', destination: { write: (line) => lines.push(line) } }),
  });

  return {
    ...h,
    app,
    request: supertest(app),
    /** Log lines so far. */
    lines,
    /** Opens INC-1 by a critical LLMHighTTFT and stores its diagnosis and recording. */
    async openIncident(labels: Record<string, string> = {}): Promise<void> {
      await h.receive(anAlert({ labels }));
      const opened = await view(1);
      if (opened === null) throw new Error('no incident was opened');
      const { id: _, ...diagnosis } = aDiagnosis({ incidentId: 1, episodeId: opened.episode.id });
      await db.transaction(async (tx) => {
        const diagnosisId = await store.insertDiagnosis(tx, diagnosis);
        await notifications.bumpRevision(tx, 1);
        await store.insertRecording(tx, {
          incidentId: 1,
          diagnosisId,
          formatVersion: 1,
          recordedAtMs: clock.now(),
          body: gzipSync(JSON.stringify(aRecording(clock.now()))),
        });
      });
    },
  };
}

function aRecording(atMs: number) {
  const asked = { engine: 'llm', query: 'llm_kv_cache_usage_ratio' };
  return {
    formatVersion: 1,
    atMs,
    timeScale: 1,
    scope: { model: 'llama-70b' },
    recordedFrom: 'simulated',
    spanMs: 1_800_000,
    signals: {
      kv_cache_utilization: {
        instant: { ...asked, kind: 'value', samples: [{ worker: 'w-0', labels: {}, value: 0.97 }] },
        range: {
          ...asked,
          kind: 'series',
          series: [
            {
              worker: null,
              labels: {},
              points: [
                [atMs - 60_000, 0.9],
                [atMs, null],
              ],
            },
          ],
        },
      },
      gpu_utilization: {
        instant: { ...asked, kind: 'empty', reason: 'no_series', detail: 'no series' },
        range: { ...asked, kind: 'empty', reason: 'no_series', detail: 'no series' },
      },
    },
    queries: {},
  };
}
