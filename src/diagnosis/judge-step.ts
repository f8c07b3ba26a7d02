/** Puts the readings of a step against its rule: numbers, failing workers, status. Pure. */

import type { RangeReading } from '../domain/signal.js';
import type { FindingStatus, WorkerValue } from '../domain/verdict.js';
import { all, any, type Comparison, holds, type Numbers, operandValue } from '../playbook/condition.js';
import type { FailRule, PlaybookStep } from '../playbook/schema.js';
import { type Seen, type Unseen, valuesByWorker } from './seen.js';
import { shareBefore } from './share-before.js';
import { extraNumbers, scopeNumbers, workerNumbers } from './step-numbers.js';
import { aggregateSeries, DEFAULT_WINDOW_MS, history, type Movement, movement } from './trend.js';

export type StepReadings = {
  readonly main: Seen | Unseen;
  /** By name of the extra reading. */
  readonly extras: ReadonlyMap<string, Seen | Unseen>;
  /** Null: not asked, or not in time. */
  readonly range: RangeReading | null;
  /** Workers that other readings show and this one should too. */
  readonly expectedWorkers: readonly string[];
  readonly tookMs: number;
};

export type StepContext = {
  readonly thresholds: Numbers;
  readonly atMs: number;
  readonly timeScale: number;
};

/** Everything known about a step once its readings are numbers. */
export type Judgement = {
  readonly step: PlaybookStep;
  readonly seen: Seen;
  readonly rule: FailRule;
  readonly numbers: Numbers;
  readonly workers: readonly WorkerValue[];
  readonly workerCount: number;
  readonly failing: number;
  readonly missing: readonly string[];
  readonly lowIsWorse: boolean;
  readonly movement: Movement | null;
  readonly limit: number | undefined;
  /** Of the test itself, and of the conditions beside it. */
  readonly test: boolean | null;
  readonly and: readonly { readonly comparison: Comparison; readonly holds: boolean | null }[];
  readonly orHolds: boolean | null;
  readonly status: FindingStatus;
};

/** The judgement over a reading that was seen. Unseen workers and readings make it unknown, never ok. */
export function judge(
  step: PlaybookStep,
  seen: Seen,
  rule: FailRule,
  readings: StepReadings,
  context: StepContext,
): Judgement {
  const { test } = rule;
  const lowIsWorse =
    test.kind === 'falling' || ('comparison' in test && test.comparison.comparator.startsWith('<'));
  const byWorker = valuesByWorker(seen, lowIsWorse);
  const finite = [...byWorker].filter(([, value]) => !Number.isNaN(value));
  const missing = [
    ...[...byWorker].filter(([, value]) => Number.isNaN(value)).map(([worker]) => worker),
    ...readings.expectedWorkers.filter((worker) => !byWorker.has(worker)),
  ].sort();
  const windowMs = ('windowMs' in test ? test.windowMs : DEFAULT_WINDOW_MS) / context.timeScale;
  const { atMs, timeScale } = context;
  const points = readings.range?.kind === 'series' ? aggregateSeries(readings.range.series) : [];
  const moved = movement(points, { atMs, windowMs, unit: seen.unit, timeScale });
  const topBefore =
    seen.splitBy !== null && readings.range?.kind === 'series'
      ? shareBefore(seen, seen.splitBy, readings.range.series, { atMs, timeScale })
      : null;
  const past = history(points, { atMs, timeScale });

  const base: Record<string, number> = {
    ...(seen.perWorker
      ? workerNumbers(
          finite.map(([, value]) => value),
          test.kind,
          lowIsWorse,
        )
      : scopeNumbers(seen)),
    ...extraNumbers(readings.extras),
    ...(topBefore === null ? {} : { top_before: topBefore }),
    ...(moved === null
      ? {}
      : {
          change: moved.change,
          slope: moved.slope,
          rising: moved.rising ? 1 : 0,
          falling: moved.falling ? 1 : 0,
        }),
    ...Object.fromEntries(Object.entries(past).filter((pair): pair is [string, number] => pair[1] !== null)),
  };
  if (seen.perWorker) {
    base.workers = finite.length + missing.length;
    base.unseen = missing.length;
  }

  const perWorker = finite.map(([worker, value]) => ({
    worker,
    value,
    fails: workerFails(worker, value, rule, readings, base, context),
  }));
  if (test.kind === 'wedged') Object.assign(base, progressNumbers(perWorker, readings));
  const failing = perWorker.filter((one) => one.fails === true).length;
  const undecided = perWorker.filter((one) => one.fails === null).length + missing.length;
  base.failing = failing;

  const testHolds = testOutcome(
    rule,
    { base, failing, undecided, workers: finite.length + missing.length, perWorker: seen.perWorker, moved },
    context,
  );
  const and = rule.and.map((comparison) => ({
    comparison,
    holds: holds(comparison, base.value, base, context.thresholds),
  }));
  const orHolds =
    rule.or.length === 0
      ? false
      : all(rule.or.map((comparison) => holds(comparison, base.value, base, context.thresholds)));
  const fails = any([all([testHolds, ...and.map((one) => one.holds)]), orHolds]);
  const direction = lowIsWorse ? 1 : -1;
  return {
    step,
    seen,
    rule,
    numbers: base,
    workers: perWorker
      .map(({ worker, value, fails: worker_ }) => ({ worker, value, fails: worker_ === true }))
      .sort(
        (a, b) =>
          Number(b.fails) - Number(a.fails) ||
          direction * (a.value - b.value) ||
          (a.worker < b.worker ? -1 : 1),
      ),
    workerCount: finite.length + missing.length,
    failing,
    missing,
    lowIsWorse,
    movement: moved,
    limit: 'comparison' in test ? operandValue(test.comparison.right, base, context.thresholds) : undefined,
    test: testHolds,
    and,
    orHolds,
    status: fails === null ? 'unknown' : fails ? 'fail' : 'ok',
  };
}

function testOutcome(
  rule: FailRule,
  facts: {
    readonly base: Numbers;
    readonly failing: number;
    readonly undecided: number;
    readonly workers: number;
    readonly perWorker: boolean;
    readonly moved: Movement | null;
  },
  context: StepContext,
): boolean | null {
  const { test } = rule;
  switch (test.kind) {
    case 'rising':
    case 'falling':
      return facts.moved === null ? null : facts.moved[test.kind];
    case 'scope':
    case 'skew':
      // Statistics over the workers that are left would hide the one that is not seen.
      if (facts.perWorker && facts.base.unseen !== 0) {
        const known = holds(test.comparison, facts.base.value, facts.base, context.thresholds);
        return known === true ? true : null;
      }
      return holds(test.comparison, facts.base.value, facts.base, context.thresholds);
    case 'any_worker':
      if (!facts.perWorker) return holds(test.comparison, facts.base.value, facts.base, context.thresholds);
      return facts.failing > 0 ? true : facts.undecided > 0 ? null : false;
    case 'wedged':
      if (!facts.perWorker) return null;
      return facts.failing > 0 ? true : facts.undecided > 0 ? null : false;
    case 'few_workers': {
      if (!facts.perWorker) return holds(test.comparison, facts.base.value, facts.base, context.thresholds);
      const atMost = facts.failing + facts.undecided;
      if (atMost === 0) return false;
      if (isMost(facts.failing, facts.workers)) return false;
      return facts.failing > 0 && !isMost(atMost, facts.workers) ? true : null;
    }
    case 'most_workers':
      if (!facts.perWorker) return holds(test.comparison, facts.base.value, facts.base, context.thresholds);
      if (isMost(facts.failing, facts.workers)) return true;
      return isMost(facts.failing + facts.undecided, facts.workers) ? null : false;
  }
}

/** Half of the workers is "most": a cache full on four of eight is no matter of one worker. */
export function isMost(failing: number, workers: number): boolean {
  return failing > 0 && failing * 2 >= workers;
}

function workerFails(
  worker: string,
  value: number,
  rule: FailRule,
  readings: StepReadings,
  numbers: Numbers,
  context: StepContext,
): boolean | null {
  if (!('comparison' in rule.test)) return false;
  const comparison = { ...rule.test.comparison, left: null };
  if (rule.test.kind === 'wedged') {
    const held = heldBy(worker, readings);
    // What prefills moves, though no token comes out of it yet.
    const moves = value + (extraOf(worker, 'prefill', readings) ?? 0);
    return all([holds(comparison, moves, numbers, context.thresholds), held === null ? null : held > 0]);
  }
  const own = holds(comparison, value, numbers, context.thresholds);
  const besides = rule.while.map(({ name, comparison: condition }) => {
    const extra = readings.extras.get(name);
    if (extra === undefined || extra.kind === 'unseen') return null;
    const low = condition.comparator.startsWith('<');
    const theirs = valuesByWorker(extra, low).get(worker);
    return holds(condition, theirs, numbers, context.thresholds);
  });
  return all([own, ...besides]);
}

/** Requests that a worker holds, running and waiting; null where neither was seen. */
function heldBy(worker: string, readings: StepReadings): number | null {
  const parts = ['waiting', 'running'].flatMap((name) => extraOf(worker, name, readings) ?? []);
  return parts.length === 0 ? null : parts.reduce((a, b) => a + b, 0);
}

function extraOf(worker: string, name: string, readings: StepReadings): number | undefined {
  const extra = readings.extras.get(name);
  if (extra === undefined || extra.kind === 'unseen') return undefined;
  const value = valuesByWorker(extra, false).get(worker);
  return value === undefined || Number.isNaN(value) ? undefined : value;
}

/** How many workers are wedged, how many are busy, and how many have nothing to do. */
function progressNumbers(
  workers: readonly { readonly worker: string; readonly fails: boolean | null }[],
  readings: StepReadings,
): Record<string, number> {
  const wedged = workers.filter((one) => one.fails === true).length;
  const idle = workers.filter((one) => one.fails === false && heldBy(one.worker, readings) === 0).length;
  return { wedged, idle, busy: workers.filter((one) => one.fails === false).length - idle };
}
