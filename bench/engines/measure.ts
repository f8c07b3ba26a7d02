/** Reads every signal of every engine through the product's own source, from a real Prometheus, beside the truth. */

import { builtInEnginesDirectory, type EngineFile, loadEngineFiles } from '../../src/catalog/engine-file.js';
import { findSignal, SIGNALS } from '../../src/catalog/signals.js';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import type { Clock } from '../../src/domain/clock.js';
import { labelsFrom } from '../../src/domain/labels.js';
import type { SignalReading } from '../../src/domain/signal.js';
import { generateDashboard } from '../../src/generate/dashboard.js';
import { launchPrometheus } from '../../src/prometheus/launch.js';
import { createPrometheusClient, type PrometheusClient } from '../../src/prometheus/prometheus-client.js';
import { createPrometheusSource } from '../../src/prometheus/prometheus-source.js';
import { DEPLOYMENTS, MIXED_CLUSTER } from './deployments.js';
import type { Dialect } from './dialect.js';
import { type Expectation, expectationOf, KUBERNETES_EXPECTED } from './expectations.js';
import { serveDeployments } from './serve.js';
import { MODEL, NAMESPACE } from './truth.js';

export type Cell = {
  readonly engine: string;
  readonly signal: string;
  /** Of the engine file: exact, proxy, opt_in, inferred, unavailable. */
  readonly status: string;
  readonly expected: string | null;
  readonly measured: string;
  /** Null where nothing can be expected. */
  readonly within: boolean | null;
};

const SCRAPE_MS = 1000;
/** Long enough that the rates' window begins after the restart, and short enough for a test. */
const RUN_MS = 36_000;
const WINDOW_MS = 15_000;
/** Makes "the last hour" as long as the run. */
const TIME_SCALE = 3_600_000 / RUN_MS;

export type Measured = {
  readonly cells: readonly Cell[];
  /** Each worker that the fleet of two engines showed, by signal. */
  readonly mixed: Readonly<Record<string, readonly string[]>>;
  /** Queries of the dashboard that answer nothing, as "panel: expression". */
  readonly silentPanels: readonly string[];
};

/** Signals that every worker of a mixed fleet has to show. */
const MIXED_SIGNALS = ['kv_cache_utilization', 'queue_depth', 'requests_running', 'generation_tokens_rate'];

export async function measureEngines(options: {
  readonly prometheusBinary: string;
  readonly clock: Clock;
  readonly onProgress?: (line: string) => void;
}): Promise<Measured> {
  const { clock } = options;
  const engines = loadEngineFiles(builtInEnginesDirectory());
  const served = await serveDeployments(DEPLOYMENTS, { scrapeIntervalMs: SCRAPE_MS, now: clock.now });
  const prometheus = await launchPrometheus({
    binary: options.prometheusBinary,
    configYaml: served.prometheusYaml,
  });
  const client = createPrometheusClient({ baseUrl: prometheus.url, timeoutMs: 10_000, clock });
  try {
    options.onProgress?.(`scraping ${DEPLOYMENTS.length} deployments for ${RUN_MS / 1000} s`);
    const waitMs = served.startedAtMs + RUN_MS - clock.now();
    await new Promise<void>((resolve) => clock.after(waitMs, resolve));
    const source = createPrometheusSource({
      client,
      engines,
      clock,
      timeScale: TIME_SCALE,
      defaultWindowMs: WINDOW_MS,
      scrapeIntervalMs: SCRAPE_MS,
    });
    const atMs = clock.now();
    const cells: Cell[] = [];
    for (const { cluster, dialects, measured } of DEPLOYMENTS) {
      const scope = scopeIn(cluster);
      for (const { name } of SIGNALS) {
        const reading = await source.readSignal(name, scope, { atMs, windowMs: WINDOW_MS });
        for (const engine of measured) {
          const dialect = dialects.find((one) => one.engine === engine);
          if (dialect !== undefined) cells.push(cellOf(dialect, name, reading, engines));
        }
      }
    }
    const mixed: Record<string, string[]> = {};
    for (const signal of MIXED_SIGNALS) {
      const reading = await source.readSignal(signal, scopeIn(MIXED_CLUSTER), { atMs, windowMs: WINDOW_MS });
      mixed[signal] =
        reading.kind === 'value' ? reading.samples.map(({ worker }) => worker ?? '').sort() : [];
    }
    return { cells, mixed, silentPanels: await silentQueries(client, engines, atMs) };
  } finally {
    await client.close();
    await prometheus.close();
    await served.close();
  }
}

type Dashboard = {
  readonly panels: readonly { readonly title: string; readonly targets?: readonly { expr: string }[] }[];
};

/** Asks what every panel asks, over all clusters. */
async function silentQueries(
  client: PrometheusClient,
  engines: readonly EngineFile[],
  atMs: number,
): Promise<string[]> {
  const dashboard = JSON.parse(generateDashboard({ engines, thresholds: DEFAULT_THRESHOLDS })) as Dashboard;
  const silent: string[] = [];
  for (const { title, targets = [] } of dashboard.panels) {
    for (const { expr } of targets) {
      const chosen = expr
        .replaceAll(/\$(?:cluster|namespace|model)\b/g, '.*')
        .replaceAll('[5m]', '[20s]')
        .replaceAll('[1m]', '[20s]');
      const answer = await client.query(chosen, { atMs });
      const said =
        answer.kind === 'failed' ? answer.detail : answer.samples.length === 0 ? 'no series' : null;
      if (said !== null) silent.push(`${title}: ${said}: ${expr}`);
    }
  }
  return silent;
}

function scopeIn(cluster: string) {
  return labelsFrom([
    ['cluster', cluster],
    ['namespace', NAMESPACE],
    ['model', MODEL],
  ]);
}

function cellOf(
  dialect: Dialect,
  signal: string,
  reading: SignalReading,
  engines: readonly EngineFile[],
): Cell {
  const file = engines.find(({ engine }) => engine === dialect.engine);
  const status = file?.signals[signal]?.status ?? 'unavailable';
  const expectation =
    dialect.engine === 'kube-state-metrics'
      ? (KUBERNETES_EXPECTED[signal] ?? null)
      : expectationOf(signal, dialect);
  // Nothing is promised, so whatever another engine's file answers in its place is not this engine's cell.
  if (status === 'unavailable') {
    return { engine: dialect.engine, signal, status, expected: null, measured: 'unavailable', within: null };
  }
  const read = byKey(signal, reading);
  return {
    engine: dialect.engine,
    signal,
    status,
    expected: expectation === null ? null : describe(expectation),
    measured: measuredText(reading, read),
    within: expectation === null ? false : holds(expectation, read),
  };
}

type Read = ReadonlyMap<string, number>;

function holds(expectation: Expectation, read: Read): boolean {
  const keys = new Set([...Object.keys(expectation), ...read.keys()]);
  return [...keys].every((key) => {
    const range = expectation[key];
    const value = read.get(key);
    // A series that nobody expects may only say zero.
    if (range === undefined) return value === 0;
    return value !== undefined && value >= range.low && value <= range.high;
  });
}

/** Values by worker, by the label that splits the signal, or under `''` for the scope. Empty when there is none. */
function byKey(signal: string, reading: SignalReading): Read {
  const splitBy = findSignal(signal)?.splitBy;
  if (reading.kind !== 'value') return new Map();
  return new Map(
    reading.samples.map(({ worker, labels, value }) => [
      worker ?? (splitBy === undefined ? '' : (labels[splitBy] ?? '')),
      value,
    ]),
  );
}

function describe(expectation: Expectation): string {
  return Object.entries(expectation)
    .map(([key, { low, high }]) => {
      const range = high - low <= Math.abs(high) * 1e-5 ? short(low) : `${short(low)}..${short(high)}`;
      return key === '' ? range : `${key} ${range}`;
    })
    .join(', ');
}

function measuredText(reading: SignalReading, read: Read): string {
  if (reading.kind === 'value')
    return [...read].map(([key, value]) => (key === '' ? short(value) : `${key} ${short(value)}`)).join(', ');
  return `${reading.kind === 'stale' ? 'stale' : reading.reason}: ${reading.detail}`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(5)));
}
