/** Steps an alert's expression over the past, in pieces that a server can answer, and says when it would have fired. */

import type { Labels } from '../domain/labels.js';
import { canonicalLabels } from '../domain/labels.js';
import { type Firing, firings } from './firings.js';

/** A range query; the Prometheus client's `queryRange` fits. */
export type AskRange = (
  expression: string,
  range: { readonly startMs: number; readonly endMs: number; readonly stepMs: number },
) => Promise<
  | {
      readonly kind: 'matrix';
      readonly series: readonly {
        readonly labels: Labels;
        readonly points: readonly (readonly [number, number])[];
      }[];
    }
  | { readonly kind: 'failed'; readonly reason: string; readonly detail: string }
>;

/** A stretch that could not be evaluated: no firing was seen in it, and none is denied. */
export type Blind = {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly reason: string;
  readonly detail: string;
};

export type SteppedAlertResult = {
  readonly firings: readonly (Firing & { readonly labels: Labels })[];
  readonly blind: readonly Blind[];
};

export type StepAlertOptions = {
  readonly expression: string;
  readonly forMs: number;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly stepMs: number;
  readonly ask: AskRange;
  /** Called after each piece with the moment that was reached. */
  readonly onProgress?: (reachedMs: number) => void;
  readonly signal?: AbortSignal;
};

/** Evaluations asked for at once: half a day of minutes. Prometheus refuses more than 11,000 points a series. */
const STEPS_AT_ONCE = 720;
/** A smaller piece that still fails is blind. */
const FEWEST_STEPS = 45;

/** Moments are multiples of the step, as a rule group's are, so that two runs ask the same. Never rejects for what the server does. */
export async function stepAlert(options: StepAlertOptions): Promise<SteppedAlertResult> {
  const { expression, forMs, stepMs, ask } = options;
  const series = new Map<
    string,
    { readonly labels: Labels; readonly points: (readonly [number, number])[] }
  >();
  const blind: Blind[] = [];
  const lastMs = Math.floor(options.untilMs / stepMs) * stepMs;
  let steps = STEPS_AT_ONCE;
  let atMs = Math.ceil(options.fromMs / stepMs) * stepMs;
  while (atMs <= lastMs && options.signal?.aborted !== true) {
    const endMs = Math.min(lastMs, atMs + (steps - 1) * stepMs);
    const answer = await ask(expression, { startMs: atMs, endMs, stepMs });
    if (answer.kind === 'failed') {
      const wasLess =
        steps > FEWEST_STEPS &&
        (answer.reason === 'timeout' || answer.reason === 'too_large' || answer.reason === 'query_refused');
      if (wasLess) {
        steps = Math.max(FEWEST_STEPS, Math.floor(steps / 4));
        continue;
      }
      blind.push({ fromMs: atMs, untilMs: endMs, reason: answer.reason, detail: answer.detail });
      // Nobody is there: the rest would fail alike, and take its time.
      if (answer.reason === 'unreachable' || answer.reason === 'circuit_open') {
        blind.push({ fromMs: endMs, untilMs: lastMs, reason: answer.reason, detail: answer.detail });
        break;
      }
    } else {
      for (const { labels, points } of answer.series) {
        const key = canonicalLabels(labels);
        const known = series.get(key) ?? { labels, points: [] };
        known.points.push(...points);
        series.set(key, known);
      }
    }
    atMs = endMs + stepMs;
    options.onProgress?.(Math.min(endMs, lastMs));
  }
  return {
    firings: [...series.values()]
      .flatMap(({ labels, points }) => firings(points, forMs, stepMs).map((one) => ({ ...one, labels })))
      .sort((a, b) => a.firedAtMs - b.firedAtMs),
    blind,
  };
}
