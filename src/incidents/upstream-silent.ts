/** The absence of a Watchdog as an alert: one incident a Watchdog, in the place that its labels name. */

import type { AlertStatus } from '../domain/alert.js';
import { minutesBetween } from '../render/duration.js';
import type { Heartbeat } from '../store/heartbeat-store.js';
import type { SelfAlert } from './self-alert.js';

export const UPSTREAM_SILENT = 'WakewellUpstreamSilent';

/** Labels are those of the Watchdog, so that it is routed and scoped alike; `heartbeat` is its name. */
export function upstreamSilent(
  beat: Pick<Heartbeat, 'name' | 'source' | 'labels' | 'lastSeenAtMs'>,
  status: AlertStatus,
  nowMs: number,
): SelfAlert {
  const from = `${beat.name} of ${beat.source}`;
  return {
    name: UPSTREAM_SILENT,
    severity: 'critical',
    status,
    labels: { ...beat.labels, heartbeat: beat.name, sender: beat.source },
    summary:
      status === 'firing'
        ? `Nothing was heard of ${from} for ${minutesBetween(beat.lastSeenAtMs, nowMs)}: alerts may no longer arrive`
        : `${from} is heard again`,
    description:
      'Prometheus does not evaluate it, Alertmanager does not deliver it, or its route no longer leads here. ' +
      'Until it is back a problem may go unnoticed.',
  };
}
