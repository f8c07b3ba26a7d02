/**
 * When each generated alert fires in a database that nobody evaluates rules on: every expression stepped over time as
 * the rule group would be, then held for its `for`. A test compares it with `promtool test rules`.
 */

import { firings } from '../../src/generate/firings.js';
import { EVALUATION_INTERVAL_MS, type SteppedAlert } from '../../src/generate/stepped-alerts.js';
import type { PrometheusClient } from '../../src/prometheus/prometheus-client.js';

export type FiringAlert = {
  readonly alertName: string;
  readonly severity: string;
  readonly labels: Readonly<Record<string, string>>;
  /** When its expression began to answer, ms since 1970, and the first evaluation at which it fired. */
  readonly sinceMs: number;
  readonly firedAtMs: number;
};

/** Steps the alerts over `startMs` to `endMs`, the first evaluation at `startMs`. Rejects when Prometheus refuses a question. */
export async function findAlerts(
  client: PrometheusClient,
  alerts: readonly SteppedAlert[],
  { startMs, endMs }: { readonly startMs: number; readonly endMs: number },
): Promise<FiringAlert[]> {
  const found: FiringAlert[] = [];
  const stepMs = EVALUATION_INTERVAL_MS;
  for (const { alert, expression, forMs } of alerts) {
    const answer = await client.queryRange(expression, { startMs, endMs, stepMs });
    if (answer.kind === 'failed') throw new Error(`${alert.name} could not be stepped: ${answer.detail}`);
    for (const { labels, points } of answer.series)
      for (const { sinceMs, firedAtMs } of firings(points, forMs, stepMs))
        found.push({ alertName: alert.name, severity: alert.severity, labels, sinceMs, firedAtMs });
  }
  return found;
}
