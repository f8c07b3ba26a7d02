/** Shaping PromQL that a person reads. */

/** Scope labels that every alert carries, so that its incident knows where it is. */
export const SCOPE_LABELS = ['cluster', 'namespace', 'model'] as const;

export const BY_SCOPE = `by (${SCOPE_LABELS.join(', ')})`;
export const ON_SCOPE = `on (${SCOPE_LABELS.join(', ')})`;

/** In brackets where it is more than one comparison. */
export function grouped(expression: string): string {
  return expression.includes('\n') ? `(\n${indent(expression)}\n)` : expression;
}

export function anyOf(parts: readonly string[]): string {
  return parts.join('\nor\n');
}

export function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}
