/** The PromQL of a dashboard's panels: each engine's own expression, limited by the dashboard's variables. */

import type { EngineFile } from '../catalog/engine-file.js';
import { expandExpression } from '../catalog/expand-expression.js';
import { servingPods } from '../catalog/serving-pods.js';
import { findSignal } from '../catalog/signals.js';
import { HOUR, MINUTE } from '../domain/clock.js';

export type PanelQuery = { readonly expr: string; readonly legend: string };

const DEFAULT_WINDOW_MS = 5 * MINUTE;

/** Variables of the dashboard, by the scope label that they choose. */
const VARIABLES: Readonly<Record<string, string>> = {
  cluster: '$cluster',
  namespace: '$namespace',
  model: '$model',
};

/** One query for each engine file that has the signal. `label` stands before what tells the series apart. */
export function signalQueries(
  signal: string,
  engines: readonly EngineFile[],
  options: { readonly label?: string; readonly windowMs?: number } = {},
): PanelQuery[] {
  return engines.flatMap((engine): PanelQuery[] => {
    const expr = queryOf(signal, engine, engines, options.windowMs);
    return expr === null ? [] : [{ expr, legend: legendOf(signal, engine, options.label) }];
  });
}

/** `query` over what two signals of the same engine read, such as their difference. */
export function combinedQueries(
  signals: readonly [string, string],
  engines: readonly EngineFile[],
  combine: (a: string, b: string) => string,
): PanelQuery[] {
  return engines.flatMap((engine): PanelQuery[] => {
    const [a, b] = signals.map((signal) => queryOf(signal, engine, engines));
    if (a == null || b == null) return [];
    return [{ expr: combine(a, b), legend: legendOf(signals[0], engine) }];
  });
}

/** The buckets behind a quantile, for a heat map; nothing for engines whose figure is no histogram. */
export function bucketQueries(signal: string, engines: readonly EngineFile[]): PanelQuery[] {
  return engines.flatMap((engine): PanelQuery[] => {
    const expr = queryOf(signal, engine, engines);
    const buckets = expr === null ? undefined : /^histogram_quantile\([\d.]+, ([\s\S]*)\)$/.exec(expr)?.[1];
    return buckets === undefined || buckets.includes('histogram_quantile')
      ? []
      : [{ expr: buckets.replace(/ by \([^)]*\)/, ' by (le)'), legend: '{{le}}' }];
  });
}

function queryOf(
  signal: string,
  engine: EngineFile,
  engines: readonly EngineFile[],
  windowMs = findSignal(signal)?.windowMs ?? DEFAULT_WINDOW_MS,
): string | null {
  const source = engine.signals[signal];
  if (source?.expr === undefined) return null;
  const isWorker = findSignal(signal)?.level === 'worker';
  const expr = expandExpression(source.expr, engine, {
    selector: selectorOf(engine, ['cluster', 'namespace', 'model']),
    place: selectorOf(engine, ['cluster', 'namespace']),
    // A figure of the scope is told apart by its model; a worker's by its own name.
    by: isWorker ? [] : [engine.labels.model ?? 'model'],
    windowMs,
    hourMs: HOUR,
    pods: servingPods(engines, (one) => selectorOf(one, ['cluster', 'namespace', 'model'])),
  });
  return source.scale === 1 ? expr : `${source.scale} * (${expr})`;
}

function selectorOf(engine: EngineFile, labels: readonly string[]): string {
  return labels
    .filter((name) => !engine.by_pods.includes(name))
    .map((name) => `${engine.labels[name] ?? name}=~"${VARIABLES[name] ?? '.*'}"`)
    .join(',');
}

function legendOf(signal: string, engine: EngineFile, label?: string): string {
  const definition = findSignal(signal);
  const split = definition?.splitBy === undefined ? [] : [`{{${definition.splitBy}}}`];
  const own =
    definition?.level === 'worker'
      ? [...engine.worker, ...(engine.rank === undefined ? [] : [engine.rank])].map((name) => `{{${name}}}`)
      : [`{{${engine.labels.model ?? 'model'}}}`, ...split];
  return [...(label === undefined ? [] : [label]), ...own].join(' ');
}
