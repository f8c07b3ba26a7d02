/**
 * The recordings in test/recordings/*.yaml: incidents that others reported in public, written by hand from what they
 * said. They are never tuned on. Their form is small on purpose; this turns it into a recording that replays.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
import { findSignal, SIGNALS } from '../../src/catalog/signals.js';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { RECORDING_FORMAT_VERSION, type Recording } from '../../src/diagnosis/recording.js';
import { replay } from '../../src/diagnosis/replay.js';
import { aggregateSeries, TREND } from '../../src/diagnosis/trend.js';
import { builtInPlaybooksDirectory, loadPlaybooks } from '../../src/playbook/load.js';

const Numbers = z.union([z.number(), z.array(z.number()).min(1)]);
/** A number for the scope, a list by worker; `before` is half an hour earlier, and the way between is straight. */
const Value = z.union([
  Numbers,
  z.strictObject({ now: Numbers, before: Numbers }),
  z.strictObject({ by_label: z.record(z.string(), z.number()) }),
]);

export const HandMade = z.strictObject({
  source: z.url(),
  /** Whether the thread itself was read; else a summary of it by others. */
  read: z.boolean(),
  reported: z.string(),
  filled_in: z.string(),
  engine: z.string(),
  alert: z.string(),
  /** Cause ids that would be right. */
  expected: z.array(z.string()).min(1),
  /** Signals of `QUIET` that nobody could see there. */
  unseen: z.array(z.string()).default([]),
  signals: z.record(z.string(), Value),
});
export type HandMade = z.infer<typeof HandMade> & { readonly name: string };

/** What a running fleet shows whether or not a report mentions it. */
const QUIET: Readonly<Record<string, number>> = {
  worker_up: 1,
  worker_restarts: 0,
  preemption_rate: 0,
  batch_size_max: 256,
  gpu_memory_ratio: 0.9,
  error_ratio: 0.0001,
  prompt_tokens_p50: 600,
  prompt_tokens_p99: 4000,
  long_prompt_share: 0,
};

const AT_MS = Date.UTC(2026, 0, 31, 3, 12);
const SCOPE = { cluster: 'reported', namespace: 'serving', model: 'reported' };

export function handMadeDirectory(): string {
  return fileURLToPath(new URL('../../test/recordings', import.meta.url));
}

/** All of them by name. Throws for one that is not of this form. */
export function readHandMade(directory = handMadeDirectory()): HandMade[] {
  return readdirSync(directory)
    .filter((file) => file.endsWith('.yaml'))
    .sort()
    .map((file) => {
      const parsed = HandMade.safeParse(parse(readFileSync(join(directory, file), 'utf8')));
      if (!parsed.success) throw new Error(`${file}: ${z.prettifyError(parsed.error)}`);
      for (const name of [...Object.keys(parsed.data.signals), ...parsed.data.unseen]) {
        if (findSignal(name) === undefined) throw new Error(`${file}: there is no signal ${name}`);
      }
      return { ...parsed.data, name: basename(file, '.yaml') };
    });
}

type Series = { worker: string | null; labels: Record<string, string>; points: [number, number][] };

export function toRecording(made: HandMade): Recording {
  const lists = Object.values(made.signals).map((value) => listOf(nowOf(value)).length);
  const workers = Math.max(1, ...lists);
  const signals = SIGNALS.map(({ name }) => {
    const quiet = made.unseen.includes(name) ? undefined : QUIET[name];
    const value = made.signals[name] ?? quietValue(name, quiet, workers);
    const asked = { engine: made.engine, query: null };
    if (value === undefined) {
      const detail = `the report does not say, and no ${made.engine} is there to ask`;
      const nothing = { ...asked, kind: 'empty' as const, reason: 'no_series' as const, detail };
      return [name, { instant: nothing, range: nothing }] as const;
    }
    const series = seriesOf(name, value);
    const perWorker = series.some(({ worker }) => worker !== null);
    const whole = {
      worker: null,
      labels: {},
      points: aggregateSeries(series).map(([at, v]) => [at, v] as [number, number]),
    };
    return [
      name,
      {
        instant: {
          ...asked,
          kind: 'value' as const,
          samples: series.map(({ worker, labels, points }) => ({
            worker,
            labels,
            value: points.at(-1)?.[1] ?? Number.NaN,
          })),
        },
        range: { ...asked, kind: 'series' as const, series: perWorker ? [whole, ...series] : series },
      },
    ] as const;
  });
  return {
    formatVersion: RECORDING_FORMAT_VERSION,
    atMs: AT_MS,
    timeScale: 1,
    scope: SCOPE,
    recordedFrom: made.source,
    spanMs: TREND.spanMs,
    signals: Object.fromEntries(signals) as Recording['signals'],
    queries: {},
    further: [],
    diagnosed: null,
  };
}

function quietValue(name: string, quiet: number | undefined, workers: number): number | number[] | undefined {
  if (quiet === undefined) return undefined;
  return findSignal(name)?.level === 'worker' ? Array<number>(workers).fill(quiet) : quiet;
}

function seriesOf(name: string, value: z.infer<typeof Value>): Series[] {
  if (typeof value === 'object' && 'by_label' in value) {
    const label = findSignal(name)?.splitBy ?? 'type';
    return Object.entries(value.by_label).map(([text, one]) => ({
      worker: null,
      labels: { [label]: text },
      points: line(one, one),
    }));
  }
  const now = nowOf(value);
  const before = typeof value === 'object' && 'before' in value ? value.before : now;
  if (typeof now === 'number')
    return [{ worker: null, labels: {}, points: line(listOf(before)[0] ?? now, now) }];
  return now.map((one, index) => ({
    worker: `worker-${index}`,
    labels: { worker_id: `worker-${index}` },
    points: line(listOf(before)[index] ?? one, one),
  }));
}

function nowOf(value: z.infer<typeof Value>): number | number[] {
  return typeof value === 'object' && 'now' in value
    ? value.now
    : typeof value === 'object' && 'by_label' in value
      ? 0
      : value;
}

function listOf(value: number | number[]): number[] {
  return Array.isArray(value) ? value : [value];
}

function line(from: number, to: number): [number, number][] {
  const last = TREND.maxPoints - 1;
  return Array.from({ length: TREND.maxPoints }, (_, index) => [
    AT_MS - TREND.spanMs + (index * TREND.spanMs) / last,
    from + ((to - from) * index) / last,
  ]);
}

export type HandMadeResult = {
  readonly made: HandMade;
  readonly cause: string | null;
  readonly confidence: string;
  readonly hit: boolean;
};

/** The verdict of each by the playbooks that ship. */
export async function scoreHandMade(all: readonly HandMade[] = readHandMade()): Promise<HandMadeResult[]> {
  const { entries } = loadPlaybooks({
    directories: [builtInPlaybooksDirectory()],
    signals: new Set(SIGNALS.map(({ name }) => name)),
    thresholds: DEFAULT_THRESHOLDS,
  });
  const results: HandMadeResult[] = [];
  for (const made of all) {
    const alert = { name: made.alert, labels: { ...SCOPE, alertname: made.alert }, expression: null };
    const { verdict } = await replay(toRecording(made), { entries, thresholds: DEFAULT_THRESHOLDS, alert });
    const { cause, confidence } = verdict;
    results.push({ made, cause, confidence, hit: cause !== null && made.expected.includes(cause) });
  }
  return results;
}

/** Share of recordings whose first cause is one of the expected, 0 to 1. */
export function handMadeTop1(results: readonly HandMadeResult[]): number {
  return results.filter(({ hit }) => hit).length / results.length;
}
