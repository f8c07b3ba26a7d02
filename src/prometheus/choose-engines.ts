import type { EngineFile, SignalSource } from '../catalog/engine-file.js';
import type { Scope } from '../domain/scope.js';
import { type ScopeSelector, selectScope } from './scope-selector.js';

/** An engine that may answer a signal in a scope, with everything its question needs. */
export type Candidate = {
  readonly engine: EngineFile;
  readonly source: SignalSource;
  readonly expression: string;
  readonly scope: ScopeSelector;
  /** It has series in the scope; else it is asked on the chance that it fills a gap. */
  readonly isPresent: boolean;
};

export type Choice =
  | {
      readonly kind: 'candidates';
      readonly candidates: readonly Candidate[];
      readonly unavailable: Unavailable | null;
    }
  | { readonly kind: 'unavailable'; readonly unavailable: Unavailable }
  | { readonly kind: 'refused'; readonly why: string };

/** The engine that serves the scope and says that it has no such signal. */
export type Unavailable = { readonly engine: string | null; readonly why: string };

/** The file that fills what an engine does not export, such as GPU figures under the canonical names. */
const GAP_FILLER = 'llm';

/**
 * Who is asked for a signal, in order: the engines present in the scope that have it, then the canonical names.
 * Where none is present every engine that has it is a candidate, since only its look-ups can say what is wrong.
 */
export function chooseEngines(
  signal: string,
  scope: Scope,
  engines: readonly EngineFile[],
  present: readonly EngineFile[],
  external: readonly string[],
): Choice {
  const asked =
    present.length === 0
      ? engines
      : engines.filter((engine) => present.includes(engine) || engine.engine === GAP_FILLER);
  const candidates: Candidate[] = [];
  let unavailable: Unavailable | null = null;
  for (const engine of asked) {
    const source = engine.signals[signal];
    const isPresent = present.includes(engine);
    if (source?.expr === undefined) {
      if (isPresent)
        unavailable ??= { engine: engine.engine, why: source?.why ?? `${engine.title} has no ${signal}` };
      continue;
    }
    const selected = selectScope(engine, scope, external);
    if (selected.kind === 'refused') return selected;
    candidates.push({ engine, source, expression: source.expr, scope: selected.scope, isPresent });
  }
  if (candidates.length > 0) return { kind: 'candidates', candidates, unavailable };
  return {
    kind: 'unavailable',
    unavailable: unavailable ?? { engine: null, why: `no engine file has ${signal}` },
  };
}
