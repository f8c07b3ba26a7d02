/** Which signals of a scope are answered under a name that their engine gave up since. */

import type { EngineFile } from '../catalog/engine-file.js';
import type { Scope } from '../domain/scope.js';
import type { PrometheusClient } from './prometheus-client.js';
import { selectScope } from './scope-selector.js';
import { quote, quoteNames } from './selector.js';

/** The old name and the present one, by signal. Empty when it cannot be told. */
export type OldNames = ReadonlyMap<string, { readonly old: string; readonly present: string }>;

/** One question an engine of the scope. */
export async function findOldNames(
  client: PrometheusClient,
  engines: readonly EngineFile[],
  scope: Scope,
  atMs: number,
  externalLabels: readonly string[] = [],
): Promise<OldNames> {
  const found = new Map<string, { readonly old: string; readonly present: string }>();
  await Promise.all(
    engines.map(async (engine) => {
      const selected = selectScope(engine, scope, externalLabels);
      const renamed = Object.entries(engine.signals).filter(
        ([, { was, expr }]) => was.length > 0 && expr !== undefined,
      );
      if (selected.kind === 'refused' || renamed.length === 0) return;
      const names = renamed.flatMap(([, { metrics, was }]) => [...metrics, ...was]);
      const { selector } = selected.scope;
      const answer = await client.query(
        `count by (__name__) ({__name__=~${quote(quoteNames([...new Set(names)]))}${selector === '' ? '' : `,${selector}`}})`,
        { atMs },
      );
      if (answer.kind === 'failed') return;
      const here = new Set(answer.samples.map(({ labels }) => labels.__name__));
      for (const [signal, { metrics, was }] of renamed) {
        const [present] = metrics;
        const old = was.find((name) => here.has(name));
        if (present !== undefined && !here.has(present) && old !== undefined)
          found.set(signal, { old, present });
      }
    }),
  );
  return found;
}
