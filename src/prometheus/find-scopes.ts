import type { EngineFile } from '../catalog/engine-file.js';
import { canonicalLabels, labelsFrom, labelValue } from '../domain/labels.js';
import type { Scope } from '../domain/scope.js';
import type { FindScopes } from '../domain/serving-health.js';
import type { PrometheusClient } from './prometheus-client.js';

/** A Prometheus with more served models than this is read in parts that somebody chose: the first ones are taken. */
const MAX_SCOPES = 200;

/** A model whose engines went silent is still served by somebody's intention: it is found, and shows as stale. */
const LOOK_BACK = '1h';

/**
 * Finds every scope that an engine or gateway reported within the hour, by the probes of the engine files: one question.
 * `externalLabels` are part of every scope and of no series.
 */
export function createScopeFinder(
  client: PrometheusClient,
  engines: readonly EngineFile[],
  allLabels: readonly string[],
  externalLabels: Readonly<Record<string, string>> = {},
): FindScopes {
  const scopeLabels = allLabels.filter((name) => !Object.hasOwn(externalLabels, name));
  const asked = engines.filter(({ role }) => role !== 'companion');
  const expression = asked
    .map((engine) => {
      const own = scopeLabels.map((name) => engine.labels[name] ?? name).join(', ');
      return `label_replace(group by (${own}) (last_over_time(${engine.probe}[${LOOK_BACK}])), "engine_file", "${engine.engine}", "", "")`;
    })
    .join(' or ');

  return async (options) => {
    const answer = await client.query(expression, options);
    if (answer.kind === 'failed') return answer;
    const found = new Map<string, { readonly scope: Scope; readonly engines: string[] }>();
    for (const { labels } of answer.samples) {
      const engine = asked.find((one) => one.engine === labels.engine_file);
      if (engine === undefined) continue;
      const scope = labelsFrom(
        allLabels.flatMap((name): [string, string][] => {
          const value = labelValue(externalLabels, name) ?? labels[engine.labels[name] ?? name] ?? '';
          return value === '' ? [] : [[name, value]];
        }),
      );
      const key = canonicalLabels(scope);
      const known = found.get(key) ?? { scope, engines: [] };
      known.engines.push(engine.engine);
      found.set(key, known);
    }
    const scopes = [...found]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .slice(0, MAX_SCOPES)
      .map(([, one]) => one);
    return { kind: 'scopes', scopes };
  };
}
