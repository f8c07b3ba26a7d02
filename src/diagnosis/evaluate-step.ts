/** Judges one step over what was read for it. Pure: same readings, same finding. */

import type { Finding, Spread } from '../domain/verdict.js';
import { holds } from '../playbook/condition.js';
import type { PlaybookStep } from '../playbook/schema.js';
import { describeStep } from './describe-step.js';
import { isMost, type Judgement, judge, type StepContext, type StepReadings } from './judge-step.js';
import { blind, skipped } from './numberless-finding.js';
import { sparkline } from './trend.js';

/** Workers kept of a finding. */
const MAX_WORKERS = 5;

/** One finding, whatever was read. */
export function evaluateStep(step: PlaybookStep, readings: StepReadings, context: StepContext): Finding {
  const { main } = readings;
  if (step.read.kind === 'by_hand')
    return blind(step, readings, 'by_hand', `No metric shows this. ${step.read.look}`);
  if (main.kind === 'unseen') {
    // The engine has no such thing to report: nothing is missing, the step does not apply.
    if (main.reason === 'unavailable' && step.read.kind === 'signal') {
      return step.enable == null
        ? skipped(step, readings, main.detail)
        : blind(step, readings, main.reason, `not measured here: ${step.enable}`);
    }
    return blind(step, readings, main.reason, main.detail);
  }
  const engines = step.appliesWhen?.engines ?? [];
  if (engines.length > 0 && main.engine !== null && !engines.includes(main.engine)) {
    return skipped(step, readings, `not a ${engines.join(' or ')} engine (${main.engine})`);
  }
  if (step.fail === null) return skipped(step, readings, 'the step tests nothing');

  const judgement = judge(step, main, step.fail, readings, context);
  const condition = step.appliesWhen?.condition ?? null;
  if (
    condition !== null &&
    holds(condition, judgement.numbers.value, judgement.numbers, context.thresholds) === false
  ) {
    return { ...skipped(step, readings, `applies only when ${condition.text}`), numbers: judgement.numbers };
  }
  return found(judgement, readings);
}

function found(judgement: Judgement, readings: StepReadings): Finding {
  const { step, seen, status, workers, missing } = judgement;
  const text = describeStep(judgement, readings);
  const perWorkerTest =
    judgement.rule.test.kind !== 'scope' &&
    judgement.rule.test.kind !== 'rising' &&
    judgement.rule.test.kind !== 'falling';
  const spread: Spread | null =
    !seen.perWorker || !perWorkerTest
      ? null
      : judgement.failing === 0
        ? 'none'
        : isMost(judgement.failing, judgement.workerCount)
          ? 'most'
          : 'few';
  return {
    stepId: step.id,
    title: step.title,
    status,
    says: text.says,
    value: text.value,
    limit: text.limit,
    spread,
    workers: workers.slice(0, MAX_WORKERS),
    workerCount: seen.perWorker ? judgement.workerCount : null,
    signal: step.read.kind === 'signal' ? step.read.signal : null,
    engine: seen.engine,
    query: seen.query,
    trend: step.read.kind === 'signal' ? sparkline(readings.range, workers[0]?.worker ?? null) : [],
    tookMs: readings.tookMs,
    // JSON keeps neither infinity nor a negative zero, and what is stored must come back as it was.
    numbers: Object.fromEntries(
      Object.entries(judgement.numbers).flatMap(([name, value]) =>
        Number.isFinite(value) ? [[name, value + 0]] : [],
      ),
    ),
    reason: status === 'unknown' ? text.reason : missing.length > 0 ? 'no_series' : null,
  };
}
