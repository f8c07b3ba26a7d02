/** Checks an operator's own PromQL without asking anybody. */

import { parser } from '@prometheus-io/lezer-promql';

/** What is wrong, in sentences; empty when nothing is. `{scope.x}` may stand only inside a double-quoted string. */
export function lintQuery(query: string): string[] {
  const reasons: string[] = [];
  const pieces = query.split(/("(?:[^"\\]|\\.)*")/);
  let plain = '';
  for (const [index, piece] of pieces.entries()) {
    const isString = index % 2 === 1;
    for (const match of piece.matchAll(/\{([a-z][a-z0-9_]*)\.([a-zA-Z_][a-zA-Z0-9_]*)\}/g)) {
      if (match[1] !== 'scope') reasons.push(`found ${match[0]} in a query, expected only {scope.<label>}`);
      else if (!isString)
        reasons.push(`${match[0]} stands outside a string, expected e.g. namespace="${match[0]}"`);
    }
    plain += isString ? '"x"' : piece;
  }
  if (reasons.length > 0) return reasons;
  let position: number | null = null;
  parser.parse(plain).iterate({
    enter(node) {
      if (node.type.isError && position === null) position = node.from;
    },
  });
  if (position !== null) reasons.push(`not valid PromQL, near character ${Number(position) + 1}`);
  return reasons;
}

/**
 * The query with the scope's values filled in, quoted for PromQL; null when a label that it needs is
 * missing: a query must never become wider because a label is absent.
 */
export function fillQuery(
  query: string,
  labels: Readonly<Record<string, string>>,
): { readonly query: string } | { readonly missing: string } {
  let missing: string | null = null;
  const filled = query.replace(/\{scope\.([a-zA-Z_][a-zA-Z0-9_]*)\}/g, (_all, name: string) => {
    const value = Object.hasOwn(labels, name) ? labels[name] : undefined;
    if (value === undefined || value === '') {
      missing ??= name;
      return '';
    }
    return JSON.stringify(value.toWellFormed()).slice(1, -1);
  });
  return missing === null ? { query: filled } : { missing };
}
