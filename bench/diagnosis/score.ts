/** Results → figures. README.md says what counts as right, and why. */

import type { Verdict } from '../../src/domain/verdict.js';
import type { LoopOutcome } from './closed-loop.js';
import type { RunDiagnosis } from './diagnose-run.js';
import { groupBy } from './group-by.js';
import { loadBand, type RunPlan } from './run-plan.js';
import { STEPS_OF } from './signal-groups.js';
import { isFault, truthOf } from './truths.js';

export type RunResult = {
  readonly plan: RunPlan;
  /** What fired, and how long after the onset; null where nothing did. */
  readonly alert: { readonly name: string; readonly severity: string; readonly afterMs: number } | null;
  /** Null for a fault that no alert noticed. */
  readonly diagnosis: RunDiagnosis | null;
  /** The same moment without the deciding signal's series. */
  readonly blind: RunDiagnosis | null;
  readonly loop: LoopOutcome | null;
};

export type Counts = Readonly<Record<string, Readonly<Record<string, number>>>>;

export type Score = {
  readonly runs: number;
  readonly top1: number | null;
  readonly top2: number | null;
  readonly worst_cause_top1: number | null;
  readonly fix_class_top1: number | null;
  readonly wrong_first_fix: number | null;
  readonly false_cause_when_healthy: number | null;
  readonly blind_runs: number;
  readonly blind_confidently_wrong: number;
  readonly checklist_top1: number | null;
  readonly thresholds_top1: number | null;
  readonly fix_better_than_wrong_fix: number | null;
  readonly fix_pairs: number;
  readonly confusion: { readonly cause: Counts; readonly load: Counts; readonly engine: Counts };
};

/** A run that was diagnosed. */
export type Diagnosed = RunResult & { readonly diagnosis: RunDiagnosis };

export function scoreRuns(results: readonly RunResult[]): Score {
  const diagnosed = results.filter(isDiagnosed);
  const faulty = diagnosed.filter(({ plan }) => hasFault(plan));
  const quiet = diagnosed.filter(({ plan }) => !hasFault(plan));
  const byClass = [...groupBy(faulty, ({ plan }) => classOf(plan)).values()];
  const macro = (holds: (run: Diagnosed) => boolean) => mean(byClass.map((runs) => share(runs, holds) ?? 0));
  const blind = faulty.filter(({ blind }) => blind !== null);
  const pairs = results.flatMap(({ loop }) => (loop?.differs === true ? [loop] : []));
  return {
    runs: results.length,
    top1: macro(isRight),
    top2: macro((run) => isRight(run) || accepts(run.plan, run.diagnosis.verdict.contributing[0] ?? null)),
    worst_cause_top1:
      byClass.length === 0 ? null : Math.min(...byClass.map((runs) => share(runs, isRight) ?? 0)),
    fix_class_top1: macro(isFixRight),
    wrong_first_fix: share(faulty, isFixHarmful),
    false_cause_when_healthy: share(quiet, isFalse),
    blind_runs: blind.length,
    blind_confidently_wrong: blind.filter(isConfidentlyWrong).length,
    checklist_top1: macro(({ plan, diagnosis }) => accepts(plan, diagnosis.checklist)),
    thresholds_top1: macro(({ plan, diagnosis }) => accepts(plan, diagnosis.thresholds)),
    fix_better_than_wrong_fix: share(pairs, ({ fixMinutes, wrongMinutes }) => fixMinutes < wrongMinutes),
    fix_pairs: pairs.length,
    confusion: {
      cause: count(results, ({ plan }) => classOf(plan), causeText),
      load: count(faulty, ({ plan }) => loadBand(plan), rightText),
      engine: count(faulty, ({ plan }) => plan.engine, rightText),
    },
  };
}

export function isDiagnosed(run: RunResult): run is Diagnosed {
  return run.diagnosis !== null;
}

export function hasFault(plan: RunPlan): boolean {
  return plan.mechanisms.some(isFault);
}

/** Its mechanism, or `compound` for two at once. */
export function classOf({ mechanisms }: RunPlan): string {
  return mechanisms.length > 1 ? 'compound' : (mechanisms[0] ?? '');
}

/** Whether a cause names what is wrong; of two things at once either will do. */
export function accepts(plan: RunPlan, cause: string | null): boolean {
  return cause !== null && plan.mechanisms.some((mechanism) => truthOf(mechanism).causes.includes(cause));
}

export function isRight({ plan, diagnosis }: Diagnosed): boolean {
  return accepts(plan, diagnosis.verdict.cause);
}

export function isFixRight({ plan, diagnosis }: Diagnosed): boolean {
  const { lever } = diagnosis;
  return lever !== null && plan.mechanisms.some((mechanism) => truthOf(mechanism).fixes.includes(lever));
}

export function isFixHarmful(run: Diagnosed): boolean {
  const { lever } = run.diagnosis;
  if (lever === null || isFixRight(run)) return false;
  return run.plan.mechanisms.some((mechanism) => truthOf(mechanism).harmful.includes(lever));
}

/** A cause is named, and not as a mere hint. */
export function isSure({ cause, confidence }: Verdict): boolean {
  return cause !== null && (confidence === 'high' || confidence === 'medium');
}

/** Something is named where nothing is wrong. */
export function isFalse({ plan, diagnosis: { verdict } }: Diagnosed): boolean {
  return isSure(verdict) && !accepts(plan, verdict.cause);
}

/** A blind verdict that a reader would follow into the wrong direction. */
function isConfidentlyWrong({ plan, blind }: RunResult): boolean {
  if (blind === null) return false;
  const { verdict } = blind;
  return isSure(verdict) && !accepts(plan, verdict.cause);
}

/** Whether a blind verdict says which signal it misses. */
export function saysUnseen({ plan, blind }: RunResult): boolean {
  const groups = truthOf(plan.mechanisms[0] ?? '').deciding;
  return groups.some((group) => blind?.verdict.unseen.some((text) => STEPS_OF[group].test(text)) === true);
}

function causeText({ diagnosis, plan }: RunResult): string {
  if (diagnosis === null) return 'no alert';
  const { cause, confidence } = diagnosis.verdict;
  if (cause === null) return 'unclear';
  return !hasFault(plan) && confidence === 'low' ? `${cause} (low)` : cause;
}

function rightText(run: RunResult): string {
  return isDiagnosed(run) && isRight(run) ? 'right' : 'wrong';
}

function count<T>(items: readonly T[], row: (item: T) => string, column: (item: T) => string): Counts {
  const counts: Record<string, Record<string, number>> = {};
  for (const item of items) {
    counts[row(item)] ??= {};
    const line = counts[row(item)] ?? {};
    line[column(item)] = (line[column(item)] ?? 0) + 1;
  }
  return counts;
}

function share<T>(items: readonly T[], holds: (item: T) => boolean): number | null {
  return items.length === 0 ? null : rounded(items.filter(holds).length / items.length);
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : rounded(values.reduce((sum, one) => sum + one, 0) / values.length);
}

function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
