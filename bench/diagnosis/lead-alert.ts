import type { FiringAlert } from './find-alerts.js';

/** The alert whose webhook starts the diagnosis that counts: the first critical, since it pages; else the first warning. */
export function leadAlert(alerts: readonly FiringAlert[]): FiringAlert | null {
  const first = (severity: string) =>
    alerts
      .filter((one) => one.severity === severity)
      .reduce<FiringAlert | null>(
        (best, one) => (best === null || one.firedAtMs < best.firedAtMs ? one : best),
        null,
      );
  return first('critical') ?? first('warning');
}
