/** `wakewell health`: the five checks of every served model, live from Prometheus, without a running service. */

import { systemClock } from '../app.js';
import { DEFAULT_THRESHOLDS } from '../catalog/thresholds.js';
import { SECOND } from '../domain/clock.js';
import { placeOf } from '../domain/scope.js';
import { type HealthStatus, isAtLeast } from '../domain/serving-health.js';
import { evaluateHealth, type ServingHealth } from '../health/evaluate-health.js';
import { clean } from '../render/neutralise.js';
import { connectPrometheus } from './connect-prometheus.js';
import { CommandFailure, EXIT } from './exit-codes.js';
import { requireConfig } from './load-config.js';
import { loadEngines } from './load-playbook.js';

export type HealthOptions = {
  readonly watch: boolean;
  readonly failOn?: string;
  readonly json: boolean;
};

const MARK: Readonly<Record<HealthStatus, string>> = {
  healthy: '✓ OK',
  warning: '▲ WARNING',
  critical: '● CRITICAL',
  unknown: '? UNKNOWN',
};
const WATCH_MS = 10 * SECOND;

/** Exit 1 when the overall state is as bad as `--fail-on`, 3 when Prometheus did not answer. */
export async function health(options: HealthOptions): Promise<number> {
  const { failOn } = options;
  if (failOn !== undefined && failOn !== 'warning' && failOn !== 'critical') {
    throw new CommandFailure(EXIT.usage, `--fail-on ${failOn}: expected warning or critical`);
  }
  const config = requireConfig();
  const engines = loadEngines(config.engineDirectories);
  if (engines.faults.length > 0) throw new CommandFailure(EXIT.usage, engines.faults.join('\n'));
  const { source, findScopes, close } = connectPrometheus(config, engines.found);
  const thresholds = { ...DEFAULT_THRESHOLDS, ...config.thresholds };
  const deps = { source, findScopes, thresholds, clock: systemClock };
  try {
    for (;;) {
      const seen = await evaluateHealth(deps);
      console.log(options.json ? JSON.stringify(seen) : healthLines(seen).join('\n'));
      if (!options.watch) return statusOf(seen, failOn);
      await new Promise<void>((resolve) => systemClock.after(WATCH_MS, resolve));
      if (!options.json) console.log('');
    }
  } finally {
    await close();
  }
}

function statusOf(
  { overall, blind, reports }: ServingHealth,
  failOn: 'warning' | 'critical' | undefined,
): number {
  if (blind !== null && reports.length === 0 && blind.startsWith('no model is seen')) return EXIT.unreachable;
  const unknown =
    blind !== null || reports.some(({ checks }) => checks.some(({ status }) => status === 'unknown'));
  if (failOn === undefined) return EXIT.fine;
  return isAtLeast(overall, failOn) || (failOn === 'warning' && unknown) ? EXIT.found : EXIT.fine;
}

/** A block a model, worst check first as the report has it; a last line says the whole. */
export function healthLines({ atMs, overall, blind, reports }: ServingHealth): string[] {
  return [
    ...reports.flatMap(({ scope, overall: own, checks }) => [
      `${MARK[own]}  ${clean(placeOf(scope))}`,
      ...checks.flatMap(({ name, status, detail, issues }) => [
        `  ${MARK[status].padEnd(10)}  ${name.padEnd(8)}  ${clean(detail)}`,
        ...issues.map((issue) => `                        ${clean(issue)}`),
      ]),
    ]),
    ...(blind === null ? [] : [`? ${clean(blind)}`]),
    `Overall ${MARK[overall]} at ${new Date(atMs).toISOString()}`,
  ];
}
