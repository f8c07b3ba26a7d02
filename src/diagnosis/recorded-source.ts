/** A metrics source that answers from a recording: an incident can be diagnosed again after its source forgot. */

import { MINUTE } from '../domain/clock.js';
import { canonicalLabels } from '../domain/labels.js';
import type { MetricsSource } from '../domain/metrics-source.js';
import type { RangeReading, SampleSeries, SignalReading } from '../domain/signal.js';
import type { Recording } from './recording.js';

/** Questions about a moment this near to the recorded one are answered with it. */
const TOLERANCE_MS = 2 * MINUTE;

type Empty = Extract<SignalReading, { kind: 'empty' }>;

export function createRecordedSource(recording: Recording): MetricsSource {
  const scope = canonicalLabels(recording.scope);

  /** Why the recording cannot answer, or null when it can. */
  function refusal(asked: Parameters<MetricsSource['readSignal']>[1], atMs: number): Empty | null {
    if (canonicalLabels(asked) !== scope) return nothing('no_series', 'the recording is of another scope');
    if (Math.abs(atMs - recording.atMs) > TOLERANCE_MS) {
      return nothing('no_series', `the recording holds only ${new Date(recording.atMs).toISOString()}`);
    }
    return null;
  }

  return {
    kind: 'recorded',
    async readSignal(signal, asked, { atMs }) {
      return refusal(asked, atMs) ?? own(recording.signals, signal)?.instant ?? notRecorded(signal);
    },
    async readRange(signal, asked, { atMs, spanMs, maxPoints }): Promise<RangeReading> {
      const refused = refusal(asked, atMs);
      if (refused !== null) return refused;
      const range = own(recording.signals, signal)?.range ?? notRecorded(signal);
      if (range.kind !== 'series') return range;
      const fromMs = recording.atMs - spanMs;
      return { ...range, series: range.series.map((one) => thinned(one, fromMs, maxPoints)) };
    },
    async query(expression, { atMs }) {
      if (Math.abs(atMs - recording.atMs) > TOLERANCE_MS)
        return nothing('no_series', 'the recording holds only one moment');
      return own(recording.queries, expression) ?? nothing('no_series', 'this expression was not recorded');
    },
  };
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
