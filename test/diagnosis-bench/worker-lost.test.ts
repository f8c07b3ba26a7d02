/** Backfilled series carry no staleness markers, so a lost worker is tried on a Prometheus that really scrapes. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { SnapshotPage } from '../../bench/diagnosis/dialects/snapshot-dialect.js';
import { vllm } from '../../bench/diagnosis/dialects/vllm.js';
import { loadSettings, simulatePlan } from '../../bench/diagnosis/simulate-plan.js';
import { truthOf } from '../../bench/diagnosis/truths.js';
import { createPageWriter } from '../../bench/diagnosis/write-page.js';
import { systemClock } from '../../src/app.js';
import { builtInEnginesDirectory, loadEngineFiles } from '../../src/catalog/engine-file.js';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { type DiagnoseOutcome, diagnose } from '../../src/diagnosis/diagnose.js';
import { labelsFrom } from '../../src/domain/labels.js';
import { createPrometheusClient } from '../../src/prometheus/prometheus-client.js';
import { createPrometheusSource } from '../../src/prometheus/prometheus-source.js';
import type { RunSnapshot } from '../../src/simulator/simulate-run.js';
import { BUILT_IN } from '../support/playbooks.js';
import { startPrometheus, withoutPrometheus } from '../support/real-prometheus.js';
import { aPlan } from './a-plan.js';

/** A simulated minute passes in three seconds, and windows are as much shorter. */
const TIME_SCALE = 20;
const SCRAPE_MS = 1000;
const MINUTE = 60_000;
const HEALTHY_MS = 8000;

const plan = aPlan({
  mechanisms: ['worker_lost'],
  severity: 0.3,
  faultAtMs: HEALTHY_MS * TIME_SCALE,
  durationMs: 30 * MINUTE,
  sampleEveryMs: SCRAPE_MS * TIME_SCALE,
});

describe.skipIf(withoutPrometheus)('a worker whose pod dies, scraped live', () => {
  test('is named, and seen to be away', { timeout: 120_000 }, async () => {
    const fleet = startFleet();
    const exporter = await serve(fleet.pages);
    const prometheus = await startPrometheus({
      scrapeTargets: fleet.pages().map(({ target }, index) => ({
        address: exporter.address,
        path: `/page/${index}`,
        labels: { cluster: plan.id, namespace: 'llm-serving', ...target },
      })),
      scrapeIntervalMs: SCRAPE_MS,
      evaluationIntervalMs: 1000,
    });
    const client = createPrometheusClient({ baseUrl: prometheus.url, clock: systemClock });
    try {
      fleet.run();
      const lost = await until(() => fleet.snapshot().workers.find(({ up }) => !up));
      const source = createPrometheusSource({
        client,
        engines: loadEngineFiles(builtInEnginesDirectory()),
        clock: systemClock,
        timeScale: TIME_SCALE,
      });

      const ask = () =>
        diagnose({
          entries: BUILT_IN.entries,
          labels: labelsFrom([['alertname', 'LLMHighTTFT']]),
          alertName: 'LLMHighTTFT',
          alertExpression: null,
          scope: labelsFrom(
            Object.entries({ cluster: plan.id, namespace: 'llm-serving', model: 'llama-70b' }),
          ),
          source,
          thresholds: DEFAULT_THRESHOLDS,
          atMs: systemClock.now(),
          clock: systemClock,
          timeScale: TIME_SCALE,
        });
      // A busy machine misses scrapes: it is asked until Prometheus has seen the worker away.
      const { verdict, findings } = await untilSeen(ask);

      expect(truthOf('worker_lost').causes).toContain(verdict.cause);
      expect(findings.flatMap(({ workers }) => workers.filter(({ fails }) => fails))).toContainEqual(
        expect.objectContaining({ worker: expect.stringContaining(lost.name) }),
      );
    } finally {
      fleet.stop();
      await client.close();
      await prometheus.close();
      await exporter.close();
    }
  });
});

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function untilSeen(ask: () => Promise<DiagnoseOutcome>): Promise<DiagnoseOutcome> {
  for (;;) {
    await pause(2000);
    const outcome = await ask();
    if (outcome.findings.some(({ stepId, status }) => stepId === 'workers_up' && status === 'fail'))
      return outcome;
  }
}

async function until<T>(look: () => T | undefined): Promise<T> {
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    await pause(100);
  }
}

/** The fleet as it is now; from `run` on its time passes. */
function startFleet() {
  const snapshots = simulatePlan(plan, loadSettings('h100-70b-tp4', ''))[Symbol.iterator]();
  const clock = { startedAtSeconds: Date.now() / 1000 };
  const next = (): RunSnapshot => {
    const { value, done } = snapshots.next();
    if (done === true) throw new Error('the run is over');
    return value;
  };
  let now = next();
  let timer: NodeJS.Timeout | undefined;
  return {
    snapshot: () => now,
    pages: () => vllm.pages(now, clock),
    run() {
      timer = setInterval(() => {
        now = next();
      }, SCRAPE_MS);
    },
    stop: () => clearInterval(timer),
  };
}

async function serve(pages: () => readonly SnapshotPage[]) {
  const order = pages().map(({ target }) => target.pod);
  const server = createServer((request, response) => {
    const pod = order[Number(/^\/page\/(\d+)$/.exec(request.url ?? '')?.[1])];
    const page = pages().find(({ target }) => target.pod === pod);
    // Nobody listens on a dead pod's address.
    if (page === undefined || page.write === null) return response.destroy();
    const lines: string[] = [];
    page.write(
      createPageWriter({
        lines,
        spelling: 'python',
        labelsOf: (own) => own,
        suffix: '',
        isLeftOut: () => false,
      }),
    );
    return response.end(`${lines.join('\n')}\n`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
