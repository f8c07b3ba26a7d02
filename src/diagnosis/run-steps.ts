/** Runs the steps of an entry. Whatever the outside does, every step gives a finding, in the entry's order and in time. */

import { findSignal } from '../catalog/signals.js';
import type { Clock } from '../domain/clock.js';
import type { MetricsSource } from '../domain/metrics-source.js';
import type { Scope } from '../domain/scope.js';
import type { RangeReading, SignalReading } from '../domain/signal.js';
import type { Finding } from '../domain/verdict.js';
import { fillQuery } from '../playbook/lint-query.js';
import type { PlaybookEntry, PlaybookStep, SignalRef } from '../playbook/schema.js';
import { startDeadline } from './deadline.js';
import { evaluateStep } from './evaluate-step.js';
import type { StepReadings } from './judge-step.js';
import { blind } from './numberless-finding.js';
import { createSignalReader, type SignalReader, type Timed } from './read-signals.js';
import { ratioOf, type Seen, seenOf, type Unseen, unitOf, unseen } from './seen.js';
import { aggregateSeries, ratioSeries } from './trend.js';
import { trendsNeeded } from './trends-needed.js';
import { createWorkersExpected, type WorkersExpected } from './workers-expected.js';

export type RunStepsOptions = {
  readonly entry: PlaybookEntry;
  readonly scope: Scope;
  readonly source: MetricsSource;
  /** By catalog name. */
  readonly thresholds: Readonly<Record<string, number>>;
  readonly atMs: number;
  readonly timeScale: number;
  /** For all steps together. */
  readonly deadlineMs: number;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
};

/** How long a sparkline may hold up a diagnosis whose values are all there. */
const SPARKLINE_PATIENCE = 0.25;

/** Never throws or rejects, and ends by the deadline: what has no answer by then is `unknown`, with that reason. */
export async function runSteps(options: RunStepsOptions): Promise<Finding[]> {
  const { entry, clock, deadlineMs } = options;
  const deadline = startDeadline(clock, deadlineMs, options.signal);
  try {
    const reader = createSignalReader(options, deadline);
    // All values are asked for before the first trend: the source answers in order.
    const values = entry.steps.map((step) => readStep(step, reader, options.scope));
    const needed = trendsNeeded(entry);
    const patience = startDeadline(clock, deadlineMs, deadline.signal);
    const ranges = entry.steps.map((step) =>
      readTrend(step, reader, needed.has(step.id) ? deadline : patience, needed.has(step.id)),
    );
    const seen = await Promise.all(values);
    const cancelPatience = clock.after(deadlineMs * SPARKLINE_PATIENCE, patience.end);
    const trends = await Promise.all(ranges);
    cancelPatience();
    patience.end();
    const expected = createWorkersExpected(seen.map(({ main }) => main));
    return entry.steps.map((step, index) =>
      finding(step, seen[index], trends[index] ?? null, expected, options),
    );
  } finally {
    deadline.end();
  }
}

type StepValues = Pick<StepReadings, 'main' | 'extras' | 'tookMs'>;

async function readStep(step: PlaybookStep, reader: SignalReader, scope: Scope): Promise<StepValues> {
  const extras = Promise.all(
    step.with.map(async (extra) => [extra.name, (await readRef(extra, reader, extra.agoMs)).seen] as const),
  );
  const main = await readMain(step, reader, scope);
  return { main: main.seen, tookMs: Math.round(main.tookMs), extras: new Map(await extras) };
}

type TimedSeen = { readonly seen: Seen | Unseen; readonly tookMs: number };

async function readMain(step: PlaybookStep, reader: SignalReader, scope: Scope): Promise<TimedSeen> {
  const { read } = step;
  const nobody = { engine: null, query: null };
  switch (read.kind) {
    case 'by_hand':
      return { seen: unseen('by_hand', read.look, nobody), tookMs: 0 };
    case 'logs': {
      if (reader.logs === undefined) {
        const detail = `Logs are not searched: set loki.url in wakewell.yaml. ${read.look}`;
        return { seen: unseen('by_hand', detail, nobody), tookMs: 0 };
      }
      const lines = await reader.logs(read.patterns, read.windowMs);
      return toSeen(lines, { unit: 'count', splitBy: 'pattern', query: null });
    }
    case 'signal':
      return readRef(read, reader);
    case 'query': {
      const filled = fillQuery(read.query, scope);
      if ('missing' in filled) {
        const detail = `the alert has no label "${filled.missing}", and the query is not asked without it`;
        return { seen: unseen('label_missing', detail, { engine: null, query: read.query }), tookMs: 0 };
      }
      return toSeen(await reader.query(filled.query), {
        unit: read.unit ?? 'count',
        splitBy: null,
        query: filled.query,
      });
    }
  }
}

async function readRef(ref: SignalRef, reader: SignalReader, agoMs = 0): Promise<TimedSeen> {
  const about = (signal: string) => ({
    unit: unitOf(signal),
    splitBy: findSignal(signal)?.splitBy ?? null,
    query: null,
  });
  const top = reader.signal(ref.signal, agoMs);
  if (ref.per === null) return toSeen(await top, about(ref.signal));
  const bottom = reader.signal(ref.per, agoMs);
  const parts = [toSeen(await top, about(ref.signal)), toSeen(await bottom, about(ref.per))] as const;
  return { seen: ratioOf(parts[0].seen, parts[1].seen), tookMs: Math.max(parts[0].tookMs, parts[1].tookMs) };
}

function toSeen(
  timed: Timed<SignalReading | null>,
  about: { readonly unit: string; readonly splitBy: string | null; readonly query: string | null },
): TimedSeen {
  const { reading, tookMs } = timed;
  if (reading === null)
    return { seen: unseen('not_in_time', null, { engine: null, query: about.query }), tookMs };
  try {
    return { seen: seenOf(reading, about), tookMs };
  } catch (error) {
    return {
      seen: unseen('bad_response', `the answer cannot be read: ${messageOf(error)}`, {
        engine: null,
        query: about.query,
      }),
      tookMs,
    };
  }
}

async function readTrend(
  step: PlaybookStep,
  reader: SignalReader,
  until: ReturnType<typeof startDeadline>,
  needed: boolean,
): Promise<RangeReading | null> {
  if (step.read.kind !== 'signal') return null;
  const { signal, per } = step.read;
  if (per === null) return (await reader.range(signal, until)).reading;
  // A ratio is only looked back at where that decides something: it costs two reads.
  if (!needed) return null;
  const [top, bottom] = (await Promise.all([reader.range(signal, until), reader.range(per, until)])).map(
    ({ reading }) => reading,
  );
  if (top?.kind !== 'series' || bottom?.kind !== 'series')
    return top?.kind !== 'series' ? (top ?? null) : (bottom ?? null);
  const points = ratioSeries(aggregateSeries(top.series), aggregateSeries(bottom.series));
  return { ...top, series: [{ worker: null, labels: {}, points }] };
}

function finding(
  step: PlaybookStep,
  values: StepValues | undefined,
  range: RangeReading | null,
  workersExpected: WorkersExpected,
  options: RunStepsOptions,
): Finding {
  const own = values ?? {
    main: unseen('check_failed', null, { engine: null, query: null }),
    extras: new Map(),
    tookMs: 0,
  };
  try {
    return evaluateStep(step, { ...own, range, expectedWorkers: workersExpected(own.main) }, options);
  } catch (error) {
    // A bug of ours costs one check, never the diagnosis; and it is said.
    return blind(step, own, 'check_failed', `the check itself failed: ${messageOf(error)}`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
