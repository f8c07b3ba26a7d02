/**
 * Selectors from label pairs, never from text. A double-quoted PromQL string follows Go's escapes, of which
 * JSON's are a subset once lone surrogates are gone (docs/querying/basics.md).
 */

const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** `cluster="prod",model="a\"b"` without braces. Throws on a name that is no label name: names come from engine files. */
export function buildSelector(pairs: Iterable<readonly [string, string]>): string {
  const matchers: string[] = [];
  for (const [name, value] of pairs) {
    if (!LABEL_NAME.test(name)) throw new Error(`"${name}" is not a label name`);
    matchers.push(`${name}=${quote(value)}`);
  }
  return matchers.join(',');
}

/** A PromQL string literal. */
export function quote(value: string): string {
  // PromQL knows no \/ and JSON never writes it; U+2028/2029 pass as they are.
  return JSON.stringify(value.toWellFormed());
}

/** A Prometheus duration for whole ms, at least 1 s where the server's older grammar has no fractions. */
export function promDuration(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${Math.max(1, Math.round(ms))}ms`;
}
