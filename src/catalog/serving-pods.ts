/** Which pods serve, asked of the engines themselves: what ties a GPU or a pod of Kubernetes to a model. */

import type { EngineFile } from './engine-file.js';

/**
 * One series of value 1 a pod, with the labels cluster, namespace, pod, worker_id and model. `selectorOf` gives an
 * engine's matchers without braces, empty for all scopes. A pod that serves two models is two series.
 */
export function servingPods(
  engines: readonly EngineFile[],
  selectorOf: (engine: EngineFile) => string,
): string {
  const parts = engines.filter(knowsItsPods).map((engine) => {
    const selector = selectorOf(engine);
    const own = engine.labels.model ?? 'model';
    // A router may repeat an engine's names without saying of which model.
    const series = `${engine.pods ?? engine.probe}{${selector === '' ? '' : `${selector},`}${own}!=""}`;
    const named = own === 'model' ? series : `label_replace(${series}, "model", "$1", "${own}", "(.+)")`;
    return `group by (cluster, namespace, pod, worker_id, model) (${named})`;
  });
  return `(${parts.join(' or ')})`;
}

/** An engine is a pod that serves; of a gateway only its file can tell. */
export function knowsItsPods({ role, pods }: EngineFile): boolean {
  return role === 'engine' || pods !== undefined;
}
