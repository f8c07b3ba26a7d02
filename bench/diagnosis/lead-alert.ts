import type { Firing } from './find-alerts.js';

/** The alert whose webhook starts the diagnosis that counts: the first critical, since it pages; else the first warning. */
export function leadAlert(firings: readonly Firing[]): Firing | null {
  const first = (severity: string) =>
    firings
      .filter((one) => one.severity === severity)
      .reduce<Firing | null>((best, one) => (best === null || one.fromMs < best.fromMs ? one : best), null);
  return first('critical') ?? first('warning');
}
