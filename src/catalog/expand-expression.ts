/** Fills an engine file's expression: for one scope at diagnosis time, or for every scope at once in a rule. */

import { SECOND } from '../domain/clock.js';
import type { EngineFile } from './engine-file.js';

export type ExpressionValues = {
  /** Matchers of the scope without braces; empty for all scopes. */
  readonly selector: string;
  /** The same without the model's. */
  readonly place: string;
  /** Scope labels that the answer keeps, in the engine's own names; empty for one scope. */
  readonly by: readonly string[];
  /** Already scaled. */
  readonly windowMs: number;
  /** What "the last hour" is, scaled. */
  readonly hourMs: number;
  /** The pods that serve the scope, as PromQL (see serving-pods.ts); only companions ask for it. */
  readonly pods?: string;
};

/** A rate over fewer scrapes than this is empty whenever one is late. */
const MIN_SCRAPES = 4;

/** Forms with punctuation first: an empty value takes its comma, braces or `by` along. */
const PLACEHOLDER =
  /(?<bare> by \(\$by\))|, \$(?<listed>by)\b|\{\$(?<braced>selector|place)\}|,\$(?<after>selector|place)\b|\$(?<plain>selector|place|worker|by|window|hour|pods)\b/g;

/** The PromQL text. One pass, so that a label value holding "$window" stays text. */
export function expandExpression(expression: string, engine: EngineFile, values: ExpressionValues): string {
  const by = values.by.join(', ');
  return expression.replace(PLACEHOLDER, (...match: unknown[]) => {
    const found = match.at(-1) as Record<string, string | undefined>;
    if (found.bare !== undefined) return by === '' ? '' : ` by (${by})`;
    if (found.listed !== undefined) return by === '' ? '' : `, ${by}`;
    if (found.braced !== undefined) {
      const matchers = matchersOf(found.braced, values);
      return matchers === '' ? '' : `{${matchers}}`;
    }
    if (found.after !== undefined) {
      const matchers = matchersOf(found.after, values);
      return matchers === '' ? '' : `,${matchers}`;
    }
    switch (found.plain) {
      case 'worker':
        return [...engine.worker, ...(engine.rank === undefined ? [] : [engine.rank])].join(', ');
      case 'by':
        return by;
      case 'window':
        return promDuration(values.windowMs);
      case 'hour':
        return promDuration(values.hourMs);
      case 'pods':
        if (values.pods === undefined) throw new Error(`${engine.engine}: nobody said which pods serve`);
        return values.pods;
      default:
        return matchersOf(found.plain ?? '', values);
    }
  });
}

function matchersOf(name: string, values: ExpressionValues): string {
  return name === 'place' ? values.place : values.selector;
}

/**
 * A window shortened by the time scale, but never below four scrapes. Without a known scrape interval the usual
 * 15 s is taken, shortened too, since a scaled fleet is scraped faster; at least a second.
 */
export function scaledWindow(
  ms: number,
  options: { readonly timeScale?: number; readonly scrapeIntervalMs?: number },
): number {
  const timeScale = options.timeScale ?? 1;
  const scrapeMs = options.scrapeIntervalMs ?? Math.max(SECOND, (15 * SECOND) / timeScale);
  return Math.round(Math.max(ms / timeScale, MIN_SCRAPES * scrapeMs));
}

/** A Prometheus duration of whole ms: `5m`, `90s`, `1500ms`. */
export function promDuration(ms: number): string {
  const whole = Math.max(1, Math.round(ms));
  if (whole % 3_600_000 === 0) return `${whole / 3_600_000}h`;
  if (whole % 60_000 === 0) return `${whole / 60_000}m`;
  return whole % 1000 === 0 ? `${whole / 1000}s` : `${whole}ms`;
}
