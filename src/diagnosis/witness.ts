/**
 * Stands between a diagnosis and its metrics and remembers every answer, so that what is frozen is what the verdict
 * rests on: asked again a moment later, a source may have other samples, or the answer that had been missing.
 */

import type { MetricsSource, ReadOptions } from '../domain/metrics-source.js';
import type { RangeReading, SignalReading } from '../domain/signal.js';
import { sourceFailed } from './source-failed.js';

/** `answer` is null while it has not come. */
export type Testimony =
  | (Question & { readonly kind: 'signal' | 'query'; readonly answer: SignalReading | null })
  | (Question & { readonly kind: 'range'; readonly spanMs: number; readonly answer: RangeReading | null });

type Question = { readonly name: string; readonly atMs: number; readonly windowMs: number | null };

export type Witness = {
  /** To be asked in place of the source that it was made from. */
  readonly source: MetricsSource;
  /** What was asked until now, each question once, and how it was answered until now. */
  readonly testimony: () => readonly Testimony[];
};

/** How a question to the logs is named in a recording. */
export function logsName(patterns: Readonly<Record<string, string>>): string {
  return `logs ${JSON.stringify(patterns)}`;
}

export function createWitness(source: MetricsSource): Witness {
  const asked = new Map<string, { question: Testimony }>();

  async function heard<T extends SignalReading | RangeReading>(
    question: Testimony,
    ask: () => Promise<T>,
  ): Promise<T> {
    const spanMs = question.kind === 'range' ? question.spanMs : null;
    const key = JSON.stringify([question.kind, question.name, question.atMs, question.windowMs, spanMs]);
    const entry = asked.get(key) ?? { question };
    asked.set(key, entry);
    // The first answer is what was judged by; an equal question shares it.
    const hear = (answer: SignalReading | RangeReading) => {
      if (entry.question.answer === null) entry.question = { ...question, answer } as Testimony;
    };
    try {
      const answer = await ask();
      hear(answer);
      return answer;
    } catch (error) {
      hear(sourceFailed(error));
      throw error;
    }
  }

  const { readLogs } = source;
  const about = (name: string, { atMs, windowMs }: ReadOptions) => ({
    name,
    atMs,
    windowMs: windowMs ?? null,
    answer: null,
  });
  return {
    source: {
      kind: source.kind,
      readSignal: (signal, scope, options) =>
        heard({ kind: 'signal', ...about(signal, options) }, () => source.readSignal(signal, scope, options)),
      readRange: (signal, scope, options) =>
        heard({ kind: 'range', ...about(signal, options), spanMs: options.spanMs }, () =>
          source.readRange(signal, scope, options),
        ),
      query: (expression, options) =>
        heard({ kind: 'query', ...about(expression, options) }, () => source.query(expression, options)),
      ...(readLogs === undefined
        ? {}
        : {
            readLogs: (patterns, scope, options) =>
              heard({ kind: 'query', ...about(logsName(patterns), options) }, () =>
                readLogs(patterns, scope, options),
              ),
          }),
    },
    testimony: () => [...asked.values()].map(({ question }) => question),
  };
}
