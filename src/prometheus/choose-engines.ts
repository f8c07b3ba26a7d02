import type { EngineFile, SignalSource } from '../catalog/engine-file.js';
import { knowsItsPods, servingPods } from '../catalog/serving-pods.js';
import type { Scope } from '../domain/scope.js';
import type { EnginesFound } from './probe-engines.js';
import { type ScopeSelector, selectScope } from './scope-selector.js';

/** An engine that may answer a signal in a scope, with everything its question needs. */
export type Candidate = {
  readonly engine: EngineFile;
  readonly source: SignalSource;
  readonly expression: string;
  readonly scope: ScopeSelector;
  /** For a companion: the pods that serve the scope, as PromQL. */
  readonly pods?: string;
  /** It has series in the scope; else it is asked on the chance that it fills a gap. */
  readonly isPresent: boolean;
};

export type Choice =
  | {
      readonly kind: 'candidates';
      /** The engines of the scope that have the signal: all of them are asked, since a fleet may be mixed. */
      readonly engines: readonly Candidate[];
      /** Asked in order when no engine answers. */
      readonly others: readonly Candidate[];
      readonly unavailable: Unavailable | null;
    }
  | { readonly kind: 'unavailable'; readonly unavailable: Unavailable }
  | { readonly kind: 'refused'; readonly why: string };

/** The engine that serves the scope and says that it has no such signal. */
export type Unavailable = { readonly engine: string | null; readonly why: string };

/** The file that fills what an engine does not export, such as GPU figures under the canonical names. */
const GAP_FILLER = 'llm';

/**
 * Who is asked for a signal: the engines present in the scope that have it, then companions, gateways and the
 * canonical names. Where none is present, those seen elsewhere are asked: their look-ups can say what is wrong.
 */
export function chooseEngines(
  signal: string,
  scope: Scope,
  engines: readonly EngineFile[],
  found: EnginesFound,
  external: readonly string[],
): Choice {
  const { present, elsewhere } = found;
  const asked = engines.filter(
    (engine) => present.includes(engine) || elsewhere.includes(engine) || engine.engine === GAP_FILLER,
  );
  const pods = podsOf(scope, present, external);
  const candidates: Candidate[] = [];
  let unavailable: Unavailable | null = null;
  for (const engine of asked) {
    const source = engine.signals[signal];
    const isPresent = present.includes(engine);
    if (source?.expr === undefined) {
      if ((isPresent || elsewhere.includes(engine)) && engine.role !== 'companion')
        unavailable ??= { engine: engine.engine, why: source?.why ?? `${engine.title} has no ${signal}` };
      continue;
    }
    const selected = selectScope(engine, scope, external);
    if (selected.kind === 'refused') return selected;
    if (engine.by_pods.length > 0 && pods === null) continue;
    candidates.push({
      engine,
      source,
      expression: source.expr,
      scope: selected.scope,
      ...(pods === null ? {} : { pods }),
      isPresent,
    });
  }
  if (candidates.length > 0) {
    const serves = ({ engine, isPresent }: Candidate) =>
      isPresent && engine.role === 'engine' && engine.engine !== GAP_FILLER;
    const serving = candidates.filter(serves);
    const others = candidates.filter((candidate) => !serves(candidate));
    // Kubernetes counts restarts and replicas; what engines can only infer of them comes after it.
    const surer = serving.some(({ source }) => source.status === 'exact')
      ? []
      : others.filter(isExactCompanion);
    return surer.length === 0
      ? { kind: 'candidates', engines: serving, others, unavailable }
      : {
          kind: 'candidates',
          engines: [],
          others: [...surer, ...serving, ...others.filter((one) => !surer.includes(one))],
          unavailable,
        };
  }
  return {
    kind: 'unavailable',
    unavailable: unavailable ?? { engine: null, why: `no engine file has ${signal}` },
  };
}

function isExactCompanion({ engine, source, isPresent }: Candidate): boolean {
  return isPresent && engine.role === 'companion' && source.status === 'exact';
}

/** Null where no engine of the scope is seen, so that nothing could tie a companion's series to it. */
function podsOf(scope: Scope, present: readonly EngineFile[], external: readonly string[]): string | null {
  const serving = present.filter(knowsItsPods);
  if (serving.length === 0) return null;
  return servingPods(serving, (engine) => {
    const selected = selectScope(engine, scope, external);
    return selected.kind === 'ok' ? selected.scope.selector : '';
  });
}
