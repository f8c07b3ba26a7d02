/** When the SLO is met again: the catalog's warning thresholds for TTFT p99, TBT p99 and error ratio, on what callers felt. */

import { DEFAULT_THRESHOLDS, threshold } from '../../src/catalog/thresholds.js';
import { MINUTE } from '../../src/domain/clock.js';
import type { RunSnapshot } from '../../src/simulator/simulate-run.js';
import type { SloFacts } from '../../src/simulator/slo-facts.js';

/** One good minute in a bad half hour is luck. */
const STAYS_MS = 3 * MINUTE;

/** Minutes from `fromMs` until the SLO is met and stays so for three minutes; null when it never is. */
export function minutesToSlo(snapshots: Iterable<RunSnapshot>, fromMs: number): number | null {
  let since: number | null = null;
  for (const { simulatedMs, slo } of snapshots) {
    if (simulatedMs < fromMs) continue;
    if (!meetsSlo(slo)) since = null;
    else {
      since ??= simulatedMs;
      if (simulatedMs - since >= STAYS_MS) return (since - fromMs) / MINUTE;
    }
  }
  return null;
}

export function meetsSlo({ ttftP99Seconds, tbtP99Seconds, errorRatio }: SloFacts): boolean {
  const limit = (name: string) => threshold(DEFAULT_THRESHOLDS, `${name}.warning`);
  return (
    (ttftP99Seconds ?? 0) <= limit('ttft_p99_seconds') &&
    (tbtP99Seconds ?? 0) <= limit('tbt_p99_seconds') &&
    errorRatio <= limit('error_ratio')
  );
}
