/** Numbers over workers. Computed here, once, so that Prometheus, recordings and the simulator agree. */

/** Null for an empty list. An even count gives the mean of the middle two. */
export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  // Numeric order without a comparison function, which a thousand values would feel.
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  // Halved before they are added: two huge values must not overflow.
  return sorted.length % 2 === 1 ? upper : (sorted[middle - 1] ?? 0) / 2 + upper / 2;
}

/** Null for an empty list. */
export function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : sum(values) / values.length;
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** `max`, `min`, `mean`, `median`, `sum` of a non-empty list; nothing of an empty one, and nothing that overflows. */
export function summary(values: readonly number[]): Record<string, number> {
  if (values.length === 0) return {};
  const numbers = {
    max: values.reduce((a, b) => Math.max(a, b)),
    min: values.reduce((a, b) => Math.min(a, b)),
    mean: mean(values) ?? 0,
    median: median(values) ?? 0,
    sum: sum(values),
  };
  // JSON keeps neither infinity nor a negative zero, and what is stored must come back as it was.
  return Object.fromEntries(
    Object.entries(numbers).flatMap(([name, value]) => (Number.isFinite(value) ? [[name, value + 0]] : [])),
  );
}
