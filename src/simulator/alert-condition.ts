/** Evaluates a catalog alert's condition over a metrics source, as its PromQL rule would. */

import type { AlertCondition, SideCondition } from '../catalog/alerts.js';
import { type Thresholds, threshold } from '../catalog/thresholds.js';
import type { MetricsSource } from '../domain/metrics-source.js';
import type { Scope } from '../domain/scope.js';
import type { Sample } from '../domain/signal.js';

export type ConditionContext = {
  readonly source: MetricsSource;
  readonly scope: Scope;
  readonly thresholds: Thresholds;
  readonly atMs: number;
  readonly windowMs: number;
  readonly timeScale: number;
};

/** The value that meets the condition, or null: not met, or nothing to tell from. */
export async function conditionValue(
  condition: AlertCondition,
  context: ConditionContext,
): Promise<number | null> {
  const value = await metValue(condition, context);
  if (value === null) {
    return condition.orStalled === true && (await isStalled(context)) ? Number.POSITIVE_INFINITY : null;
  }
  const sides = condition.and?.anyOf ?? [];
  if (sides.length === 0) return value;
  for (const side of sides) if ((await metValue(side, context)) !== null) return value;
  return null;
}

async function metValue(condition: SideCondition, context: ConditionContext): Promise<number | null> {
  const values =
    condition.rise === undefined ? await read(condition, context) : await rises(condition, context);
  const value = aggregate(condition, values);
  if (value === null) return null;
  const limit = threshold(context.thresholds, condition.threshold);
  return (condition.over === '>' ? value > limit : value < limit) ? value : null;
}

async function read(
  { signal, where }: SideCondition,
  { source, scope, atMs, windowMs }: ConditionContext,
): Promise<readonly Sample[]> {
  const reading = await source.readSignal(signal, scope, { atMs, windowMs });
  if (reading.kind !== 'value') return [];
  if (where === undefined) return reading.samples;
  return reading.samples.filter(({ labels }) => labels[where.label] === where.value);
}

/** How much each worker (or the scope's total) has risen since `overMs` ago. */
async function rises(condition: SideCondition, context: ConditionContext): Promise<readonly Sample[]> {
  const { overMs, from } = condition.rise ?? { overMs: 0 };
  const now = await read(condition, context);
  const then = await read(condition, { ...context, atMs: context.atMs - overMs / context.timeScale });
  const least = from === undefined ? Number.NEGATIVE_INFINITY : threshold(context.thresholds, from);
  return now.flatMap((sample) => {
    const before = then.find(({ worker }) => worker === sample.worker);
    if (before === undefined || before.value <= least) return [];
    return [{ ...sample, value: sample.value - before.value }];
  });
}

function aggregate(condition: SideCondition, samples: readonly Sample[]): number | null {
  const values = samples.map(({ value }) => value).filter((value) => !Number.isNaN(value));
  if (values.length === 0) return null;
  if (condition.aggregate === 'sum') return values.reduce((total, value) => total + value, 0);
  if (condition.aggregate === 'scope') return values[0] ?? null;
  // `max` takes the worst worker, which is the lowest where low is bad.
  return condition.over === '>' ? Math.max(...values) : Math.min(...values);
}

/** Requests are held and not a token comes out. */
async function isStalled(context: ConditionContext): Promise<boolean> {
  const { source, scope, atMs, windowMs } = context;
  const held = await source.readSignal('requests_in_progress', scope, { atMs, windowMs });
  const tokens = await source.readSignal('generation_tokens_rate', scope, { atMs, windowMs });
  if (held.kind !== 'value' || tokens.kind !== 'value') return false;
  return held.samples.some(({ value }) => value > 0) && tokens.samples.every(({ value }) => value === 0);
}
