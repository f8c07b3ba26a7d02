/** The real Prometheus on a free loopback port; null where it is not installed. */

import { prometheusConfig, type ScrapeTarget } from '../../src/generate/prometheus-config.js';
import { findBinary, type Launched, launchPrometheus } from '../../src/prometheus/launch.js';

export const prometheusBinary = findBinary(['prometheus'], process.env.PATH ?? '');

/** Tests that need it are skipped where it is missing, but not in CI. */
export const withoutPrometheus = prometheusBinary === null && process.env.CI !== 'true';

export async function startPrometheus(options: {
  readonly scrapeTargets: readonly (Omit<ScrapeTarget, 'path'> & { readonly path?: string })[];
  readonly rulesYaml?: string;
  /** `host:port`. */
  readonly alertmanagerAddress?: string;
  readonly scrapeIntervalMs: number;
  readonly evaluationIntervalMs: number;
}): Promise<Launched> {
  if (prometheusBinary === null) throw new Error('prometheus is not installed: apt-get install prometheus');
  return launchPrometheus({
    binary: prometheusBinary,
    configYaml: prometheusConfig({
      targets: options.scrapeTargets.map((target) => ({ path: '/metrics', ...target })),
      rulesFile: options.rulesYaml === undefined ? null : 'rules.yml',
      alertmanagerAddress: options.alertmanagerAddress ?? null,
      scrapeIntervalMs: options.scrapeIntervalMs,
      evaluationIntervalMs: options.evaluationIntervalMs,
    }),
    ...(options.rulesYaml === undefined ? {} : { files: { 'rules.yml': options.rulesYaml } }),
  });
}
