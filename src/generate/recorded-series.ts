/**
 * What rules record for alerts: a signal over every scope at once, asked of every engine once however many alerts need
 * it. Alerts then speak of these series, engine-neutral and cheap.
 */

import type { SideCondition } from '../catalog/alert-definition.js';
import type { EngineFile } from '../catalog/engine-file.js';
import { expandExpression, promDuration, scaledWindow } from '../catalog/expand-expression.js';
import { knowsItsPods, servingPods } from '../catalog/serving-pods.js';
import { findSignal } from '../catalog/signals.js';
import { type Thresholds, threshold } from '../catalog/thresholds.js';
import { HOUR, MINUTE } from '../domain/clock.js';
import { anyOf, BY_SCOPE, indent, SCOPE_LABELS } from './promql-text.js';

export type RuleTimes = {
  readonly timeScale?: number;
  /** No window gets shorter than four of these. */
  readonly scrapeIntervalMs?: number;
};

/** Recorded expressions by name. */
export type Recordings = Map<string, string>;

export type RuleContext = {
  readonly engines: readonly EngineFile[];
  readonly thresholds: Thresholds;
  readonly times: RuleTimes;
  /** Of rates and quantiles, scaled. */
  readonly windowMs: number;
  readonly recordings: Recordings;
};

/** The file that fills what no engine exports; never added to what an engine says. */
const GAP_FILLER = 'llm';

/**
 * How long a worker that no longer answers counts as one: as long as the page about it must stand. A diagnosis asks
 * about an hour; an alert that ends by itself then would say that it is over.
 */
const WORKER_REMEMBERED_MS = 6 * HOUR;

/**
 * Records the present value of a condition, one series a scope, and returns its name. Null where no engine has the
 * signal.
 */
export function recordSignal(condition: SideCondition, context: RuleContext): string | null {
  const expression = ofAllEngines(condition, context, (engine) => aggregated(condition, engine, context));
  return expression === null ? null : record(nameOf(condition, context), expression, context);
}

/** The same for a quantile whose +Inf bucket has a finite edge far out; null for what is no quantile. */
export function recordBeyond(condition: SideCondition, context: RuleContext): string | null {
  const expression = ofAllEngines(condition, context, (engine) =>
    beyondLastBucket(condition, engine, context),
  );
  return expression === null ? null : record(`${nameOf(condition, context)}_beyond`, expression, context);
}

function record(name: string, expression: string, { recordings }: RuleContext): string {
  const known = recordings.get(name);
  if (known !== undefined && known !== expression)
    throw new Error(`two rules would be recorded as ${name}: their conditions need names of their own`);
  recordings.set(name, expression);
  return name;
}

/** `wakewell:queue_depth:sum_5m`: signal, how it is aggregated, over what. */
function nameOf(condition: SideCondition, context: RuleContext): string {
  const { signal, aggregate, where, rise } = condition;
  const parts =
    aggregate === 'workers' ? ['workers', condition.threshold.split('.').at(-1)] : [operatorOf(condition)];
  if (where !== undefined) parts.push(where.value);
  // The name keeps the real time: a scaled rule says in its head that it is scaled.
  const minutes = (ms: number) => `${Math.round(ms / MINUTE)}m`;
  if (rise !== undefined)
    parts.push('rise', minutes(rise.overMs), ...(rise.from === undefined ? [] : ['grown']));
  else parts.push(minutes(context.windowMs * (context.times.timeScale ?? 1)));
  return `wakewell:${signal}:${parts.join('_')}`;
}

/** How workers, and engines of a mixed fleet, become one figure: counts add up, of the rest the worst speaks. */
function operatorOf({ aggregate, over }: SideCondition): string {
  if (aggregate === 'sum' || aggregate === 'median') return aggregate;
  if (aggregate === 'workers') return 'count';
  // One value a scope is the same whichever way; its name says max for all.
  return aggregate === 'max' && over === '<' ? 'min' : 'max';
}

const OVER_WORKERS: Readonly<Record<string, string>> = {
  sum: `sum ${BY_SCOPE} (`,
  max: `max ${BY_SCOPE} (`,
  min: `min ${BY_SCOPE} (`,
  count: `count ${BY_SCOPE} (`,
  median: `quantile ${BY_SCOPE} (0.5,`,
};

/** Medians of two engines have no common one, so the one further out speaks; numbers of workers add up. */
function operatorOverEngines(condition: SideCondition): string {
  const operator = operatorOf(condition);
  if (operator === 'count') return 'sum';
  return operator === 'median' ? (condition.over === '<' ? 'min' : 'max') : operator;
}

/**
 * Engines of one scope are a mixed fleet: their parts are added up, or the worst speaks. Companions, gateways and the
 * canonical names stand after `or`: they see the same requests again.
 */
function ofAllEngines(
  condition: SideCondition,
  context: RuleContext,
  partOf: (engine: EngineFile) => string | null,
): string | null {
  const parts = context.engines.flatMap((engine) => {
    const part = partOf(engine);
    return part === null ? [] : [{ engine, part }];
  });
  const engines = parts.filter(({ engine }) => engine.role === 'engine' && engine.engine !== GAP_FILLER);
  const others = parts.filter((one) => !engines.includes(one)).map(({ part }) => part);
  const [only] = engines;
  const fleet =
    engines.length < 2
      ? (only?.part ?? null)
      : `${operatorOverEngines(condition)} ${BY_SCOPE} (\n${indent(
          anyOf(
            engines.map(
              ({ engine, part }) =>
                `label_replace(\n${indent(part)},\n  "engine_file", "${engine.engine}", "", "")`,
            ),
          ),
        )}\n)`;
  const all = [...(fleet === null ? [] : [fleet]), ...others];
  return all.length === 0 ? null : anyOf(all);
}

/** The condition's value, one series a scope, labelled alike for every engine. Null where the engine has no such signal. */
function aggregated(condition: SideCondition, engine: EngineFile, context: RuleContext): string | null {
  const raw = signalExpression(condition.signal, engine, context);
  if (raw === null) return null;
  const { where, rise, aggregate } = condition;
  const definition = findSignal(condition.signal);
  const chosen = where === undefined ? raw : only(raw, where);
  const overScope = (expr: string) =>
    `${OVER_WORKERS[operatorOf(condition)]}\n${indent(renameLabels(expr, engine))}\n)`;
  if (aggregate === 'workers') {
    const beyond = workersBeyond(condition, chosen, engine, context);
    return beyond === null ? null : overScope(beyond);
  }
  if (rise === undefined) {
    const isDone = definition?.level === 'scope' && where === undefined && hasScopeNames(engine);
    return isDone && definition.splitBy === undefined ? chosen : overScope(chosen);
  }
  const base = rise.from === undefined ? null : threshold(context.thresholds, rise.from);
  return overScope(risen(chosen, rise.overMs, base, context));
}

/** The workers of one engine that are beyond the threshold, while something else holds of them too. */
function workersBeyond(
  condition: SideCondition,
  value: string,
  engine: EngineFile,
  context: RuleContext,
): string | null {
  const beyond = `(${value}) ${condition.over} ${threshold(context.thresholds, condition.threshold)}`;
  if (condition.while === undefined) return beyond;
  // A gateway's figures are of its own process or of the workers behind it: they cannot be joined by worker.
  if (engine.role !== 'engine') return null;
  const besides = condition.while.flatMap(({ signal, over, threshold: limit }) => {
    const expr = signalExpression(signal, engine, context);
    return expr === null ? [] : [`(${expr}) ${over} ${threshold(context.thresholds, limit)}`];
  });
  if (besides.length === 0) return null;
  const worker = [...engine.worker, ...(engine.rank === undefined ? [] : [engine.rank])];
  const on = [...worker, ...ownScopeLabels(engine)].join(', ');
  return `${beyond}\nand on (${on}) (\n${indent(anyOf(besides))}\n)`;
}

/** A signal's own expression, its aggregations keeping the scope labels. */
function signalExpression(signal: string, engine: EngineFile, context: RuleContext): string | null {
  const source = engine.signals[signal];
  if (source?.expr === undefined) return null;
  // Nothing of a companion can be told from its series alone: which model they serve is said by an engine.
  if (source.expr.includes('$pods') && !context.engines.some(knowsItsPods)) return null;
  const hourMs = findSignal(signal)?.outlivesWorker === true ? WORKER_REMEMBERED_MS : HOUR;
  const expr = expandExpression(source.expr, engine, {
    selector: '',
    place: '',
    by: ownScopeLabels(engine),
    windowMs: context.windowMs,
    hourMs: scaledWindow(hourMs, context.times),
    pods: servingPods(context.engines, () => ''),
  });
  return source.scale === 1 ? expr : `${source.scale} * (${expr})`;
}

/**
 * A quantile never exceeds its last finite bucket, so a threshold at or above that edge could never be passed.
 * Here the +Inf bucket is given a finite edge far out: the quantile then lands beyond any threshold as soon as
 * more than its share of requests fell past the last edge. Null for what is no quantile.
 */
function beyondLastBucket(condition: SideCondition, engine: EngineFile, context: RuleContext): string | null {
  const raw = signalExpression(condition.signal, engine, context);
  if (raw === null || !raw.includes('histogram_quantile')) return null;
  const opened = raw.replace(
    /rate\((\w[\w:]*_bucket)(\{[^{}]*\})?(\[[^\]]+\])\)/g,
    (rate: string) => `${rate} or label_replace(${rate}, "le", "1e+09", "le", "\\\\+Inf")`,
  );
  return hasScopeNames(engine) ? opened : `max ${BY_SCOPE} (\n${indent(renameLabels(opened, engine))}\n)`;
}

/** How much an expression rose; only where it was above `base` by then. */
export function risen(expr: string, overMs: number, base: number | null, { times }: RuleContext): string {
  const back = promDuration(scaledWindow(overMs, times));
  // A subquery looks back over an expression of any shape; two steps, so that one late scrape is no gap.
  const step = scaledWindow(MINUTE / 4, times);
  const before = `last_over_time((\n${indent(expr)}\n)[${promDuration(2 * step)}:${promDuration(step)}] offset ${back})`;
  return `(\n${indent(`${expr}\n- (${before}${base === null ? '' : ` > ${base}`})`)}\n)`;
}

function only(expr: string, where: { readonly label: string; readonly value: string }): string {
  // The label is made by the expression, so it cannot be a matcher: what has another value is dropped afterwards.
  const kept = `label_replace(${expr}, "kept", "yes", "${where.label}", ${JSON.stringify(where.value)})`;
  return `(${kept} and on (kept) label_replace(vector(1), "kept", "yes", "", ""))`;
}

function ownScopeLabels(engine: EngineFile): string[] {
  return SCOPE_LABELS.map((name) => engine.labels[name] ?? name);
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
