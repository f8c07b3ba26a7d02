import type { EngineFile } from '../catalog/engine-file.js';
import { type Clock, MINUTE } from '../domain/clock.js';
import { canonicalLabels } from '../domain/labels.js';
import type { Scope } from '../domain/scope.js';
import type { Failed } from './answer.js';
import type { PrometheusClient } from './prometheus-client.js';
import { selectScope } from './scope-selector.js';
import { quote, quoteNames } from './selector.js';

/** A roll-out swaps engines in minutes; a probe at every read would double the questions. */
const REMEMBER_MS = MINUTE;

/** Which engines there are, by their probe metrics, in the order of the files. */
export type EnginesFound = {
  /** Those with series in the scope. */
  readonly present: readonly EngineFile[];
  /** Where none is present: those with series anywhere in this Prometheus. */
  readonly elsewhere: readonly EngineFile[];
};

export type EngineProbe = (
  scope: Scope,
  options: { readonly atMs: number; readonly signal?: AbortSignal },
) => Promise<EnginesFound | Failed>;

/** Answers are remembered for a minute; failures and empty answers are not. Questions about the past are kept apart. */
export function createEngineProbe(
  client: PrometheusClient,
  engines: readonly EngineFile[],
  clock: Clock,
  external: readonly string[],
): EngineProbe {
  const known = new Map<string, { readonly atMs: number; readonly found: EnginesFound }>();
  const asking = new Map<string, Promise<EnginesFound | Failed>>();

  async function look(scope: Scope, atMs: number): Promise<EnginesFound | Failed> {
    // One question for all: each part of the answer carries its engine's name.
    const parts = engines.flatMap((engine) => {
      const selected = selectScope(engine, scope, external);
      return selected.kind === 'refused'
        ? []
        : [
            `label_replace(count(${engine.probe}{${selected.scope.selector}}), "engine", "${engine.engine}", "", "")`,
          ];
    });
    if (parts.length === 0) return { present: [], elsewhere: [] };
    const answer = await client.query(parts.join(' or '), { atMs });
    if (answer.kind === 'failed') return answer;
    const names = new Set(answer.samples.map((sample) => sample.labels.engine));
    const present = engines.filter((engine) => names.has(engine.engine));
    // A companion serves nobody: with it alone nothing is known of the scope.
    if (present.some(({ role }) => role !== 'companion')) return { present, elsewhere: [] };
    const census = await client.query(
      `count by (__name__) ({__name__=~${quote(quoteNames(engines.map(({ probe }) => probe)))}})`,
      { atMs },
    );
    if (census.kind === 'failed') return census;
    const seen = new Set(census.samples.map((sample) => sample.labels.__name__));
    return {
      present,
      elsewhere: engines.filter(({ probe, role }) => role !== 'companion' && seen.has(probe)),
    };
  }

  return (scope, { atMs }) => {
    const isPast = Math.abs(clock.now() - atMs) > 2 * MINUTE;
    const key = `${isPast ? Math.floor(atMs / MINUTE) : 'now'} ${canonicalLabels(scope)}`;
    const nowMs = clock.monotonic();
    for (const [name, entry] of known) if (nowMs - entry.atMs > REMEMBER_MS) known.delete(name);
    const remembered = known.get(key);
    if (remembered !== undefined) return Promise.resolve(remembered.found);
    const running = asking.get(key);
    if (running !== undefined) return running;
    // Not given a caller's signal: several wait for it, and the client's own timeout bounds it.
    const question = look(scope, atMs).then((result) => {
      asking.delete(key);
      if (!('kind' in result) && result.elsewhere.length === 0 && result.present.length > 0)
        known.set(key, { atMs: clock.monotonic(), found: result });
      return result;
    });
    asking.set(key, question);
    return question;
  };
}
