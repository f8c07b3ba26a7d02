import type { EngineFile } from '../catalog/engine-file.js';
import { type Clock, MINUTE } from '../domain/clock.js';
import { canonicalLabels } from '../domain/labels.js';
import type { Scope } from '../domain/scope.js';
import type { Failed } from './answer.js';
import { scopeSelector } from './expand.js';
import type { PrometheusClient } from './prometheus-client.js';

/** A roll-out swaps engines in minutes; a probe at every read would double the questions. */
const REMEMBER_MS = MINUTE;

export type EngineProbe = (
  scope: Scope,
  options: { readonly atMs: number; readonly signal?: AbortSignal },
) => Promise<EngineFile[] | Failed>;

/**
 * Finds which engines serve a scope by asking for the metric that each always exports. The last engine file
 * stays in the list whatever the answer, since it fills gaps. Failures are not remembered.
 */
export function createEngineProbe(
  client: PrometheusClient,
  engines: readonly EngineFile[],
  clock: Clock,
): EngineProbe {
  const known = new Map<string, { readonly atMs: number; readonly found: Promise<EngineFile[] | Failed> }>();
  const last = engines.at(-1);

  async function look(
    scope: Scope,
    options: { atMs: number; signal?: AbortSignal },
  ): Promise<EngineFile[] | Failed> {
    // One question for all: the answers carry the engine's name.
    const expression = engines
      .map(
        (engine) =>
          `label_replace(count(${engine.probe}{${scopeSelector(engine, scope)}}), "engine", "${engine.engine}", "", "")`,
      )
      .join(' or ');
    const answer = await client.query(expression, options);
    if (answer.kind === 'failed') return answer;
    const present = new Set(answer.samples.map((sample) => sample.labels.engine));
    return engines.filter((engine) => present.has(engine.engine) || engine === last);
  }

  return (scope, options) => {
    const key = canonicalLabels(scope);
    const nowMs = clock.monotonic();
    for (const [name, entry] of known) if (nowMs - entry.atMs > REMEMBER_MS) known.delete(name);
    const remembered = known.get(key);
    if (remembered !== undefined) return remembered.found;
    const found = look(scope, options);
    known.set(key, { atMs: nowMs, found });
    void found.then((result) => {
      // Nothing found yet, or not reachable: ask again next time.
      if (!Array.isArray(result) || result.length <= 1) known.delete(key);
    });
    return found;
  };
}
