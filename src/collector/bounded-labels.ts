/** Label values that callers can choose: each is cleaned, and only so many of a kind become series. */

/** What stands for every value beyond the limit. */
export const OTHER = 'other';
/** What stands for an absent or empty value: an empty label would be none at all. */
const UNKNOWN = 'unknown';
const MAX_CHARS = 120;

/** Returns what a value is counted under. The first `limit` different ones keep their own. */
export function createBoundedLabel(limit: number): (value: unknown) => string {
  const known = new Set<string>();
  return (value) => {
    const clean = cleanValue(value);
    if (known.has(clean)) return clean;
    if (known.size >= limit) return OTHER;
    known.add(clean);
    return clean;
  };
}

function cleanValue(value: unknown): string {
  if (typeof value !== 'string') return UNKNOWN;
  const text = value
    .slice(0, MAX_CHARS)
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '')
    .trim();
  return text === '' ? UNKNOWN : text;
}
