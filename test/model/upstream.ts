/** What is really so: which alerts fire and which are silenced, as Alertmanager knows it. The service only hears of it. */

import type { HeldAlert, HeldSilence } from '../../src/alertmanager/api-answers.js';
import type { PeersReading } from '../../src/alertmanager/read-peers.js';
import type { Alert } from '../../src/domain/alert.js';
import { anAlert, resolvedCopy } from '../support/build.js';
import { EXPIRES_AFTER_MS } from '../support/paging-parts.js';

export type Truth = {
  readonly n: number;
  alert: Alert;
  firing: boolean;
  silenced: boolean;
  /** Its end was not delivered: nobody can know of it at once. */
  endLost: boolean;
  /** Monotonic ms at which the present firing, or its being audible again, began. */
  sinceMs: number;
};

/** Two alerts a model: the even one, once diagnosed, explains the odd one. */
export function alertOf(n: number, critical: boolean, startsAtMs: number): Alert {
  const model = n >> 1;
  return anAlert({
    name: n % 2 === 0 ? 'LLMKVCachePressure' : 'LLMHighTTFT',
    severity: critical ? 'critical' : 'warning',
    startsAtMs,
    labels: { model: `m${model}`, cluster: `c${model % 2}` },
  });
}

/** Its last resolve, for a delivery that comes too late or twice. */
export function asResolved(truth: Truth, nowMs: number): Alert {
  return resolvedCopy(truth.alert, nowMs);
}

/** One complete look at it. */
export function read(truths: Iterable<Truth>, nowMs: number): PeersReading {
  const alerts = new Map<string, HeldAlert>();
  const silences = new Map<string, HeldSilence>();
  for (const { n, alert, firing, silenced } of truths) {
    const id = `silence-${n}`;
    if (silenced) {
      silences.set(id, {
        id,
        createdBy: 'mia',
        comment: 'known',
        startsAtMs: nowMs - 1000,
        endsAtMs: nowMs + 3_600_000,
        state: 'active',
        matchers: [],
      });
    }
    if (!firing) continue;
    alerts.set(alert.alertKey, {
      alert,
      expiresAtMs: nowMs + EXPIRES_AFTER_MS,
      processed: true,
      silencedBy: silenced ? [id] : [],
      inhibitedBy: [],
      mutedBy: [],
      receivers: ['wakewell'],
    });
  }
  return { kind: 'read', alerts, silences, complete: true, faults: [] };
}
