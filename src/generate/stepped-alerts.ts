/** The generated alerts as expressions that any Prometheus can step over the past, whether or not it has our rules. */

import type { AlertDefinition } from '../catalog/alert-definition.js';
import type { EngineFile } from '../catalog/engine-file.js';
import type { Thresholds } from '../catalog/thresholds.js';
import { SECOND } from '../domain/clock.js';
import { alertExpression } from './alert-expression.js';
import type { Recordings, RuleTimes } from './recorded-series.js';

export type SteppedAlert = {
  readonly alert: AlertDefinition;
  /** One series a scope while the condition holds; names no recorded series. */
  readonly expression: string;
  readonly forMs: number;
};

/** Real time between two evaluations of the generated rules. */
export const EVALUATION_INTERVAL_MS = 30 * SECOND;

/** Alerts that no engine of these can show are left out. */
export function steppedAlerts(
  alerts: readonly AlertDefinition[],
  engines: readonly EngineFile[],
  thresholds: Thresholds,
  times: RuleTimes = {},
): SteppedAlert[] {
  const timeScale = times.timeScale ?? 1;
  return alerts.flatMap((alert) => {
    const recordings: Recordings = new Map();
    const expression = alertExpression(alert, engines, thresholds, times, recordings);
    if (expression.kind === 'unseen') return [];
    return [{ alert, expression: inlined(expression.text, recordings), forMs: alert.forMs / timeScale }];
  });
}

/** Recorded series put in where they are named: a group records right before its alerts look. */
function inlined(expression: string, recordings: Recordings): string {
  return expression.replace(/\b[a-z_]\w*(?::\w+)+/gi, (name) => {
    const body = recordings.get(name);
    return body === undefined ? name : `(\n${body}\n)`;
  });
}
