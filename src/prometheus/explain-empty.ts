/** Why a signal's question was answered with nothing. Asked only then: "no data" and "healthy" must not look alike. */

import type { EngineFile, SignalSource } from '../catalog/engine-file.js';
import { promDuration } from '../catalog/expand-expression.js';
import { HOUR, MINUTE, SECOND } from '../domain/clock.js';
import type { EmptyReason } from '../domain/signal.js';
import type { VectorAnswer } from './answer.js';
import type { PrometheusClient } from './prometheus-client.js';
import type { ScopeSelector } from './scope-selector.js';
import { quote, quoteNames } from './selector.js';

export type Explanation =
  | { readonly kind: 'empty'; readonly reason: EmptyReason; readonly detail: string }
  | { readonly kind: 'stale'; readonly ageMs: number; readonly detail: string };

export type ExplainOptions = {
  readonly atMs: number;
  readonly windowMs: number;
  readonly timeScale: number;
  /** Metric names that some engine file has a use for: none of them is another one renamed. */
  readonly known: ReadonlySet<string>;
  readonly signal?: AbortSignal;
};

/** A metric's name and the scope labels that some of its series carry; a label that they lack is "". */
type Sighting = { readonly name: string; readonly values: readonly string[]; readonly fits: Fit };

/** Whether a sighting is the scope's, might be but for labels that it lacks, or belongs elsewhere. */
type Fit =
  | { readonly kind: 'here' | 'elsewhere' }
  | { readonly kind: 'lacks'; readonly labels: readonly string[] };

/**
 * Looks the metrics of a signal up without the expression around them: at most three bounded questions at once.
 * Never throws; when nothing can be learned it says that no series was found, and why no more is known.
 */
export async function explainEmpty(
  client: PrometheusClient,
  engine: EngineFile,
  source: SignalSource,
  scope: ScopeSelector,
  options: ExplainOptions,
): Promise<Explanation> {
  const main = source.metrics[0];
  if (main === undefined) return empty('no_series', 'the engine file names no metric');
  const family = familyQuery(main, scope);
  const [census, relations, lastSeen] = await Promise.all([
    client.query(censusQuery([...source.metrics, ...source.was], scope), options),
    family === null ? null : client.query(family, options),
    client.query(lastSeenQuery(main, scope, options.timeScale), options),
  ]);
  if (census.kind === 'failed')
    return empty('no_series', `no series for ${main}; why could not be looked up: ${census.detail}`);

  const sightings = sightingsIn(census, scope);
  const isHere = (name: string) => sightings.some((one) => one.name === name && one.fits.kind === 'here');
  const absent = source.metrics.find((name) => !isHere(name));
  if (absent === undefined) return nothingCounted(main, source, options);

  const old = source.was.find(isHere);
  if (old !== undefined) return empty('renamed', `no series for ${absent}; found ${old}, renamed`);
  const relatives = absent === main ? relativesIn(relations, options.known) : [];
  const relative = relatives[0];
  if (relative !== undefined)
    return empty('renamed', `no series for ${absent}; found ${relative} instead: renamed?`);
  const ageMs = absent === main ? ageIn(lastSeen, options.atMs) : null;
  if (ageMs !== null) {
    return { kind: 'stale', ageMs, detail: `${main} was last seen ${ago(ageMs)} ago${scopeText(scope)}` };
  }
  return neverHere(absent, engine, sightings, scope);
}

function nothingCounted(main: string, source: SignalSource, options: ExplainOptions): Explanation {
  const window = promDuration(options.windowMs);
  return source.needs_traffic
    ? empty('no_traffic', `${main} counted nothing in ${window}: no requests, or a stall`)
    : empty('no_series', `${main} has fewer than two samples in ${window}`);
}

function neverHere(
  metric: string,
  engine: EngineFile,
  sightings: readonly Sighting[],
  scope: ScopeSelector,
): Explanation {
  const own = sightings.filter((one) => one.name === metric);
  for (const { fits } of own) {
    if (fits.kind !== 'lacks') continue;
    const names = fits.labels.join(' and ');
    return empty(
      'label_missing',
      `${metric} has series without the label ${names}: not asked without it, they may be somebody else's`,
    );
  }
  if (own.length === 0) return empty('no_series', `no series for ${metric}: is ${engine.title} scraped?`);
  const known = own
    .slice(0, 3)
    .map((one) => scope.labels.map(([name], i) => `${name}=${quote(one.values[i] ?? '')}`).join(','));
  return empty(
    'no_series',
    `no series for ${metric}${scopeText(scope)}; there are some for ${known.join(' and ')}`,
  );
}

/** Which of the names exist, anywhere, reduced to the scope's labels: bounded however many series there are. */
function censusQuery(names: readonly string[], scope: ScopeSelector): string {
  const labels = scope.labels.map(([name]) => name).join(', ');
  return `count by (__name__${labels === '' ? '' : `, ${labels}`}) ({__name__=~${quote(quoteNames(names))}})`;
}

/**
 * Names in the scope that are the metric's but for prefix and suffix: `ray_vllm_x` for `vllm:x`. Null for a stem of
 * one word, which too many metrics of other things share.
 */
function familyQuery(metric: string, scope: ScopeSelector): string | null {
  const stem = metric.replace(/^[a-z0-9]+[:_]/, '').replace(SUFFIX, '');
  if (!stem.includes('_')) return null;
  const pattern = `(.*[:_])?${quoteNames([stem])}(_total|_count|_seconds|_bytes|_ratio|_percent?)?`;
  return `count by (__name__) ({__name__=~${quote(pattern)},${scope.selector}})`;
}

const SUFFIX = /_(?:total|count|bytes|ratio|perc|seconds|seconds_count)$/;

/** A quarter of a minute is a scrape; an hour back is what "it was there" means. Both shrink with the time scale. */
function lastSeenQuery(metric: string, scope: ScopeSelector, timeScale: number): string {
  const span = promDuration(Math.max(10 * MINUTE, HOUR / timeScale));
  const step = promDuration(Math.max(SECOND, (15 * SECOND) / timeScale));
  return `max(max_over_time(timestamp(${metric}{${scope.selector}})[${span}:${step}]))`;
}

function sightingsIn(census: Extract<VectorAnswer, { kind: 'vector' }>, scope: ScopeSelector): Sighting[] {
  return census.samples.map(({ labels }) => {
    const values = scope.labels.map(([name]) => labels[name] ?? '');
    return { name: labels.__name__ ?? '', values, fits: fitOf(values, scope) };
  });
}

function fitOf(values: readonly string[], scope: ScopeSelector): Fit {
  const lacking: string[] = [];
  for (const [index, [name, wanted]] of scope.labels.entries()) {
    if (values[index] === '') lacking.push(name);
    else if (values[index] !== wanted) return { kind: 'elsewhere' };
  }
  return lacking.length === 0 ? { kind: 'here' } : { kind: 'lacks', labels: lacking };
}

function relativesIn(family: VectorAnswer | null, known: ReadonlySet<string>): string[] {
  if (family === null || family.kind === 'failed') return [];
  return family.samples
    .map((sample) => sample.labels.__name__ ?? '')
    .filter((name) => name !== '' && !known.has(name))
    .sort((a, b) => a.length - b.length);
}

function ageIn(answer: VectorAnswer, atMs: number): number | null {
  const seconds = answer.kind === 'vector' ? answer.samples[0]?.value : undefined;
  return seconds !== undefined && Number.isFinite(seconds) ? Math.max(0, atMs - seconds * SECOND) : null;
}

function ago(ageMs: number): string {
  return ageMs < 2 * MINUTE ? `${Math.round(ageMs / SECOND)} s` : `${Math.round(ageMs / MINUTE)} min`;
}

function scopeText(scope: ScopeSelector): string {
  return scope.selector === '' ? '' : ` for ${scope.selector}`;
}

function empty(reason: EmptyReason, detail: string): Explanation {
  return { kind: 'empty', reason, detail };
}
