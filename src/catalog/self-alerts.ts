/**
 * Rules that watch the way of an alert instead of the models: one that always fires and so shows by its absence that
 * alerts no longer arrive, and one that fires when we are gone, which must reach somebody without us.
 */

import { MINUTE, SECOND } from '../domain/clock.js';

export type SelfAlertDefinition = {
  readonly name: string;
  /** Label of the alert; `none` is for what nobody is told of. */
  readonly severity: 'critical' | 'none';
  readonly expr: string;
  readonly forMs: number;
  readonly summary: string;
  readonly description: string;
};

/** Our job's name in the scrape configuration of deploy/prometheus.yml. */
export const SELF_JOB = 'wakewell';

/** The auditor passes every 30 s; four in a row that did not are no chance. Too short would page for a slow start. */
const AUDIT_OVERDUE_MS = 2 * MINUTE;

export const WATCHDOG = 'Watchdog';
export const WAKEWELL_DOWN = 'WakewellDown';

export const SELF_ALERTS: readonly SelfAlertDefinition[] = [
  {
    name: WATCHDOG,
    severity: 'none',
    expr: 'vector(1)',
    forMs: 0,
    summary: 'Always fires: Wakewell pages when it no longer arrives',
    description: 'A heartbeat of Prometheus, Alertmanager and the way between them and Wakewell',
  },
  {
    name: WAKEWELL_DOWN,
    severity: 'critical',
    // `absent` knows no labels here and the second part has none either, so that both are one alert.
    expr:
      `absent(up{job="${SELF_JOB}"} == 1)\n` +
      `or time() - max(wakewell_auditor_last_ok_timestamp_seconds{job="${SELF_JOB}"}) > ${AUDIT_OVERDUE_MS / SECOND}`,
    forMs: MINUTE,
    summary: 'Wakewell does not answer, or cannot prove that its pages leave in time',
    description:
      'Route this alert straight to the pager, not through Wakewell. Look at its log and at /readyz; until it is back ' +
      'look at Alertmanager for what fires',
  },
];
