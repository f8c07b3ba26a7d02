/** A metrics source that answers from a recording: an incident can be diagnosed again after its source forgot. */

import { MINUTE } from '../domain/clock.js';
import { canonicalLabels } from '../domain/labels.js';
import type { MetricsSource, ReadOptions } from '../domain/metrics-source.js';
import type { Scope } from '../domain/scope.js';
import type { RangeReading, SampleSeries, SignalReading } from '../domain/signal.js';
import type { Further, Instant, Range, Recording } from './recording.js';
import { logsName } from './witness.js';

/** Questions about a moment this near to the recorded one are answered with it. */
const TOLERANCE_MS = 2 * MINUTE;

type Empty = Extract<SignalReading, { kind: 'empty' }>;

/** What was not answered in time then is never answered: the clock of the replay ends the waiting. */
export function createRecordedSource(recording: Recording): MetricsSource {
  const scope = canonicalLabels(recording.scope);
  const further = new Map(recording.further.map((one) => [keyOf(one), one.answer]));

  /** Why the recording cannot answer, or null when it can. */
  function refusal(asked: Scope, atMs: number): Empty | null {
    if (canonicalLabels(asked) !== scope) return nothing('no_series', 'the recording is of another scope');
    if (Math.abs(atMs - recording.atMs) > TOLERANCE_MS) {
      return nothing('no_series', `the recording holds only ${new Date(recording.atMs).toISOString()}`);
    }
    return null;
  }

  /** The answer to a question that was asked in these very words. */
  function exactly(kind: Further['kind'], name: string, options: ReadOptions, spanMs: number | null) {
    const { atMs, windowMs } = options;
    return further.get(
      keyOf({ kind, name, agoMs: recording.atMs - atMs, windowMs: windowMs ?? null, spanMs }),
    );
  }

  return {
    kind: 'recorded',
    async readSignal(signal, asked, options) {
      const told = canonicalLabels(asked) === scope ? exactly('signal', signal, options, null) : undefined;
      if (told !== undefined) return answered(told as Instant);
      const refused = refusal(asked, options.atMs);
      return refused ?? answered(own(recording.signals, signal)?.instant ?? notRecorded(signal));
    },
    async readRange(signal, asked, options): Promise<RangeReading> {
      const { spanMs, maxPoints } = options;
      const told = canonicalLabels(asked) === scope ? exactly('range', signal, options, spanMs) : undefined;
      if (told !== undefined) return answered(told as Range);
      const refused = refusal(asked, options.atMs);
      if (refused !== null) return refused;
      const range = await answered<Range | Empty>(
        own(recording.signals, signal)?.range ?? notRecorded(signal),
      );
      // All of it, however its first point is aligned.
      if (range.kind !== 'series' || spanMs >= recording.spanMs) return range;
      const fromMs = recording.atMs - spanMs;
      return { ...range, series: range.series.map((one) => thinned(one, fromMs, maxPoints)) };
    },
    ...(recording.further.some(({ kind, name }) => kind === 'query' && name.startsWith('logs '))
      ? {
          async readLogs(patterns, asked, options) {
            const told = exactly('query', logsName(patterns), options, null);
            if (told !== undefined && canonicalLabels(asked) === scope) return answered(told as Instant);
            return nothing('no_series', 'these patterns were not searched for then');
          },
        }
      : {}),
    async query(expression, options) {
      const told = exactly('query', expression, options, null);
      if (told !== undefined) return answered(told as Instant);
      if (Math.abs(options.atMs - recording.atMs) > TOLERANCE_MS)
        return nothing('no_series', 'the recording holds only one moment');
      return answered(
        own(recording.queries, expression) ?? nothing('no_series', 'this expression was not recorded'),
      );
    },
  };
}

type Key = Pick<Further, 'kind' | 'name' | 'agoMs' | 'windowMs'> & { readonly spanMs?: number | null };

function keyOf({ kind, name, agoMs, windowMs, spanMs }: Key): string {
  return JSON.stringify([kind, name, agoMs, windowMs, spanMs ?? null]);
}

/** The reading as the port has it; a promise without end for what was late. */
function answered<T extends { readonly kind: string }>(reading: T): Promise<Exclude<T, { kind: 'late' }>> {
  if (reading.kind === 'late') return new Promise(() => {});
  return Promise.resolve(reading as Exclude<T, { kind: 'late' }>);
}

function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

function notRecorded(signal: string): Empty {
  return nothing('no_series', `${signal} was not recorded`);
}

function nothing(reason: Empty['reason'], detail: string): Empty {
  return { kind: 'empty', reason, detail, engine: null, query: null };
}

/** The points since `fromMs`; evenly fewer where more are there than asked for. */
function thinned(series: SampleSeries, fromMs: number, maxPoints: number): SampleSeries {
  const points = series.points.filter(([at]) => at >= fromMs);
  if (points.length <= maxPoints || maxPoints < 2) return { ...series, points };
  const step = (points.length - 1) / (maxPoints - 1);
  return {
    ...series,
    points: Array.from(
      { length: maxPoints },
      (_, index) => points[Math.round(index * step)] ?? ([0, Number.NaN] as const),
    ),
  };
}
