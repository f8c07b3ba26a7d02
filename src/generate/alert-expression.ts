/**
 * The PromQL of an alert, over every scope at once. The naïve forms of these alerts are wrong in known ways; each
 * part of an expression here exists because of one of them.
 */

import type { AlertDefinition, Past, SideCondition } from '../catalog/alert-definition.js';
import type { EngineFile } from '../catalog/engine-file.js';
import { promDuration, scaledWindow } from '../catalog/expand-expression.js';
import { type Thresholds, threshold } from '../catalog/thresholds.js';
import { MINUTE } from '../domain/clock.js';
import { anyOf, grouped, indent, ON_SCOPE } from './promql-text.js';
import {
  type Recordings,
  type RuleContext,
  type RuleTimes,
  recordBeyond,
  recordSignal,
  risen,
} from './recorded-series.js';

/** How finely the past is looked at: over an hour twelve points make a mean. */
const PAST_STEP_MS = 5 * MINUTE;

/** An expression, or the signals without which there is none. */
export type AlertExpression =
  | { readonly kind: 'expression'; readonly text: string }
  | { readonly kind: 'unseen'; readonly signals: readonly string[] };

/**
 * An expression that answers one series a scope while the alert's condition holds. It speaks of recorded series, which
 * are added to `recordings`.
 */
export function alertExpression(
  alert: AlertDefinition,
  engines: readonly EngineFile[],
  thresholds: Thresholds,
  times: RuleTimes,
  recordings: Recordings,
): AlertExpression {
  const context = { engines, thresholds, times, windowMs: scaledWindow(alert.windowMs, times), recordings };
  const { condition } = alert;
  const unseen = (sides: readonly SideCondition[]): AlertExpression => ({
    kind: 'unseen',
    signals: [...new Set(sides.map(({ signal }) => signal))],
  });
  const any = (sides: readonly SideCondition[]) => sides.flatMap((side) => comparison(side, context) ?? []);

  const mains = [condition, ...(condition.or ?? [])];
  const compared = any(mains);
  if (compared.length === 0) return unseen(mains);
  let text = anyOf(compared);
  if (condition.and !== undefined) {
    const besides = any(condition.and.anyOf);
    // A page that its damage has to confirm cannot fire where nobody reports the damage.
    if (besides.length === 0) return unseen(condition.and.anyOf);
    text = `${grouped(text)}\nand ${ON_SCOPE} (\n${indent(anyOf(besides))}\n)`;
  }
  const stalled = condition.orStalled === true ? stalls(context) : null;
  return { kind: 'expression', text: stalled === null ? text : `${text}\nor\n${stalled}` };
}

/** The condition over a recorded series; null where no engine has the signal. */
function comparison(condition: SideCondition, context: RuleContext): string | null {
  const compared = withoutExcuse(condition, context);
  if (compared === null || condition.unless === undefined) return compared;
  const excuse = comparison(condition.unless, context);
  return excuse === null ? compared : `${compared}\nunless ${ON_SCOPE} (${excuse})`;
}

function withoutExcuse(condition: SideCondition, context: RuleContext): string | null {
  const value = comparedValue(condition, context);
  if (value === null) return null;
  const { past, gone, over, aggregate } = condition;
  if (gone !== undefined) {
    const span = promDuration(scaledWindow(gone.withinMs, context.times));
    const step = promDuration(scaledWindow(PAST_STEP_MS, context.times));
    // `absent` would lose the labels, and knows nothing of the scopes that there were.
    return `last_over_time(${value}[${span}:${step}])\nunless ${ON_SCOPE} ${value}`;
  }
  // Of workers only those beyond the threshold were counted.
  if (aggregate === 'workers') return `${value} > 0`;
  const limit = threshold(context.thresholds, condition.threshold);
  if (past !== undefined) return comparedWithPast(value, past, `${over} ${limit}`, context);
  const beyond = over === '>' && condition.rise === undefined ? recordBeyond(condition, context) : null;
  if (beyond === null) return `${value} ${over} ${limit}`;
  return `${value}\nand ${ON_SCOPE} (${beyond} > ${limit})`;
}

function comparedValue(condition: SideCondition, context: RuleContext): string | null {
  const { rise, aggregate } = condition;
  // A total's rise is that of the recorded total; each worker's is recorded as it is.
  if (rise === undefined || aggregate !== 'sum') return recordSignal(condition, context);
  const { rise: _, ...total } = condition;
  const recorded = recordSignal(total, context);
  if (recorded === null) return null;
  const base = rise.from === undefined ? null : threshold(context.thresholds, rise.from);
  return risen(recorded, rise.overMs, base, context);
}

function comparedWithPast(value: string, past: Past, limit: string, { times }: RuleContext): string {
  const over = scaledWindow(past.overMs, times);
  const back = scaledWindow(past.agoMs, times) - over / 2;
  const step = Math.min(scaledWindow(PAST_STEP_MS, times), over / 2);
  // One NaN, of a minute without requests, would make the mean of the hour NaN: `>= 0` drops it.
  const then = `avg_over_time((${value} >= 0)[${promDuration(over)}:${promDuration(step)}] offset ${promDuration(back)})`;
  switch (past.as) {
    case 'value':
      return `${then} ${limit}`;
    case 'fall':
      return `${then} - ${value} ${limit}`;
    case 'times':
      return `${value}\nand ${ON_SCOPE} (${value} / ${then} ${limit})`;
  }
}

/** Requests are held and no token comes out: latency without end. Fires only where tokens are counted at all. */
function stalls(context: RuleContext): string | null {
  const sum = (signal: string) =>
    recordSignal({ signal, over: '>', threshold: '', aggregate: 'sum' }, context);
  const waiting = sum('queue_depth');
  const running = sum('requests_running');
  const tokens = sum('generation_tokens_rate');
  if (waiting === null || running === null || tokens === null) return null;
  return `(${waiting} > 0 or ${running} > 0)\n* Inf\nand ${ON_SCOPE} (${tokens} == 0)`;
}
