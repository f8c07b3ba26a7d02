/** Evaluates a catalog alert's condition over a metrics source, as its PromQL rule would. */

import type { AlertCondition, Past, SideCondition } from '../catalog/alert-definition.js';
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

type Read = Pick<SideCondition, 'signal' | 'where'>;

/** Points of a mean over a past span. */
const PAST_POINTS = 20;

/** The value that meets the condition, or null: not met, or nothing to tell from. */
export async function conditionValue(
  condition: AlertCondition,
  context: ConditionContext,
): Promise<number | null> {
  const value = await firstMet([condition, ...(condition.or ?? [])], context);
  if (value === null) {
    return condition.orStalled === true && (await isStalled(context)) ? Number.POSITIVE_INFINITY : null;
  }
  if (condition.and === undefined) return value;
  return (await firstMet(condition.and.anyOf, context)) === null ? null : value;
}

async function firstMet(
  conditions: readonly SideCondition[],
  context: ConditionContext,
): Promise<number | null> {
  for (const condition of conditions) {
    const value = await metValue(condition, context);
    if (value === null) continue;
    if (condition.unless === undefined || (await metValue(condition.unless, context)) === null) return value;
  }
  return null;
}

async function metValue(condition: SideCondition, context: ConditionContext): Promise<number | null> {
  if (condition.gone !== undefined) return lastBeforeGone(condition, condition.gone.withinMs, context);
  if (condition.aggregate === 'workers') {
    const count = (await workersBeyond(condition, context)).length;
    return count > 0 ? count : null;
  }
  const isMet = (value: number) => isBeyond(value, condition, context);
  const values =
    condition.rise === undefined ? await read(condition, context) : await rises(condition, context);
  const value = aggregate(condition, values);
  if (condition.past !== undefined) return metAgainstPast(condition, condition.past, value, isMet, context);
  return value !== null && isMet(value) ? value : null;
}

function isBeyond(
  value: number,
  { over, threshold: name }: Pick<SideCondition, 'over' | 'threshold'>,
  { thresholds }: ConditionContext,
): boolean {
  const limit = threshold(thresholds, name);
  return over === '>' ? value > limit : value < limit;
}

async function metAgainstPast(
  condition: SideCondition,
  past: Past,
  now: number | null,
  isMet: (value: number) => boolean,
  context: ConditionContext,
): Promise<number | null> {
  const then = await pastMean(condition, past, context);
  if (then === null) return null;
  if (past.as === 'value') return isMet(then) ? then : null;
  if (now === null) return null;
  if (past.as === 'fall') return isMet(then - now) ? then - now : null;
  return isMet(now / then) ? now : null;
}

async function pastMean(
  condition: SideCondition,
  { agoMs, overMs }: Past,
  context: ConditionContext,
): Promise<number | null> {
  const { timeScale } = context;
  const endMs = context.atMs - (agoMs - overMs / 2) / timeScale;
  const means: number[] = [];
  for (let index = 0; index < PAST_POINTS; index += 1) {
    const atMs = endMs - (overMs / timeScale / PAST_POINTS) * index;
    const value = aggregate(condition, await read(condition, { ...context, atMs }));
    if (value !== null) means.push(value);
  }
  return means.length === 0 ? null : means.reduce((total, value) => total + value, 0) / means.length;
}

/** What it was last, where there is nothing now. */
async function lastBeforeGone(
  condition: SideCondition,
  withinMs: number,
  context: ConditionContext,
): Promise<number | null> {
  if ((await read(condition, context)).length > 0) return null;
  const { source, scope, atMs, windowMs, timeScale } = context;
  const spanMs = withinMs / timeScale;
  const range = await source.readRange(condition.signal, scope, { atMs, windowMs, spanMs, maxPoints: 200 });
  if (range.kind !== 'series') return null;
  return range.series.flatMap(({ points }) => points.map(([, value]) => value)).at(-1) ?? null;
}

async function workersBeyond(
  condition: SideCondition,
  context: ConditionContext,
): Promise<readonly Sample[]> {
  const beyond = (await read(condition, context)).filter(({ value }) => isBeyond(value, condition, context));
  if (condition.while === undefined || beyond.length === 0) return beyond;
  const besides = new Set<string | null>();
  for (const side of condition.while)
    for (const { worker, value } of await read(side, context))
      if (isBeyond(value, side, context)) besides.add(worker);
  return beyond.filter(({ worker }) => besides.has(worker));
}

async function read(
  { signal, where }: Read,
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
  if (condition.aggregate === 'median') return median(values);
  // `max` takes the worst worker, which is the lowest where low is bad.
  return condition.over === '>' ? Math.max(...values) : Math.min(...values);
}

/** Between the two middle ones, as PromQL's quantile. */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const low = sorted[Math.floor(middle)] ?? 0;
  const high = sorted[Math.ceil(middle)] ?? 0;
  return (low + high) / 2;
}

/** Requests are held and not a token comes out. */
async function isStalled(context: ConditionContext): Promise<boolean> {
  const held = await read({ signal: 'requests_in_progress' }, context);
  const tokens = await read({ signal: 'generation_tokens_rate' }, context);
  if (held.length === 0 || tokens.length === 0) return false;
  return held.some(({ value }) => value > 0) && tokens.every(({ value }) => value === 0);
}
