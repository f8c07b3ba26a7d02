/** Several engines' answers about one scope, as one: workers stand side by side, figures of the scope are combined. */

import { findSignal } from '../catalog/signals.js';
import type { RangeReading, Sample, SampleSeries, SignalReading } from '../domain/signal.js';

/** Units whose values of two halves of a fleet add up. Of any other (a quantile, a share) the worst half speaks. */
const ADDS_UP: ReadonlySet<string> = new Set([
  'requests',
  'tokens_per_second',
  'per_second',
  'bytes',
  'count',
  'blocks',
]);

/** Answers of kind `value`, in order of preference; `warnings` say who did not answer. */
export function mergeReadings(
  signal: string,
  answers: readonly SignalReading[],
  warnings: readonly string[],
): SignalReading {
  const values = answers.flatMap((one) => (one.kind === 'value' ? [one] : []));
  const { said, combine } = how(signal, values, warnings);
  const samples = new Map<string, Sample>();
  for (const sample of values.flatMap((one) => one.samples)) {
    const key = keyOf(signal, sample);
    const known = samples.get(key);
    // A worker that two engine files show is one worker.
    if (known === undefined) samples.set(key, sample);
    else if (sample.worker === null)
      samples.set(key, { ...known, value: combine(known.value, sample.value) });
  }
  return { kind: 'value', samples: [...samples.values()], ...said };
}

/** The same for answers of kind `series`, point by point: all were asked at the same steps. */
export function mergeRanges(
  signal: string,
  answers: readonly RangeReading[],
  warnings: readonly string[],
): RangeReading {
  const ranges = answers.flatMap((one) => (one.kind === 'series' ? [one] : []));
  const { said, combine } = how(signal, ranges, warnings);
  const series = new Map<string, SampleSeries>();
  for (const one of ranges.flatMap((range) => range.series)) {
    const key = keyOf(signal, one);
    const known = series.get(key);
    if (known === undefined) series.set(key, one);
    else if (one.worker === null) series.set(key, { ...known, points: combinePoints(known, one, combine) });
  }
  return { kind: 'series', series: [...series.values()], ...said };
}

type Combine = (a: number, b: number) => number;
type Asked = {
  readonly engine: string | null;
  readonly query: string | null;
  readonly warnings?: readonly string[];
};

function how(signal: string, answers: readonly Asked[], mute: readonly string[]) {
  const definition = findSignal(signal);
  const adds = definition !== undefined && ADDS_UP.has(definition.unit);
  const names = answers.map(({ engine }) => engine).join(' and ');
  const worst =
    answers.length > 1 && definition?.level === 'scope' && !adds
      ? [`the worse of ${names}: their figures do not add up`]
      : [];
  const warnings = [...answers.flatMap((one) => one.warnings ?? []), ...worst, ...mute];
  const said = {
    engine: answers.map(({ engine }) => engine).join('+'),
    query: answers.flatMap(({ query }) => (query === null ? [] : [query])).join(' and '),
    ...(warnings.length === 0 ? {} : { warnings }),
  };
  const combine: Combine = (a, b) => {
    if (Number.isNaN(a)) return b;
    if (Number.isNaN(b)) return a;
    return adds ? a + b : Math.max(a, b);
  };
  return { said, combine };
}

function keyOf(signal: string, { worker, labels }: Pick<Sample, 'worker' | 'labels'>): string {
  const splitBy = findSignal(signal)?.splitBy;
  return worker === null
    ? `scope ${splitBy === undefined ? '' : (labels[splitBy] ?? '')}`
    : `worker ${worker}`;
}

function combinePoints(a: SampleSeries, b: SampleSeries, combine: Combine): SampleSeries['points'] {
  return a.points.map(([at, value], step) => [at, combine(value, b.points[step]?.[1] ?? Number.NaN)]);
}
