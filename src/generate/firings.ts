/** When a rule would have fired: Prometheus' `for` over an expression that was asked step by step. Pure. */

export type Firing = {
  /** When the expression began to answer, ms since 1970: the alert is pending from here on. */
  readonly sinceMs: number;
  /** First evaluation at which it had answered for all of `for`. */
  readonly firedAtMs: number;
  /** The expression's value then. */
  readonly value: number;
  /** Last evaluation at which it still answered; the next one resolves the alert, unless the range ends there. */
  readonly lastMs: number;
};

/**
 * The firing periods of one series, oldest first. `points` are [ms since 1970, value], oldest first, one for each
 * evaluation at which the expression answered; one evaluation without an answer ends the period, as Prometheus
 * has it without `keep_firing_for`. Evaluations are `stepMs` apart.
 *
 * Source: Prometheus 2.42 rules/alerting.go, `Eval`: pending → firing when `ts - ActiveAt >= holdDuration`; a
 * pending alert whose series is gone is forgotten at once.
 */
export function firings(
  points: readonly (readonly [number, number])[],
  forMs: number,
  stepMs: number,
): Firing[] {
  const found: Firing[] = [];
  let sinceMs: number | null = null;
  let previousMs = Number.NaN;
  let fired: { readonly atMs: number; readonly value: number } | null = null;
  const close = () => {
    if (sinceMs !== null && fired !== null)
      found.push({ sinceMs, firedAtMs: fired.atMs, value: fired.value, lastMs: previousMs });
    sinceMs = null;
    fired = null;
  };
  for (const [atMs, value] of points) {
    // Half a step more than a step: times are rounded to ms on their way.
    if (sinceMs !== null && atMs - previousMs > stepMs * 1.5) close();
    sinceMs ??= atMs;
    if (fired === null && atMs - sinceMs >= forMs) fired = { atMs, value };
    previousMs = atMs;
  }
  close();
  return found;
}
