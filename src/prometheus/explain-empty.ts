/** Why a signal's question was answered with nothing. Asked only then: "no data" and "healthy" must not look alike. */

import type { EngineFile, SignalSource } from '../catalog/engine-file.js';
import { HOUR, MINUTE } from '../domain/clock.js';
import type { Scope } from '../domain/scope.js';
import type { EmptyReason } from '../domain/signal.js';
import { scopeSelector } from './expand.js';
import type { PrometheusClient } from './prometheus-client.js';

export type Explanation =
  | { readonly kind: 'empty'; readonly reason: EmptyReason; readonly detail: string }
  | { readonly kind: 'stale'; readonly ageMs: number; readonly detail: string };

type Options = { readonly atMs: number; readonly signal?: AbortSignal };

/** Looks the metrics of a signal up without the expression around them. Never throws; at worst says "no series". */
export async function explainEmpty(
  client: PrometheusClient,
  engine: EngineFile,
  source: SignalSource,
  scope: Scope,
  options: Options,
): Promise<Explanation> {
  const metric = source.metrics[0];
  if (metric === undefined) return empty('no_series', 'the engine file names no metric');
  const selector = scopeSelector(engine, scope);
  const labels = Object.keys(scope).map((name) => engine.labels[name] ?? name);
  const [inScope, anywhere, lastSeen, renamed] = await Promise.all([
    count(client, `count(${metric}{${selector}})`, options),
    labelSets(client, metric, labels, options),
    age(client, `${metric}{${selector}}`, options),
    firstPresent(client, source.was, selector, options),
  ]);

  if (inScope > 0) {
    return empty('no_traffic', `${metric} is there, but nothing happened in the window`);
  }
  if (renamed !== null) return empty('renamed', `no series for ${metric}; found ${renamed}, renamed`);
  if (lastSeen !== null) {
    const minutes = Math.max(1, Math.round(lastSeen / MINUTE));
    return { kind: 'stale', ageMs: lastSeen, detail: `${metric} was last seen ${minutes} min ago` };
  }
  const missing =
    anywhere.length === 0
      ? undefined
      : labels.find((label) => anywhere.every((set) => (set[label] ?? '') === ''));
  if (missing !== undefined) {
    return empty('label_missing', `${metric} has no label ${missing}, so it cannot be told whose it is`);
  }
  if (anywhere.length > 0) return empty('no_series', `${metric} exists, but not for ${selector}`);
  return empty('no_series', `no series for ${metric}`);
}

function empty(reason: EmptyReason, detail: string): Explanation {
  return { kind: 'empty', reason, detail };
}

async function count(client: PrometheusClient, expression: string, options: Options): Promise<number> {
  const answer = await client.query(expression, options);
  return answer.kind === 'vector' ? (answer.samples[0]?.value ?? 0) : 0;
}

/** At most ten label sets that the metric has anywhere, reduced to the scope's labels. */
async function labelSets(
  client: PrometheusClient,
  metric: string,
  labels: readonly string[],
  options: Options,
) {
  const answer = await client.query(`topk(10, count by (${labels.join(', ')}) (${metric}))`, options);
  return answer.kind === 'vector' ? answer.samples.map((sample) => sample.labels) : [];
}

/** How long ago a series that the last hour knew was last scraped, ms; null when it was never there. */
async function age(client: PrometheusClient, series: string, options: Options): Promise<number | null> {
  const answer = await client.query(`max(max_over_time(timestamp(${series})[1h:30s]))`, options);
  const seconds = answer.kind === 'vector' ? answer.samples[0]?.value : undefined;
  if (seconds === undefined || !Number.isFinite(seconds)) return null;
  return Math.min(HOUR, Math.max(0, options.atMs - seconds * 1000));
}

async function firstPresent(
  client: PrometheusClient,
  names: readonly string[],
  selector: string,
  options: Options,
): Promise<string | null> {
  for (const name of names) {
    if ((await count(client, `count(${name}{${selector}})`, options)) > 0) return name;
  }
  return null;
}
