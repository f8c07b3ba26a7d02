/** The line of evidence of a step: number, unit, workers, limit, and what was not seen. */

import { formatValue } from '../catalog/format-value.js';
import type { UnseenReason } from '../domain/verdict.js';
import type { Comparison, Operand } from '../playbook/condition.js';
import type { Judgement, StepReadings } from './judge-step.js';

export type StepText = {
  readonly says: string;
  readonly value: string | null;
  readonly limit: string | null;
  /** Why the status is unknown; null when it is not. */
  readonly reason: UnseenReason | null;
};

export function describeStep(judgement: Judgement, readings: StepReadings): StepText {
  const limit = limitText(judgement);
  const value = valueText(judgement);
  const blindness = blindSentence(judgement, readings);
  const parts = [fact(judgement, value, limit), ...sideConditions(judgement)];
  return {
    says: [parts.join(', '), ...(blindness === null ? [] : [blindness.says])].join('; '),
    value,
    limit,
    reason: judgement.status === 'unknown' ? (blindness?.reason ?? 'no_series') : null,
  };
}

function format(judgement: Judgement, value: number): string {
  return formatAs(value, judgement.seen.unit);
}

/** As the catalog writes the unit; an operator's own unit is put behind the number. */
export function formatAs(value: number, unit: string): string {
  return formatValue(value, unit as Parameters<typeof formatValue>[1]);
}

function valueText(judgement: Judgement): string | null {
  const { test } = judgement.rule;
  if ((test.kind === 'rising' || test.kind === 'falling') && judgement.movement !== null)
    return percent(judgement.movement.change);
  const { value } = judgement.numbers;
  if (judgement.seen.unit === 'bool' && judgement.seen.perWorker) return fact(judgement, null, null);
  return value === undefined ? null : format(judgement, value);
}

function limitText(judgement: Judgement): string | null {
  const { test } = judgement.rule;
  if (!('comparison' in test)) return null;
  const { right } = test.comparison;
  // "Limit yes" says nothing.
  if (judgement.limit === undefined || judgement.seen.unit === 'bool') return null;
  if (test.comparison.left === 'times') return `${timesText(judgement.limit)} × before`;
  if (test.comparison.left === 'top_share') return percent(judgement.limit);
  const number = format(judgement, judgement.limit);
  return right.reference?.kind === 'number'
    ? `${factorText(right, judgement)}${right.reference.name} (${number})`
    : number;
}

/** "3 × "; a factor that is a threshold by name is read back from the limit, so that the reader gets its number. */
function factorText({ factor, reference }: Operand, { limit, numbers }: Judgement): string {
  const value = numbers[reference?.name ?? ''];
  const whole = limit === undefined || value === undefined || value === 0 ? factor : limit / value;
  return whole === 1 ? '' : `${timesText(whole)} × `;
}

function fact(judgement: Judgement, value: string | null, limit: string | null): string {
  const { rule, seen, workers, workerCount, failing, missing } = judgement;
  if (seen.unit === 'bool' && seen.perWorker) {
    return `${workerCount - failing - missing.length} of ${workerCount} workers`;
  }
  const { test } = rule;
  const against = againstBefore(judgement, value);
  if (against !== null) return against;
  const limitPart = limit === null ? '' : `, limit ${limit}`;
  const first = workers[0];
  if (test.kind === 'rising' || test.kind === 'falling') {
    if (judgement.movement === null)
      return `now ${format(judgement, judgement.numbers.value ?? 0)}, no trend seen`;
    const word = judgement.movement.rising ? 'rising' : judgement.movement.falling ? 'falling' : 'steady';
    return `${word}: ${value ?? ''} in ${Math.round(test.windowMs / 60_000)} min`;
  }
  if (!seen.perWorker || first === undefined)
    return `${shares(judgement) ?? value ?? 'no value'}${limitPart}`;
  const worst = format(judgement, first.value);
  if (test.kind === 'skew') {
    const middle = judgement.numbers.median;
    return `${first.worker} has ${worst}, median ${middle === undefined ? 'unknown' : format(judgement, middle)}${limitPart}`;
  }
  if (test.kind === 'scope') return `${value ?? 'no value'} over ${workerCount} workers${limitPart}`;
  if (failing === 0) {
    if (test.kind === 'most_workers')
      return `${value ?? worst} on the typical of ${workerCount} workers${limitPart}`;
    const word = judgement.lowIsWorse ? 'lowest' : 'highest';
    return workerCount === 1
      ? `${worst} on ${first.worker}${limitPart}`
      : `${word} ${worst} of ${workerCount} workers${limitPart}`;
  }
  if (test.kind === 'wedged') return wedgedText(judgement);
  if (failing === 1) return `${worst} on ${first.worker} (1 of ${workerCount} workers)${limitPart}`;
  return `${worst} on ${failing} of ${workerCount} workers${limitPart}`;
}

/** "42/s, 1.8 × before (23/s), limit 1.3 ×" for a test of how something stands against before. */
function againstBefore(judgement: Judgement, value: string | null): string | null {
  const { rule, numbers, seen, limit } = judgement;
  if (!('comparison' in rule.test) || rule.test.comparison.left !== 'times') return null;
  const { times, before, mean } = numbers;
  const now =
    seen.perWorker && mean !== undefined ? `${format(judgement, mean)} a worker` : (value ?? 'no value');
  if (times === undefined || before === undefined) return `${now}, nothing is known of before`;
  const bound = limit === undefined ? '' : `, limit ${timesText(limit)} ×`;
  return `${now}, ${timesText(times)} × before (${format(judgement, before)})${bound}`;
}

/** "2 of 8 workers wedged (w-3): requests held, no token out; 5 busy, 1 idle". */
function wedgedText({ workers, workerCount, failing, numbers }: Judgement): string {
  const named = workers.filter((one) => one.fails).map((one) => one.worker);
  const names = named.slice(0, 2).join(', ') + (named.length > 2 ? ', …' : '');
  const { busy = 0, idle = 0 } = numbers;
  return `${failing} of ${workerCount} workers wedged (${names}): requests held, no token out; ${busy} busy, ${idle} idle`;
}

/** "82% oom, 10% timeout of 0.4/s" for a signal split by a label. */
function shares(judgement: Judgement): string | null {
  if (judgement.seen.splitBy === null) return null;
  const parts = Object.entries(judgement.numbers)
    .filter(([name, value]) => name.startsWith('share.') && value > 0)
    .sort((a, b) => b[1] - a[1])
    .slice(0, 3)
    .map(([name, value]) => `${percent(value)} ${name.slice('share.'.length)}`);
  const total = format(judgement, judgement.numbers.value ?? 0);
  return parts.length === 0 ? `none (${total})` : `${parts.join(', ')} of ${total}`;
}

/** Conditions beside the test are named where they decided: an idle GPU without work is fine, and says why. */
function sideConditions(judgement: Judgement): string[] {
  const texts: string[] = [];
  const written = (comparison: Comparison) => comparison.text;
  if (judgement.test !== false) {
    for (const { comparison, holds } of judgement.and) {
      if (holds === false) texts.push(`but counts only when ${written(comparison)}`);
    }
  }
  if (judgement.orHolds === true && judgement.test !== true)
    texts.push(`fails as ${judgement.rule.or.map(written).join(' and ')}`);
  return texts;
}

function blindSentence(
  judgement: Judgement,
  readings: StepReadings,
): { readonly says: string; readonly reason: UnseenReason } | null {
  const { missing, workerCount } = judgement;
  if (missing.length > 0) {
    const names = missing.slice(0, 3).join(', ') + (missing.length > 3 ? ', …' : '');
    return { says: `${missing.length} of ${workerCount} workers not seen (${names})`, reason: 'no_series' };
  }
  if (judgement.status !== 'unknown') return null;
  for (const [name, extra] of readings.extras) {
    if (extra.kind === 'unseen') return { says: `${name} not seen: ${extra.detail}`, reason: extra.reason };
  }
  if (readings.range === null) return { says: 'its trend was not read in time', reason: 'not_in_time' };
  if (readings.range.kind === 'empty' || readings.range.kind === 'failed')
    return { says: `its trend was not seen: ${readings.range.detail}`, reason: readings.range.reason };
  if (readings.range.kind === 'stale')
    return { says: `its trend was not seen: ${readings.range.detail}`, reason: 'stale' };
  return { says: 'too few values for a trend', reason: 'no_series' };
}

/** "1.8" for 1.83, "0.62" for 0.62: times what it was before. */
export function timesText(times: number): string {
  return times >= 10 ? String(Math.round(times)) : String(Number(times.toPrecision(2)));
}

/** `+35%` is for changes, `82%` for shares: no sign is added here. */
export function percent(ratio: number): string {
  return `${Math.round(ratio * 100)}%`;
}
