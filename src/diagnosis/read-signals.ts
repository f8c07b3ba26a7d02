/** Asks a source for everything that some steps need: in parallel, each question once, nothing past the deadline. */

import type { Clock } from '../domain/clock.js';
import type { MetricsSource } from '../domain/metrics-source.js';
import type { Scope } from '../domain/scope.js';
import type { RangeReading, SignalReading } from '../domain/signal.js';
import type { Deadline } from './deadline.js';
import { TREND } from './trend.js';

export type Timed<T> = { readonly reading: T; readonly tookMs: number };

/** A reading, or null where the deadline came first. */
export type SignalReader = {
  /** As it was `agoMs` of people's time before. */
  readonly signal: (name: string, agoMs: number) => Promise<Timed<SignalReading | null>>;
  readonly query: (expression: string) => Promise<Timed<SignalReading | null>>;
  /** Undefined where no logs can be asked. `windowMs` of people's time. */
  readonly logs:
    | ((patterns: Readonly<Record<string, string>>, windowMs: number) => Promise<Timed<SignalReading | null>>)
    | undefined;
  readonly range: (name: string, until: Deadline) => Promise<Timed<RangeReading | null>>;
};

export type ReadContext = {
  readonly source: MetricsSource;
  readonly scope: Scope;
  readonly atMs: number;
  readonly timeScale: number;
  readonly clock: Clock;
};

/** Equal questions share one answer. A source that throws or rejects counts as `failed`. */
export function createSignalReader(context: ReadContext, deadline: Deadline): SignalReader {
  const { source, scope, atMs, clock } = context;
  const options = { atMs, signal: deadline.signal };
  const asked = new Map<string, Promise<Timed<SignalReading | null>>>();
  const ranges = new Map<string, Promise<RangeReading>>();

  function once(key: string, ask: () => Promise<SignalReading>): Promise<Timed<SignalReading | null>> {
    const present = asked.get(key);
    if (present !== undefined) return present;
    const started = clock.monotonic();
    const answer = deadline
      .wait<SignalReading | null>(startedNow(ask), () => null, failedReading)
      .then((reading) => ({ reading, tookMs: clock.monotonic() - started }));
    asked.set(key, answer);
    return answer;
  }

  return {
    signal: (name, agoMs) =>
      once(`signal ${name} ${agoMs}`, () =>
        source.readSignal(name, scope, { ...options, atMs: atMs - agoMs / context.timeScale }),
      ),
    query: (expression) => once(`query ${expression}`, () => source.query(expression, options)),
    logs:
      source.readLogs === undefined
        ? undefined
        : (patterns, windowMs) =>
            once(`logs ${windowMs} ${JSON.stringify(patterns)}`, async () => {
              const asked = source.readLogs?.(patterns, scope, {
                ...options,
                windowMs: windowMs / context.timeScale,
              });
              return asked ?? { kind: 'empty', reason: 'unavailable', detail: '', engine: null, query: null };
            }),
    async range(name, until) {
      const started = clock.monotonic();
      let answer = ranges.get(name);
      if (answer === undefined) {
        const span = { spanMs: TREND.spanMs / context.timeScale, maxPoints: TREND.maxPoints };
        answer = startedNow(() => source.readRange(name, scope, { ...options, ...span }));
        ranges.set(name, answer);
      }
      const reading = await until.wait<RangeReading | null>(answer, () => null, failedReading);
      return { reading, tookMs: clock.monotonic() - started };
    },
  };
}

/** Calls at once; a synchronous throw becomes a rejection. */
async function startedNow<T>(ask: () => Promise<T>): Promise<T> {
  return ask();
}

function failedReading(error: unknown): Extract<SignalReading, { kind: 'failed' }> {
  const detail = `the metrics source failed: ${error instanceof Error ? error.message : String(error)}`;
  return { kind: 'failed', reason: 'unreachable', detail, engine: null, query: null };
}
