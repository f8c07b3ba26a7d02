/** Puts the readings of a step against its rule: numbers, failing workers, status. Pure. */

import type { RangeReading } from '../domain/signal.js';
import type { FindingStatus, WorkerValue } from '../domain/verdict.js';
import { all, any, type Comparison, holds, type Numbers, operandValue } from '../playbook/condition.js';
import type { FailRule, PlaybookStep } from '../playbook/schema.js';
import { type Seen, type Unseen, valuesByWorker } from './seen.js';
import { extraNumbers, scopeNumbers, workerNumbers } from './step-numbers.js';
import { aggregateSeries, DEFAULT_WINDOW_MS, type Movement, movement } from './trend.js';

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
  const moved =
    readings.range?.kind === 'series' && step.read.kind === 'signal' && step.read.per === null
      ? movement(aggregateSeries(readings.range.series), { atMs: context.atMs, windowMs, unit: seen.unit })
      : null;

  const base: Record<string, number> = {
    ...(seen.perWorker
      ? workerNumbers(
          finite.map(([, value]) => value),
          test.kind,
          lowIsWorse,
        )
      : scopeNumbers(seen)),
    ...extraNumbers(readings.extras),
    ...(moved === null
      ? {}
      : { change: moved.change, rising: moved.rising ? 1 : 0, falling: moved.falling ? 1 : 0 }),
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
