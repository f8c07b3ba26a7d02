/**
 * npm run bench:page [-- --pairs 30 --workers 64 --warm-seconds 60]
 *
 * From the start of the webhook's POST to the pager having read the page with its verdict; beside it, in turn,
 * the reads of that diagnosis asked bare through an undici Pool of 4. Real Prometheus, simulated fleet with its
 * KV cache exhausted, the built service in its own process. One JSON line last.
 */

import { fork } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import Sqlite from 'better-sqlite3';
import { Pool } from 'undici';
import { parse } from 'yaml';
import { ALERTS } from '../src/catalog/alerts.js';
import { builtInEnginesDirectory, loadEngineFiles } from '../src/catalog/engine-file.js';
import { DEFAULT_THRESHOLDS } from '../src/catalog/thresholds.js';
import { generateAlertRules } from '../src/generate/alert-rules.js';
import { prometheusConfig, type ScrapeTarget } from '../src/generate/prometheus-config.js';
import { findBinary, launchPrometheus } from '../src/prometheus/launch.js';
import { type PageReceiver, startPageReceiver } from './page/page-receiver.js';
import { askBare, type RecordedRead, startRecordingProxy } from './page/recording-proxy.js';
import { REPOSITORY } from './torture/build-dist.js';
import { realClock, sleep } from './torture/real-clock.js';
import { createService } from './torture/service.js';

const ALERT = 'LLMHighTTFT';
const TIME_SCALE = 20;
const SCRAPE_MS = 1_000;
const WARM_UPS = 4;
/** Equal reads within a second are asked once, and neither side may live off the other's. */
const APART_MS = 1_200;

type Place = Readonly<Record<string, string>>;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      pairs: { type: 'string', default: '30' },
      workers: { type: 'string', default: '64' },
      'warm-seconds': { type: 'string', default: '60' },
    },
  });
  const pairs = Number(values.pairs);
  const binary = findBinary(['prometheus'], process.env.PATH ?? '');
  if (binary === null) throw new Error('bench:page needs Prometheus in the PATH');
  const home = join(REPOSITORY, '.wakewell', `page-${process.pid}`);
  mkdirSync(home, { recursive: true });
  const cleanups: (() => unknown)[] = [() => rmSync(home, { recursive: true, force: true })];
  try {
    const { targets, place } = await startFleet(Number(values.workers), cleanups);
    const prometheus = await launchPrometheus({
      binary,
      configYaml: prometheusConfig({
        targets,
        rulesFile: null,
        alertmanagerAddress: null,
        scrapeIntervalMs: SCRAPE_MS,
        evaluationIntervalMs: SCRAPE_MS,
      }),
    });
    cleanups.push(prometheus.close);
    const pager = await startPageReceiver();
    cleanups.push(pager.close);
    console.error(`scraping ${targets.length} pages for ${values['warm-seconds']} s`);
    await sleep(Number(values['warm-seconds']) * 1000);

    const bench = { home, pager, place, sources: WARM_UPS + pairs };
    const reads = await recordReads({ ...bench, prometheusUrl: prometheus.url });
    console.error(`${reads.length} reads a diagnosis`);
    const { pages, bare, withVerdict } = await measure({
      ...bench,
      prometheusUrl: prometheus.url,
      pairs,
      reads,
    });
    console.log(
      JSON.stringify({
        page_p50_ms: quantile(pages, 0.5),
        page_p99_ms: quantile(pages, 0.99),
        reads_p50_ms: quantile(bare, 0.5),
        ratio_to_reads: round(quantile(pages, 0.5) / quantile(bare, 0.5)),
        pairs,
        reads: reads.length,
        workers: Number(values.workers),
        with_verdict: withVerdict,
      }),
    );
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}

function startFleet(
  workers: number,
  cleanups: (() => unknown)[],
): Promise<{ targets: ScrapeTarget[]; place: Place }> {
  const child = fork(join(REPOSITORY, 'bench/page/fleet-process.ts'), [String(workers)], {
    execArgv: ['--import', 'tsx'],
  });
  cleanups.push(() => child.kill('SIGKILL'));
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as { targets: ScrapeTarget[]; place: Place }));
    child.once('exit', (code) => reject(new Error(`the fleet ended with ${code}`)));
  });
}

type Bench = {
  readonly home: string;
  readonly pager: PageReceiver;
  readonly place: Place;
  readonly prometheusUrl: string;
  readonly sources: number;
};

/** Starts the built service. `fire` opens one incident a call: each from a source of its own, so that none joins another. */
async function startService(bench: Bench, prometheusUrl: string, name: string) {
  const directory = join(bench.home, name);
  mkdirSync(directory);
  const database = join(directory, 'wakewell.db');
  const tokens = Array.from({ length: bench.sources }, (_, i) => ({
    name: `peer-${i}`,
    token: `bench-webhook-token-${i}`,
  }));
  const config = join(directory, 'wakewell.yaml');
  // Every alert's own page is measured, so nothing may speak for several.
  const alone = { storm: { incidents: 1e6 }, page_ceilings: [{ pages: 1e6, within: '1m' }] };
  writeFileSync(config, JSON.stringify({ ...alone, time_scale: TIME_SCALE, tokens: { webhook: tokens } }));
  const service = await createService({
    distDirectory: join(REPOSITORY, 'dist'),
    workDirectory: directory,
    logFile: join(directory, 'service.log'),
    clock: realClock,
    env: {
      WAKEWELL_CONFIG: config,
      WAKEWELL_LOG_LEVEL: 'warn',
      DATABASE_URL: `file:${database}`,
      PROMETHEUS_URL: prometheusUrl,
      PAGERDUTY_ROUTING_KEY: '0123456789abcdef0123456789abcdef',
      PAGERDUTY_EVENTS_URL: bench.pager.url,
    },
  });
  service.spawn();
  if (!(await service.untilReady())) throw new Error('the service did not become ready');
  const pool = new Pool(service.url, { connections: 1 });
  let fired = 0;

  return {
    database,
    async fire(): Promise<{ tookMs: number; withVerdict: boolean }> {
      const token = `bench-webhook-token-${fired}`;
      fired += 1;
      const page = bench.pager.nextTrigger(30_000);
      const startedAtMs = performance.now();
      const posted = pool.request({
        method: 'POST',
        path: '/api/v1/alertmanager',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: webhookBody(bench.place),
      });
      const { receivedAtMs, event } = await page;
      const answer = await posted;
      await answer.body.dump();
      if (answer.statusCode !== 200) throw new Error(`the webhook answered ${answer.statusCode}`);
      const details = event.payload?.custom_details as Record<string, string> | undefined;
      return { tookMs: receivedAtMs - startedAtMs, withVerdict: /KV/.test(details?.verdict ?? '') };
    },
    /** Waits until nothing is left to do: evidence is frozen after the page, and must not run beside the next measurement. */
    async untilIdle(): Promise<void> {
      while (countOpenWork(database) > 0) await sleep(50);
      await sleep(APART_MS);
    },
    async stop(): Promise<void> {
      await pool.destroy();
      await service.stop();
    },
  };
}

/** What one diagnosis with warm caches asks: everything that began before its verdict was ready. */
async function recordReads(bench: Bench): Promise<RecordedRead[]> {
  const proxy = await startRecordingProxy(bench.prometheusUrl);
  const service = await startService(bench, proxy.url, 'recording');
  try {
    await service.fire();
    await service.untilIdle();
    proxy.forget();
    await service.fire();
    await service.untilIdle();
    const finishedAtMs = lastVerdictAt(service.database);
    return proxy.reads().filter((read) => read.atMs <= finishedAtMs);
  } finally {
    await service.stop();
    await proxy.close();
  }
}

async function measure(bench: Bench & { pairs: number; reads: readonly RecordedRead[] }) {
  const service = await startService(bench, bench.prometheusUrl, 'measured');
  const pool = new Pool(bench.prometheusUrl, { connections: 4 });
  const pages: number[] = [];
  const bare: number[] = [];
  let withVerdict = 0;

  async function page(): Promise<void> {
    const { tookMs, withVerdict: complete } = await service.fire();
    pages.push(tookMs);
    if (complete) withVerdict += 1;
    await service.untilIdle();
  }
  async function reads(): Promise<void> {
    const startedAtMs = performance.now();
    await askBare(pool, bench.reads);
    bare.push(performance.now() - startedAtMs);
    await sleep(APART_MS);
  }

  try {
    for (let i = 0; i < WARM_UPS; i += 1) {
      await service.fire();
      await service.untilIdle();
      await askBare(pool, bench.reads);
      await sleep(APART_MS);
    }
    for (let pair = 0; pair < bench.pairs; pair += 1) {
      // Who goes first alternates: neither side always meets the caches that the other warmed.
      for (const run of pair % 2 === 0 ? [page, reads] : [reads, page]) await run();
    }
  } finally {
    await pool.destroy();
    await service.stop();
  }
  return { pages, bare, withVerdict };
}

function webhookBody(place: Place): string {
  const labels = { alertname: ALERT, severity: 'critical', ...place };
  const startsAt = new Date().toISOString();
  return JSON.stringify({
    version: '4',
    groupKey: `{}:{alertname="${ALERT}"}`,
    truncatedAlerts: 0,
    status: 'firing',
    receiver: 'wakewell',
    groupLabels: { alertname: ALERT },
    commonLabels: labels,
    commonAnnotations: {},
    externalURL: 'http://alertmanager:9093',
    alerts: [
      {
        status: 'firing',
        labels,
        annotations: { summary: 'TTFT p99 is above 5 s' },
        startsAt,
        endsAt: '0001-01-01T00:00:00Z',
        generatorURL: `http://prometheus:9090/graph?g0.expr=${encodeURIComponent(ruleExpression())}&g0.tab=1`,
        fingerprint: '0123456789abcdef',
      },
    ],
  });
}

let expression: string | null = null;

/** The PromQL of the alert's generated rule: enrichment asks it for now, an hour ago and yesterday. */
function ruleExpression(): string {
  if (expression !== null) return expression;
  const rules = parse(
    generateAlertRules({
      alerts: ALERTS,
      engines: loadEngineFiles(builtInEnginesDirectory()),
      thresholds: DEFAULT_THRESHOLDS,
      timeScale: TIME_SCALE,
    }),
  ) as { groups: { rules: { alert?: string; expr: string }[] }[] };
  const rule = rules.groups.flatMap((group) => group.rules).find((one) => one.alert === ALERT);
  if (rule === undefined) throw new Error(`no rule generates ${ALERT}`);
  expression = rule.expr;
  return expression;
}

function countOpenWork(database: string): number {
  return ask<{ n: number }>(
    database,
    "select count(*) as n from work where state in ('queued', 'running')",
    (row) => row.n,
  );
}

function lastVerdictAt(database: string): number {
  return ask<{ at: number }>(database, 'select max(finished_at) as at from diagnoses', (row) => row.at);
}

function ask<Row>(database: string, sql: string, read: (row: Row) => number): number {
  const db = new Sqlite(database, { readonly: true });
  try {
    const row = db.prepare<[], Row>(sql).get();
    return row === undefined ? 0 : read(row);
  } finally {
    db.close();
  }
}

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return round(sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

await main();
