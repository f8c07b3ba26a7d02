/** Severity is the routing key: critical pages, warning goes to the team's channel, info is recorded. */

export const SEVERITIES = ['critical', 'warning', 'info'] as const;
export type Severity = (typeof SEVERITIES)[number];

const RANK: Readonly<Record<Severity, number>> = { critical: 3, warning: 2, info: 1 };

/** Positive when `a` is more severe than `b`. */
export function compareSeverity(a: Severity, b: Severity): number {
  return RANK[a] - RANK[b];
}

/** The more severe of the two. */
export function worseSeverity(a: Severity, b: Severity): Severity {
  return compareSeverity(a, b) >= 0 ? a : b;
}

/** A severity and, when it was not stated plainly, how it was arrived at (shown to the on-call). */
export type StatedSeverity = { readonly severity: Severity; readonly note: string | null };

/**
 * Reads a severity label. `mapping` holds lower-case words of the operator's own (page → critical …).
 * An absent or unknown word is a warning, and the note says so. Never throws.
 */
export function readSeverity(
  label: string | undefined,
  mapping: Readonly<Record<string, Severity>>,
): StatedSeverity {
  if (label === undefined || label.trim() === '') {
    return { severity: 'warning', note: 'no severity label: treated as warning' };
  }
  const word = label.trim().toLowerCase();
  const known = SEVERITIES.find((severity) => severity === word);
  if (known !== undefined) return { severity: known, note: null };
  const mapped = Object.hasOwn(mapping, word) ? mapping[word] : undefined;
  if (mapped !== undefined) return { severity: mapped, note: null };
  return { severity: 'warning', note: `unknown severity "${label.trim().slice(0, 40)}": treated as warning` };
}
