/**
 * The metrics source over Prometheus: a signal becomes the PromQL of the engine that serves the scope, chosen by
 * probing. What comes back is a value or a reason; a reason is looked up only when there is no value.
 */

import type { EngineFile } from '../catalog/engine-file.js';
import { expandExpression, scaledWindow } from '../catalog/expand-expression.js';
import { findSignal } from '../catalog/signals.js';
import { type Clock, HOUR, MINUTE, SECOND } from '../domain/clock.js';
import { canonicalLabels } from '../domain/labels.js';
import type { MetricsSource, ReadOptions } from '../domain/metrics-source.js';
import type { Scope } from '../domain/scope.js';
import type { RangeReading, SignalReading } from '../domain/signal.js';
import { type Candidate, chooseEngines } from './choose-engines.js';
import { explainEmpty } from './explain-empty.js';
import { mergeRanges, mergeReadings } from './merge-readings.js';
import { createEngineProbe, type EnginesFound } from './probe-engines.js';
import type { PrometheusClient } from './prometheus-client.js';
import { rangeFrom, readingFrom, type Silent } from './read-answer.js';
import { createSharedQuestions } from './shared-questions.js';

export type PrometheusSourceOptions = {
  readonly client: PrometheusClient;
  /** In order of preference; `llm` fills the gaps of the others. */
  readonly engines: readonly EngineFile[];
  readonly clock: Clock;
  /** 20 makes every window 20 times shorter. */
  readonly timeScale?: number;
  /** Window of rates and quantiles as it is used, already scaled; else five minutes by the time scale. */
  readonly defaultWindowMs?: number;
  /** How often targets are scraped; no window gets shorter than four scrapes. */
  readonly scrapeIntervalMs?: number;
  /** Scope labels that only exist outside this Prometheus (external labels) and so cannot be in a query. */
  readonly externalLabels?: readonly string[];
};

const SHARE_MS = SECOND;

/** Reading nothing, with who was asked what. */
type Nothing = Exclude<SignalReading, { kind: 'value' }>;

export function createPrometheusSource(
  options: PrometheusSourceOptions,
): MetricsSource & { close(): Promise<void> } {
  const { client, engines, clock, externalLabels = [] } = options;
  const timeScale = options.timeScale ?? 1;
  const probe = createEngineProbe(client, engines, clock, externalLabels);
  const known = new Set(
    engines.flatMap(({ signals }) =>
      Object.values(signals).flatMap(({ metrics, was }) => [...metrics, ...was]),
    ),
  );
  const shared = createSharedQuestions(clock, SHARE_MS);

  function windowOf(signal: string, read: ReadOptions): number {
    if (read.windowMs !== undefined) return read.windowMs;
    const own = findSignal(signal)?.windowMs;
    if (own !== undefined) return scaledWindow(own, options);
    return options.defaultWindowMs ?? scaledWindow(5 * MINUTE, options);
  }

  function queryOf({ engine, expression, scope, pods }: Candidate, windowMs: number): string {
    const hourMs = scaledWindow(HOUR, options);
    return expandExpression(expression, engine, {
      ...scope,
      by: [],
      windowMs,
      hourMs,
      ...(pods === undefined ? {} : { pods }),
    });
  }

  /**
   * Asks the engines of the scope, then one candidate after the other. Several engines' answers are `merged`; what
   * one of them could not say becomes a warning. Without any answer: the best reason why there is none.
   */
  async function answer<T extends { readonly kind: string }>(
    signal: string,
    scope: Scope,
    read: ReadOptions,
    ask: (candidate: Candidate, query: string) => Promise<T | Nothing | Silent>,
    merged: (answers: readonly T[], warnings: readonly string[]) => T,
  ): Promise<T | Nothing> {
    const found = await probe(scope, read);
    if ('kind' in found) return { ...found, engine: null, query: null };
    const { present } = found;
    const choice = chooseEngines(signal, scope, engines, found, externalLabels);
    if (choice.kind === 'refused') return nothing('label_missing', choice.why);
    if (choice.kind === 'unavailable')
      return { ...nothing('unavailable', choice.unavailable.why), engine: choice.unavailable.engine };

    const windowMs = windowOf(signal, read);
    const silent: { candidate: Candidate; query: string; warnings: readonly string[] }[] = [];
    const asked = await Promise.all(
      choice.engines.map(async (candidate) => {
        const query = queryOf(candidate, windowMs);
        return { candidate, query, reading: await ask(candidate, query) };
      }),
    );
    const answered = asked.flatMap(({ reading }) => (isAnswer<T>(reading) ? [reading] : []));
    const mute = asked.flatMap(({ candidate, reading }) =>
      isAnswer<T>(reading)
        ? []
        : [`${candidate.engine.title} did not answer${isSilent(reading) ? '' : `: ${reading.detail}`}`],
    );
    const [only] = answered;
    if (only !== undefined) return asked.length === 1 ? only : merged(answered, mute);
    for (const { candidate, query, reading } of asked) {
      if (!isSilent(reading)) return reading as Nothing;
      silent.push({ candidate, query, warnings: reading.warnings });
    }
    for (const candidate of choice.others) {
      const query = queryOf(candidate, windowMs);
      const reading = await ask(candidate, query);
      if (!isSilent(reading) && !(isAnswer<T>(reading) && lingers(candidate, signal, found))) return reading;
      silent.push({ candidate, query, warnings: isSilent(reading) ? reading.warnings : [] });
    }
    if (present.length === 0 && found.elsewhere.length === 0) return NOBODY;
    const { elsewhere } = found;
    const explain = silent.filter(
      ({ candidate }) =>
        candidate.isPresent ||
        (present.length === 0 && (elsewhere.length === 0 || elsewhere.includes(candidate.engine))),
    );
    if (explain.length === 0 && choice.unavailable !== null)
      return { ...nothing('unavailable', choice.unavailable.why), engine: choice.unavailable.engine };
    const reasons = await Promise.all(
      (explain.length === 0 ? silent : explain).map(
        async ({ candidate, query, warnings }): Promise<Nothing> => {
          const why = await explainEmpty(client, candidate.engine, candidate.source, candidate.scope, {
            ...read,
            windowMs,
            timeScale,
            known,
          });
          const detail = [why.detail, ...warnings].join('; Prometheus warns: ');
          return { ...why, detail, engine: candidate.engine.engine, query };
        },
      ),
    );
    return tellingOne(reasons);
  }

  return {
    kind: 'prometheus',
    readSignal(signal, scope, read) {
      const key = `instant ${signal} ${canonicalLabels(scope)} ${Math.floor(read.atMs / SHARE_MS)} ${windowOf(signal, read)}`;
      return shared.once<SignalReading>(key, waiting(read), (abort) => {
        const asked = { atMs: read.atMs, signal: abort };
        return answer<SignalReading>(
          signal,
          scope,
          { ...read, signal: abort },
          async (candidate, query) => {
            const said = { engine: candidate.engine.engine, query };
            const reply = await client.query(query, asked);
            return reply.kind === 'failed' ? { ...reply, ...said } : readingFrom(reply, candidate, said);
          },
          (answers, warnings) => mergeReadings(signal, answers, warnings),
        );
      });
    },
    readRange(signal, scope, read) {
      const stepMs = Math.max(SECOND, Math.ceil(read.spanMs / Math.max(1, read.maxPoints - 1)));
      const key = `range ${signal} ${canonicalLabels(scope)} ${Math.floor(read.atMs / SHARE_MS)} ${read.spanMs} ${stepMs} ${windowOf(signal, read)}`;
      return shared.once<RangeReading>(key, waiting(read), (abort) => {
        const span = {
          startMs: read.atMs - Math.floor(read.spanMs / stepMs) * stepMs,
          endMs: read.atMs,
          stepMs,
        };
        return answer<RangeReading>(
          signal,
          scope,
          { ...read, signal: abort },
          async (candidate, query) => {
            const said = { engine: candidate.engine.engine, query };
            const reply = await client.queryRange(query, { ...span, signal: abort });
            return reply.kind === 'failed' ? { ...reply, ...said } : rangeFrom(reply, candidate, span, said);
          },
          (answers, warnings) => mergeRanges(signal, answers, warnings),
        );
      });
    },
    query(expression, read) {
      const key = `query ${Math.floor(read.atMs / SHARE_MS)} ${expression}`;
      return shared.once<SignalReading>(key, waiting(read), async (abort) => {
        const said = { engine: null, query: expression };
        const reply = await client.query(expression, { atMs: read.atMs, signal: abort });
        if (reply.kind === 'failed') return { ...reply, ...said };
        const warnings = reply.warnings.length === 0 ? {} : { warnings: reply.warnings };
        const samples = reply.samples.map(({ labels, value }) => ({ labels, value, worker: null }));
        if (samples.length === 0)
          return { ...nothing('no_series', 'the expression answers nothing'), ...said, ...warnings };
        if (samples.every((sample) => Number.isNaN(sample.value)))
          return { ...nothing('not_a_number', 'the expression answers NaN'), ...said, ...warnings };
        return { kind: 'value', samples, ...said, ...warnings };
      });
    },
    close: () => client.close(),
  };
}

function isSilent(reading: { readonly kind: string }): reading is Silent {
  return reading.kind === 'silent';
}

function isAnswer<T extends { readonly kind: string }>(reading: T | Nothing | Silent): reading is T {
  return reading.kind === 'value' || reading.kind === 'series';
}

/**
 * A rate goes on for its whole window after its target went silent. Where the engine's probe is gone from the scope,
 * what it still answers is the past, and must not pass for the present.
 */
function lingers({ engine, isPresent }: Candidate, signal: string, found: EnginesFound): boolean {
  return !isPresent && found.elsewhere.includes(engine) && findSignal(signal)?.outlivesWorker !== true;
}

/** Nothing of any engine, neither here nor anywhere else. */
const NOBODY = nothing('no_series', 'this Prometheus has no metrics of any known engine');

function waiting(read: ReadOptions) {
  const detail = 'given up before Prometheus answered';
  const givenUp = (): Nothing & { kind: 'failed' } => ({
    kind: 'failed',
    reason: 'timeout',
    detail,
    engine: null,
    query: null,
  });
  return read.signal === undefined ? { givenUp } : { signal: read.signal, givenUp };
}

function nothing(reason: 'label_missing' | 'unavailable' | 'no_series' | 'not_a_number', detail: string) {
  return { kind: 'empty', reason, detail, engine: null, query: null } as const;
}

/** Reasons that name a cure before those that only say "nothing". */
const TELLING = [
  'renamed',
  'stale',
  'label_missing',
  'not_a_number',
  'no_traffic',
  'no_series',
  'unavailable',
];

function tellingOne(reasons: readonly Nothing[]): Nothing {
  const rank = (reading: Nothing) =>
    TELLING.indexOf(reading.kind === 'empty' ? reading.reason : reading.kind);
  const [best, ...others] = reasons.toSorted((a, b) => rank(a) - rank(b));
  if (best === undefined) return nothing('no_series', 'no engine file was asked');
  if (others.length === 0 || best.kind !== 'empty' || best.reason !== 'no_series') return best;
  // No engine is known to be here: name everything that was looked for.
  return { ...best, engine: null, detail: [best, ...others].map((one) => one.detail).join('; ') };
}
