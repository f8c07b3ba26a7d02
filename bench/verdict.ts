/**
 * npm run bench:verdict [-- --rounds N]: the processor's time that a diagnosis costs beyond its reads. The source answers
 * at once from memory; what the same reads cost alone is measured beside and taken off. One JSON line last.
 */

import { parseArgs } from 'node:util';
import { systemClock } from '../src/app.js';
import { findSignal, SIGNALS } from '../src/catalog/signals.js';
import { DEFAULT_THRESHOLDS } from '../src/catalog/thresholds.js';
import { loadEntries } from '../src/cli/load-playbook.js';
import { diagnose } from '../src/diagnosis/diagnose.js';
import { TREND } from '../src/diagnosis/trend.js';
import { labelsFrom } from '../src/domain/labels.js';
import type { MetricsSource } from '../src/domain/metrics-source.js';
import type { RangeReading, Sample, SignalReading } from '../src/domain/signal.js';
import { createRandom } from '../src/simulator/random.js';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '40' } } });
const ROUNDS = Number(values.rounds);
/** Compilation and caches settle within these. */
const WARM_UP = 15;
const AT_MS = Date.UTC(2026, 8, 1, 3, 12);
const SCOPE = labelsFrom([
  ['cluster', 'prod-us'],
  ['namespace', 'serving'],
  ['model', 'llama-70b'],
]);
const ASKED = { engine: 'llm', query: 'in memory' } as const;
const BOUND_MS: Readonly<Record<number, number>> = { 64: 5, 1000: 60 };

/** Readings of a fleet in trouble, made once, so that an answer costs nothing. */
function memorySource(workers: number): MetricsSource {
  const random = createRandom(7, `bench ${workers}`);
  const instants = new Map<string, SignalReading>();
  const ranges = new Map<string, RangeReading>();
  for (const { name, level, splitBy, unit } of SIGNALS) {
    const scale = unit === 'ratio' ? 0.97 : unit === 'tokens_per_second' ? 900 : 60;
    const samples: Sample[] =
      level === 'worker'
        ? Array.from({ length: workers }, (_, index) => ({
            worker: `decode-${String(index).padStart(4, '0')}`,
            labels: labelsFrom([['pod', `decode-${String(index).padStart(4, '0')}`]]),
            value: scale * (0.8 + 0.2 * random.next()),
          }))
        : (splitBy === undefined ? [null] : ['a', 'b', 'c']).map((part) => ({
            worker: null,
            labels: part === null || splitBy === undefined ? {} : labelsFrom([[splitBy, part]]),
            value: scale * random.next(),
          }));
    instants.set(name, { ...ASKED, kind: 'value', samples });
    ranges.set(name, {
      ...ASKED,
      kind: 'series',
      series: samples.map((sample) => ({
        worker: sample.worker,
        labels: sample.labels,
        points: Array.from({ length: TREND.maxPoints }, (_, index) => [
          AT_MS - TREND.spanMs + (index * TREND.spanMs) / (TREND.maxPoints - 1),
          sample.value * (0.5 + (0.5 * index) / TREND.maxPoints),
        ]),
      })),
    });
  }
  const nothing = { ...ASKED, kind: 'empty', reason: 'no_series', detail: 'not in memory' } as const;
  return {
    kind: 'recorded',
    // A new list each time, as a real source gives: nothing may be remembered from one diagnosis to the next.
    readSignal: async (signal) => fresh(instants.get(signal)) ?? nothing,
    readRange: async (signal) => fresh(ranges.get(signal)) ?? nothing,
    query: async () => nothing,
  };
}

function fresh<T extends SignalReading | RangeReading>(reading: T | undefined): T | undefined {
  if (reading === undefined) return undefined;
  if ('samples' in reading) return { ...reading, samples: [...reading.samples] };
  return 'series' in reading ? { ...reading, series: [...reading.series] } : reading;
}

async function cpuMs(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** The same questions, asked of the source alone. */
async function recordReads(source: MetricsSource, run: (asked: MetricsSource) => Promise<unknown>) {
  const reads: (() => Promise<unknown>)[] = [];
  await run({
    ...source,
    readSignal(...asked) {
      reads.push(() => source.readSignal(...asked));
      return source.readSignal(...asked);
    },
    readRange(...asked) {
      reads.push(() => source.readRange(...asked));
      return source.readRange(...asked);
    },
  });
  return () => Promise.all(reads.map((read) => read()));
}

async function measure(workers: number): Promise<{ readonly medianMs: number; readonly reads: number }> {
  const source = memorySource(workers);
  const entries = loadEntries([], {}).found;
  const run = (asked: MetricsSource) =>
    diagnose({
      entries,
      labels: {},
      alertName: 'LLMHighTTFT',
      alertExpression: null,
      scope: SCOPE,
      source: asked,
      thresholds: DEFAULT_THRESHOLDS,
      atMs: AT_MS,
      clock: systemClock,
    });
  const { verdict } = await run(source);
  const reads = await recordReads(source, run);
  console.error(`${workers} workers: ${verdict.cause ?? 'unclear'} (${verdict.confidence})`);
  const costs: number[] = [];
  for (let round = -WARM_UP; round < ROUNDS; round += 1) {
    const whole = await cpuMs(() => run(source));
    const alone = await cpuMs(reads);
    if (round >= 0) costs.push(whole - alone);
  }
  costs.sort((a, b) => a - b);
  return { medianMs: costs[costs.length >> 1] ?? Number.NaN, reads: (await reads()).length };
}

if (findSignal('kv_cache_utilization') === undefined) throw new Error('the catalog has no signals');
const result: Record<string, number> = {};
let isOver = false;
for (const workers of [64, 1000]) {
  const { medianMs, reads } = await measure(workers);
  const bound = BOUND_MS[workers] ?? 0;
  console.log(`${workers} workers: ${medianMs.toFixed(2)} ms beyond ${reads} reads, bound ${bound} ms`);
  result[`verdict_cpu_ms_${workers}`] = Number(medianMs.toFixed(3));
  isOver ||= medianMs > bound;
}
console.log(JSON.stringify(result));
process.exit(isOver ? 1 : 0);
