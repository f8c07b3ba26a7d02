import type { EngineFile } from '../catalog/engine-file.js';
import { HOUR } from '../domain/clock.js';
import type { Scope } from '../domain/scope.js';
import { buildSelector, promDuration } from './selector.js';

/** The matchers of a scope in an engine's own label names. A scope label that the engine has no name for is kept as it is. */
export function scopeSelector(engine: EngineFile, scope: Scope): string {
  return buildSelector(
    Object.entries(scope).map(([name, value]) => [engine.labels[name] ?? name, value] as const),
  );
}

/** Labels that tell workers of an engine apart, for a `by` clause. */
export function workerLabels(engine: EngineFile): string {
  return [...engine.worker, ...(engine.rank === undefined ? [] : [engine.rank])].join(', ');
}

/** Puts scope, worker labels and windows into an engine file's expression. `windowMs` is already scaled. */
export function expandExpression(
  expression: string,
  engine: EngineFile,
  values: { readonly selector: string; readonly windowMs: number; readonly timeScale: number },
): string {
  // One pass, so that a label value holding "$window" stays text.
  return expression.replace(/\$(selector|worker|window|hour)\b/g, (_, name: string) => {
    switch (name) {
      case 'selector':
        return values.selector;
      case 'worker':
        return workerLabels(engine);
      case 'window':
        return promDuration(values.windowMs);
      default:
        return promDuration(Math.max(4000, Math.round(HOUR / values.timeScale)));
    }
  });
}
