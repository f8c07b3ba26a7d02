/**
 * Selectors from label pairs, never from text. A double-quoted PromQL string follows Go's escapes, of which
 * JSON's are a subset once lone surrogates are gone (Prometheus docs/querying/basics.md).
 */

const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/**
 * `cluster="prod",model="a\"b"` without braces. Throws on a name that is no label name, and on an empty value:
 * `{l=""}` would select every series without the label, which is wider, not narrower.
 */
export function buildSelector(pairs: Iterable<readonly [string, string]>): string {
  const matchers: string[] = [];
  for (const [name, value] of pairs) {
    if (!LABEL_NAME.test(name)) throw new Error(`${JSON.stringify(name)} is not a label name`);
    if (value === '') throw new Error(`label ${name} is empty: it would select what lacks it`);
    matchers.push(`${name}=${quote(value)}`);
  }
  return matchers.join(',');
}

/** Whether `buildSelector` takes the pair. */
export function isSelectable(name: string, value: string): boolean {
  return LABEL_NAME.test(name) && value !== '';
}

/** A PromQL string literal. */
export function quote(value: string): string {
  return JSON.stringify(value.toWellFormed());
}

/** A pattern that matches exactly one of these names; RE2's special characters are quoted. */
export function quoteNames(names: readonly string[]): string {
  return names.map((name) => name.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|');
}
