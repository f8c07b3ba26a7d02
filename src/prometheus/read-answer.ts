/** From what Prometheus answered to what was asked for: workers named, units scaled, gaps and NaN said. */

import type { RangeReading, SampleSeries, SignalReading } from '../domain/signal.js';
import type { MatrixAnswer, VectorAnswer } from './answer.js';
import type { Candidate } from './choose-engines.js';
import { workerName } from './worker-name.js';

/** Nothing there, and nobody knows why yet. */
export type Silent = { readonly kind: 'silent'; readonly warnings: readonly string[] };

type Asked = { readonly engine: string; readonly query: string };

/**
 * A reading; silent when there are no samples and somebody has to find out why. A worker whose value is NaN stays
 * in the list: it is known, its value is not.
 */
export function readingFrom(
  answer: Extract<VectorAnswer, { kind: 'vector' }>,
  { engine, source }: Candidate,
  asked: Asked,
): SignalReading | Silent {
  const { samples, warnings } = answer;
  const said = warnings.length === 0 ? asked : { ...asked, warnings };
  if (samples.length === 0) return { kind: 'silent', warnings };
  if (samples.every((sample) => sample.native === true)) {
    const detail = `${source.metrics[0]} answers native histograms, which the engine file does not ask for`;
    return { kind: 'empty', reason: 'not_a_number', detail, ...said };
  }
  if (samples.every((sample) => Number.isNaN(sample.value))) {
    // 0/0 in a histogram that did not move is no traffic; the look-ups tell it from a metric that is gone.
    if (source.needs_traffic) return { kind: 'silent', warnings };
    return { kind: 'empty', reason: 'not_a_number', detail: `${source.metrics[0]} is NaN`, ...said };
  }
  return {
    kind: 'value',
    samples: samples.map(({ labels, value }) => ({
      labels,
      value: value * source.scale,
      worker: workerName(engine, labels),
    })),
    ...said,
  };
}

export type Span = { readonly startMs: number; readonly endMs: number; readonly stepMs: number };

/** Series over every step of the span; silent when there are none. */
export function rangeFrom(
  answer: Extract<MatrixAnswer, { kind: 'matrix' }>,
  { engine, source }: Candidate,
  span: Span,
  asked: Asked,
): RangeReading | Silent {
  const series = answer.series
    .map(
      (one): SampleSeries => ({
        labels: one.labels,
        worker: workerName(engine, one.labels),
        points: fillGaps(one.points, span).map(([at, value]) => [at, value * source.scale] as const),
      }),
    )
    .filter((one) => one.points.some(([, value]) => !Number.isNaN(value)));
  if (series.length === 0) return { kind: 'silent', warnings: answer.warnings };
  return {
    kind: 'series',
    series,
    ...asked,
    ...(answer.warnings.length === 0 ? {} : { warnings: answer.warnings }),
  };
}

/** One point a step; NaN where Prometheus left one out, so that a gap is seen and not drawn over. */
export function fillGaps(
  points: readonly (readonly [number, number])[],
  { startMs, endMs, stepMs }: Span,
): (readonly [number, number])[] {
  const byStep = new Map(points.map(([at, value]) => [Math.round((at - startMs) / stepMs), value]));
  const steps = Math.floor((endMs - startMs) / stepMs);
  return Array.from({ length: steps + 1 }, (_, step) => [
    startMs + step * stepMs,
    byStep.get(step) ?? Number.NaN,
  ]);
}
