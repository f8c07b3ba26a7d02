/** Reads every served scope once and judges it. Nothing here throws for what a metrics source does. */

import { HEALTH_SIGNALS } from '../diagnosis/health-figures.js';
import { type Clock, SECOND } from '../domain/clock.js';
import type { MetricsSource } from '../domain/metrics-source.js';
import type { Scope } from '../domain/scope.js';
import type { FindScopes, HealthStatus, ServingReport } from '../domain/serving-health.js';
import { worstStatus } from '../domain/serving-health.js';
import { servingReport } from './serving-report.js';

export type HealthDeps = {
  readonly source: MetricsSource;
  readonly findScopes: FindScopes;
  readonly thresholds: Readonly<Record<string, number>>;
  readonly clock: Clock;
};

export type ServingHealth = {
  readonly atMs: number;
  readonly overall: HealthStatus;
  /** Why there is no report at all, or what is missing among them; null when nothing is. */
  readonly blind: string | null;
  readonly reports: readonly ServingReport[];
};

/** Scopes read side by side; each asks six questions of a pool of four connections. */
const AT_ONCE = 4;
/** Longest a whole evaluation may take. What is not read by then is unknown. */
const EVALUATION_MS = 30 * SECOND;

/** The report of every scope, in the order in which they were found; `only` limits it to one. */
export async function evaluateHealth(deps: HealthDeps, only?: Scope): Promise<ServingHealth> {
  const atMs = deps.clock.now();
  const giveUp = new AbortController();
  const cancel = deps.clock.after(EVALUATION_MS, () => giveUp.abort());
  try {
    const found = only === undefined ? await deps.findScopes({ atMs, signal: giveUp.signal }) : null;
    if (found?.kind === 'failed') return blind(atMs, `no model is seen: ${found.detail}`);
    const scopes = only === undefined ? (found?.scopes.map(({ scope }) => scope) ?? []) : [only];
    const unseen = found?.unseen ?? [];
    const missing = unseen.length === 0 ? null : `not seen: ${unseen.join('; ')}`;
    if (scopes.length === 0) return blind(atMs, missing ?? 'no engine reports anything: is one scraped?');
    const reports: ServingReport[] = [];
    for (let from = 0; from < scopes.length; from += AT_ONCE) {
      const slice = scopes.slice(from, from + AT_ONCE);
      reports.push(...(await Promise.all(slice.map((scope) => reportOf(deps, scope, atMs, giveUp.signal)))));
    }
    return { atMs, overall: worstStatus(reports.map(({ overall }) => overall)), blind: missing, reports };
  } finally {
    cancel();
  }
}

async function reportOf(
  deps: HealthDeps,
  scope: Scope,
  atMs: number,
  signal: AbortSignal,
): Promise<ServingReport> {
  const readings = await Promise.all(
    HEALTH_SIGNALS.map(
      async (name) => [name, await deps.source.readSignal(name, scope, { atMs, signal })] as const,
    ),
  );
  return servingReport(scope, new Map(readings), deps.thresholds, atMs);
}

function blind(atMs: number, why: string): ServingHealth {
  return { atMs, overall: 'unknown', blind: why, reports: [] };
}
