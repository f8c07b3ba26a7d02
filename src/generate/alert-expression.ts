/**
 * The PromQL of an alert, over every scope at once. The naïve forms of these alerts are wrong in known ways; each
 * part of an expression here exists because of one of them.
 */

import type { AlertCondition, AlertDefinition, SideCondition } from '../catalog/alerts.js';
import type { EngineFile } from '../catalog/engine-file.js';
import { expandExpression, promDuration, scaledWindow } from '../catalog/expand-expression.js';
import { servingPods } from '../catalog/serving-pods.js';
import { findSignal } from '../catalog/signals.js';
import { type Thresholds, threshold } from '../catalog/thresholds.js';
import { HOUR, MINUTE } from '../domain/clock.js';

/** Scope labels that every alert carries, so that its incident knows where it is. */
export const SCOPE_LABELS = ['cluster', 'namespace', 'model'] as const;

export type RuleTimes = {
  readonly timeScale?: number;
  /** No window gets shorter than four of these. */
  readonly scrapeIntervalMs?: number;
};

type Context = {
  readonly engines: readonly EngineFile[];
  readonly thresholds: Thresholds;
  readonly times: RuleTimes;
  readonly windowMs: number;
};

const BY_SCOPE = `by (${SCOPE_LABELS.join(', ')})`;
const ON_SCOPE = `on (${SCOPE_LABELS.join(', ')})`;

/**
 * An expression that answers one series a scope while the alert's condition holds; null where no engine shows
 * what it needs. Every engine's part stands after `or`: a scope is judged by whatever serves it.
 */
export function alertExpression(
  alert: AlertDefinition,
  engines: readonly EngineFile[],
  thresholds: Thresholds,
  times: RuleTimes,
): string | null {
  const context = { engines, thresholds, times, windowMs: scaledWindow(alert.windowMs, times) };
  const main = comparisons(alert.condition, context);
  if (main.length === 0) return null;
  let expression = anyOf(main);
  const { and } = alert.condition;
  if (and !== undefined) {
    const besides = and.anyOf.flatMap((side) => comparisons(side, context));
    // A page that its damage has to confirm cannot fire where nobody reports the damage.
    if (besides.length === 0) return null;
    expression = `(\n${indent(expression)}\n)\nand ${ON_SCOPE} (\n${indent(anyOf(besides))}\n)`;
  }
  const stalled = alert.condition.orStalled === true ? stalls(context) : [];
  return [expression, ...stalled].join('\nor\n');
}

/** One comparison for each engine that has the signal. */
function comparisons(condition: SideCondition | AlertCondition, context: Context): string[] {
  const limit = threshold(context.thresholds, condition.threshold);
  return context.engines.flatMap((engine) => {
    const value = aggregated(condition, engine, context);
    if (value === null) return [];
    const compared = `${value} ${condition.over} ${limit}`;
    const quantile = condition.over === '>' ? beyondLastBucket(condition, engine, context) : null;
    return [
      quantile === null ? compared : `${value}\nand ${ON_SCOPE} (\n${indent(`${quantile} > ${limit}`)}\n)`,
    ];
  });
}

/** The condition's value, one series a scope, labelled alike for every engine. Null where the engine has no such signal. */
function aggregated(condition: SideCondition, engine: EngineFile, context: Context): string | null {
  const raw = signalExpression(condition.signal, engine, context);
  if (raw === null) return null;
  const { where, rise } = condition;
  const definition = findSignal(condition.signal);
  const chosen = where === undefined ? raw : only(raw, where);
  const operator = condition.aggregate === 'sum' ? 'sum' : 'max';
  const overScope = (expr: string) => `${operator} ${BY_SCOPE} (\n${indent(renameLabels(expr, engine))}\n)`;
  if (rise === undefined) {
    const isDone = definition?.level === 'scope' && where === undefined && hasScopeNames(engine);
    return isDone && definition.splitBy === undefined ? chosen : overScope(chosen);
  }
  const base = rise.from === undefined ? null : threshold(context.thresholds, rise.from);
  return condition.aggregate === 'sum'
    ? risen(overScope(chosen), rise.overMs, base, context)
    : overScope(risen(chosen, rise.overMs, base, context));
}

/** A signal's own expression, its aggregations keeping the scope labels. */
function signalExpression(signal: string, engine: EngineFile, context: Context): string | null {
  const source = engine.signals[signal];
  if (source?.expr === undefined) return null;
  const expr = expandExpression(source.expr, engine, {
    selector: '',
    place: '',
    by: SCOPE_LABELS.map((name) => engine.labels[name] ?? name),
    windowMs: context.windowMs,
    hourMs: scaledWindow(HOUR, context.times),
    pods: servingPods(context.engines, () => ''),
  });
  return source.scale === 1 ? expr : `${source.scale} * (${expr})`;
}

/**
 * A quantile never exceeds its last finite bucket, so a threshold at or above that edge could never be passed.
 * Here the +Inf bucket is given a finite edge far out: the quantile then lands beyond any threshold as soon as
 * more than its share of requests fell past the last edge. Null for what is no quantile.
 */
function beyondLastBucket(condition: SideCondition, engine: EngineFile, context: Context): string | null {
  const raw = signalExpression(condition.signal, engine, context);
  if (raw === null || !raw.includes('histogram_quantile')) return null;
  const opened = raw.replace(
    /rate\((\w[\w:]*_bucket)(\{[^{}]*\})?(\[[^\]]+\])\)/g,
    (rate: string) => `${rate} or label_replace(${rate}, "le", "1e+09", "le", "\\\\+Inf")`,
  );
  return overAll(opened, engine);
}

function overAll(expr: string, engine: EngineFile): string {
  return hasScopeNames(engine) ? expr : `max ${BY_SCOPE} (\n${indent(renameLabels(expr, engine))}\n)`;
}

/** How much an expression rose; only where it was above `base` by then. */
function risen(expr: string, overMs: number, base: number | null, context: Context): string {
  const back = promDuration(scaledWindow(overMs, context.times));
  // A subquery looks back over an expression of any shape; two steps, so that one late scrape is no gap.
  const step = scaledWindow(MINUTE / 4, context.times);
  const before = `last_over_time((\n${indent(expr)}\n)[${promDuration(2 * step)}:${promDuration(step)}] offset ${back})`;
  return `(\n${indent(`${expr}\n- (${before}${base === null ? '' : ` > ${base}`})`)}\n)`;
}

/** Requests are held and no token comes out: latency without end. Fires only where tokens are counted at all. */
function stalls(context: Context): string[] {
  return context.engines.flatMap((engine) => {
    const held = ['queue_depth', 'requests_running'].map((signal) =>
      aggregated({ signal, over: '>', threshold: '', aggregate: 'sum' }, engine, context),
    );
    const tokens = aggregated(
      { signal: 'generation_tokens_rate', over: '>', threshold: '', aggregate: 'sum' },
      engine,
      context,
    );
    const [waiting, running] = held;
    if (waiting == null || running == null || tokens === null) return [];
    return [`(${waiting} > 0 or ${running} > 0)\n* Inf\nand ${ON_SCOPE} (\n${indent(`${tokens} == 0`)}\n)`];
  });
}

function only(expr: string, where: { readonly label: string; readonly value: string }): string {
  // The label is made by the expression, so it cannot be a matcher: what has another value is dropped afterwards.
  const kept = `label_replace(${expr}, "kept", "yes", "${where.label}", ${JSON.stringify(where.value)})`;
  return `(${kept} and on (kept) label_replace(vector(1), "kept", "yes", "", ""))`;
}

function hasScopeNames(engine: EngineFile): boolean {
  return SCOPE_LABELS.every((name) => (engine.labels[name] ?? name) === name);
}

/** Gives an engine's own labels, such as vLLM's `model_name`, their scope names, so that alerts of every engine look alike. */
function renameLabels(expr: string, engine: EngineFile): string {
  return SCOPE_LABELS.reduce((renamed, name) => {
    const own = engine.labels[name] ?? name;
    return own === name
      ? renamed
      : `label_replace(\n${indent(renamed)},\n  "${name}", "$1", "${own}", "(.+)"\n)`;
  }, expr);
}

function anyOf(parts: readonly string[]): string {
  return parts.join('\nor\n');
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}
