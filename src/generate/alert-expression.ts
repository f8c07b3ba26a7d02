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
  readonly recordings: Recordings;
};

/** Series that rules record for alerts, by name: each is asked of every engine once, however many alerts need it. */
export type Recordings = Map<string, string>;

const BY_SCOPE = `by (${SCOPE_LABELS.join(', ')})`;
const ON_SCOPE = `on (${SCOPE_LABELS.join(', ')})`;

/** The file that fills what no engine exports; never added to what an engine says. */
const GAP_FILLER = 'llm';

/**
 * An expression that answers one series a scope while the alert's condition holds; null where no engine shows
 * what it needs. It speaks of recorded series, which are added to `recordings`: engine-neutral, and cheap.
 */
export function alertExpression(
  alert: AlertDefinition,
  engines: readonly EngineFile[],
  thresholds: Thresholds,
  times: RuleTimes,
  recordings: Recordings,
): string | null {
  const context = { engines, thresholds, times, windowMs: scaledWindow(alert.windowMs, times), recordings };
  const main = comparison(alert.condition, context);
  if (main === null) return null;
  let expression = main;
  const { and } = alert.condition;
  if (and !== undefined) {
    const besides = and.anyOf.flatMap((side) => comparison(side, context) ?? []);
    // A page that its damage has to confirm cannot fire where nobody reports the damage.
    if (besides.length === 0) return null;
    expression = `${grouped(expression)}\nand ${ON_SCOPE} (\n${indent(anyOf(besides))}\n)`;
  }
  const stalled = alert.condition.orStalled === true ? stalls(context) : null;
  return stalled === null ? expression : `${expression}\nor\n${stalled}`;
}

/** The condition over a recorded series; null where no engine has the signal. */
function comparison(condition: SideCondition | AlertCondition, context: Context): string | null {
  const value = recorded(condition, context);
  if (value === null) return null;
  const limit = threshold(context.thresholds, condition.threshold);
  const beyond = condition.over === '>' ? recordedBeyond(condition, context) : null;
  if (beyond === null) return `${value} ${condition.over} ${limit}`;
  return `${value}\nand ${ON_SCOPE} (${beyond} > ${limit})`;
}

/** Records the condition's value, one series a scope, and returns its name. Null where no engine has the signal. */
function recorded(condition: SideCondition, context: Context): string | null {
  const { rise, ...value } = condition;
  if (rise !== undefined && condition.aggregate === 'sum') {
    const total = recorded(value, context);
    if (total === null) return null;
    const base = rise.from === undefined ? null : threshold(context.thresholds, rise.from);
    return risen(total, rise.overMs, base, context);
  }
  const expression = ofAllEngines(condition, context, (engine) => aggregated(condition, engine, context));
  return expression === null ? null : record(nameOf(condition, context), expression, context);
}

/** The same for a quantile whose +Inf bucket has a finite edge far out; null for what is no quantile. */
function recordedBeyond(condition: SideCondition, context: Context): string | null {
  const expression = ofAllEngines(condition, context, (engine) =>
    beyondLastBucket(condition, engine, context),
  );
  return expression === null ? null : record(`${nameOf(condition, context)}_beyond`, expression, context);
}

function record(name: string, expression: string, { recordings }: Context): string {
  recordings.set(name, expression);
  return name;
}

/** `wakewell:queue_depth:sum_rise_5m`: signal, how it is aggregated, over what. */
function nameOf({ signal, aggregate, where, rise }: SideCondition, context: Context): string {
  const parts = [aggregate === 'sum' ? 'sum' : 'max'];
  if (where !== undefined) parts.push(where.value);
  // The name keeps the real time: a scaled rule says in its head that it is scaled.
  const minutes = (ms: number) => `${Math.round(ms / MINUTE)}m`;
  if (rise !== undefined)
    parts.push('rise', minutes(rise.overMs), ...(rise.from === undefined ? [] : ['grown']));
  else parts.push(minutes(context.windowMs * (context.times.timeScale ?? 1)));
  return `wakewell:${signal}:${parts.join('_')}`;
}

/**
 * Engines of one scope are a mixed fleet: their parts are added up, or the worst speaks. Companions, gateways and the
 * canonical names stand after `or`: they see the same requests again.
 */
function ofAllEngines(
  condition: SideCondition,
  context: Context,
  partOf: (engine: EngineFile) => string | null,
): string | null {
  const parts = context.engines.flatMap((engine) => {
    const part = partOf(engine);
    return part === null ? [] : [{ engine, part }];
  });
  const engines = parts.filter(({ engine }) => engine.role === 'engine' && engine.engine !== GAP_FILLER);
  const others = parts.filter((one) => !engines.includes(one)).map(({ part }) => part);
  const operator = condition.aggregate === 'sum' ? 'sum' : 'max';
  const [only] = engines;
  const fleet =
    engines.length < 2
      ? (only?.part ?? null)
      : `${operator} ${BY_SCOPE} (\n${indent(
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
  return overScope(risen(chosen, rise.overMs, base, context));
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
function stalls(context: Context): string | null {
  const sum = (signal: string) => recorded({ signal, over: '>', threshold: '', aggregate: 'sum' }, context);
  const waiting = sum('queue_depth');
  const running = sum('requests_running');
  const tokens = sum('generation_tokens_rate');
  if (waiting === null || running === null || tokens === null) return null;
  return `(${waiting} > 0 or ${running} > 0)\n* Inf\nand ${ON_SCOPE} (${tokens} == 0)`;
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

/** In brackets where it is more than one comparison. */
function grouped(expression: string): string {
  return expression.includes('\n') ? `(\n${indent(expression)}\n)` : expression;
}

function anyOf(parts: readonly string[]): string {
  return parts.join('\nor\n');
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}
