/** The metrics source over Prometheus: a signal becomes the PromQL of the engine that serves the scope, chosen by probing. */

import type { EngineFile, SignalSource } from '../catalog/engine-file.js';
import { type Clock, MINUTE, SECOND } from '../domain/clock.js';
import { canonicalLabels, type Labels } from '../domain/labels.js';
import type { MetricsSource, ReadOptions } from '../domain/metrics-source.js';
import type { Scope } from '../domain/scope.js';
import type { RangeReading, SignalReading } from '../domain/signal.js';
import type { VectorAnswer } from './answer.js';
import { expandExpression, scopeSelector } from './expand.js';
import { explainEmpty } from './explain-empty.js';
import { createEngineProbe } from './probe-engines.js';
import type { PrometheusClient } from './prometheus-client.js';

export type PrometheusSourceOptions = {
  readonly client: PrometheusClient;
  /** In order of preference; the last fills the gaps. */
  readonly engines: readonly EngineFile[];
  readonly clock: Clock;
  readonly timeScale?: number;
  readonly defaultWindowMs?: number;
};

/** Equal questions within this time are asked once: a storm asks the same of the same scope. */
const SHARE_MS = SECOND;

type Chosen = { readonly engine: EngineFile; readonly source: SignalSource & { readonly expr: string } };

export function createPrometheusSource(
  options: PrometheusSourceOptions,
): MetricsSource & { close(): Promise<void> } {
  const timeScale = options.timeScale ?? 1;
  const defaultWindowMs =
    options.defaultWindowMs ?? Math.max(4 * SECOND, Math.round((5 * MINUTE) / timeScale));
  const probe = createEngineProbe(options.client, options.engines, options.clock);
  const shared = new Map<string, { readonly startedMs: number; readonly answer: Promise<unknown> }>();

  function once<T>(key: string, ask: () => Promise<T>): Promise<T> {
    const nowMs = options.clock.monotonic();
    for (const [known, { startedMs }] of shared) if (nowMs - startedMs > SHARE_MS) shared.delete(known);
    const running = shared.get(key);
    if (running !== undefined) return running.answer as Promise<T>;
    const answer = ask();
    shared.set(key, { startedMs: nowMs, answer });
    return answer;
  }

  async function choose(signal: string, scope: Scope, read: ReadOptions): Promise<Chosen | SignalReading> {
    const engines = await probe(scope, read);
    if (!Array.isArray(engines)) return { ...engines, engine: null, query: null };
    for (const engine of engines) {
      const source = engine.signals[signal];
      if (source?.expr !== undefined && source.status !== 'unavailable')
        return { engine, source: { ...source, expr: source.expr } };
    }
    const why = engines.map((engine) => engine.signals[signal]?.why).find((one) => one !== undefined);
    return {
      kind: 'empty',
      reason: 'unavailable',
      detail: why ?? `no engine file has ${signal}`,
      engine: null,
      query: null,
    };
  }

  function expressionOf(chosen: Chosen, scope: Scope, read: ReadOptions): string {
    const selector = scopeSelector(chosen.engine, scope);
    return expandExpression(chosen.source.expr, chosen.engine, {
      selector,
      windowMs: read.windowMs ?? defaultWindowMs,
      timeScale,
    });
  }

  return {
    kind: 'prometheus',
    readSignal(signal, scope, read) {
      // The scope is what keeps one tenant's numbers out of another's verdict; without it there is no question.
      if (Object.keys(scope).length === 0) return Promise.resolve(noScope());
      const key = `i ${signal} ${canonicalLabels(scope)} ${Math.floor(read.atMs / SHARE_MS)} ${read.windowMs ?? ''}`;
      return once(key, async () => {
        const chosen = await choose(signal, scope, read);
        if ('kind' in chosen) return chosen;
        const query = expressionOf(chosen, scope, read);
        const asked = { engine: chosen.engine.engine, query };
        const answer = await options.client.query(query, read);
        if (answer.kind === 'failed') return { ...answer, ...asked };
        const reading = fromVector(answer, chosen, asked);
        if (reading !== null) return reading;
        return {
          ...(await explainEmpty(options.client, chosen.engine, chosen.source, scope, read)),
          ...asked,
        };
      });
    },
    readRange(signal, scope, read) {
      if (Object.keys(scope).length === 0) return Promise.resolve(noScope());
      const key = `r ${signal} ${canonicalLabels(scope)} ${Math.floor(read.atMs / SHARE_MS)} ${read.spanMs}`;
      return once(key, async (): Promise<RangeReading> => {
        const chosen = await choose(signal, scope, read);
        if ('kind' in chosen) return chosen.kind === 'value' ? noScope() : chosen;
        const query = expressionOf(chosen, scope, read);
        const asked = { engine: chosen.engine.engine, query };
        const stepMs = Math.max(SECOND, Math.ceil(read.spanMs / Math.max(1, read.maxPoints - 1)));
        const range = { startMs: read.atMs - read.spanMs, endMs: read.atMs, stepMs };
        const answer = await options.client.queryRange(
          query,
          read.signal === undefined ? range : { ...range, signal: read.signal },
        );
        if (answer.kind === 'failed') return { ...answer, ...asked };
        if (answer.series.length === 0) {
          return { kind: 'empty', reason: 'no_series', detail: 'nothing in the whole span', ...asked };
        }
        const series = answer.series.map((one) => ({
          ...one,
          worker: workerName(chosen.engine, one.labels),
        }));
        return { kind: 'series', series, ...asked };
      });
    },
    async query(expression, read) {
      const asked = { engine: null, query: expression };
      const answer = await options.client.query(expression, read);
      if (answer.kind === 'failed') return { ...answer, ...asked };
      const samples = answer.samples.map((sample) => ({ ...sample, worker: null }));
      if (samples.length === 0)
        return { kind: 'empty', reason: 'no_series', detail: 'the expression answers nothing', ...asked };
      return { kind: 'value', samples, ...asked };
    },
    close: () => options.client.close(),
  };
}

/** Samples that are numbers; null when there are none and nobody knows why yet. */
function fromVector(
  answer: Extract<VectorAnswer, { kind: 'vector' }>,
  chosen: Chosen,
  asked: { readonly engine: string; readonly query: string },
): SignalReading | null {
  if (answer.samples.length === 0) return null;
  const numbers = answer.samples.filter((sample) => !Number.isNaN(sample.value));
  if (numbers.length === 0) {
    // A quantile over a histogram that did not move is NaN: that is no traffic, not a broken exporter.
    if (chosen.source.expr.includes('histogram_quantile')) {
      return {
        kind: 'empty',
        reason: 'no_traffic',
        detail: `${chosen.source.metrics[0]} did not move in the window`,
        ...asked,
      };
    }
    return { kind: 'empty', reason: 'not_a_number', detail: `${chosen.source.metrics[0]} is NaN`, ...asked };
  }
  const samples = numbers.map((sample) => ({ ...sample, worker: workerName(chosen.engine, sample.labels) }));
  return { kind: 'value', samples, ...asked };
}

function noScope(): Extract<SignalReading, { kind: 'empty' }> {
  return {
    kind: 'empty',
    reason: 'label_missing',
    detail: 'the alert has no cluster, namespace or model label',
    engine: null,
    query: null,
  };
}

/** `decode-3`, or `decode-3/1` for the second rank; null when the series is not a worker's. */
function workerName(engine: EngineFile, labels: Labels): string | null {
  const name = engine.worker
    .map((label) => labels[label])
    .find((value) => value !== undefined && value !== '');
  if (name === undefined) return null;
  const rank = engine.rank === undefined ? undefined : labels[engine.rank];
  return rank === undefined || rank === '' || rank === '0' ? name : `${name}/${rank}`;
}
