/** The moment at which a Watchdog was absent for too long: an incident of our own, which pages like any other. */

import type { Tx } from '../store/database.js';
import type { HeartbeatStore } from '../store/heartbeat-store.js';
import type { Heartbeats } from './heartbeats.js';
import type { IntakeInput } from './intake-types.js';
import { selfInput } from './self-alert.js';
import { dropped, type TimerHandler } from './timer-effect.js';
import { UPSTREAM_SILENT, upstreamSilent } from './upstream-silent.js';

export type WatchdogDeps = {
  readonly stores: { readonly heartbeats: HeartbeatStore };
  readonly heartbeats: Pick<Heartbeats, 'silentAfterMs'>;
  /** Takes a call in, as part of a transaction. */
  readonly receiveWithin: (tx: Tx, inputs: readonly IntakeInput[]) => Promise<unknown>;
  readonly scopeLabels: readonly string[];
};

/** Opens in the transaction that ends the timer: a beat that comes at the same moment is before it or after it. */
export function createWatchdog(deps: WatchdogDeps): TimerHandler {
  return async (timer) => async (tx, nowMs) => {
    const all = await deps.stores.heartbeats.listHeartbeats(tx);
    const beat = all.find((one) => one.alertKey === timer.key);
    if (beat === undefined) return dropped('no such Watchdog is known');
    if (beat.silentSinceMs !== null) return dropped('its absence is known');
    const patienceMs = deps.heartbeats.silentAfterMs(beat);
    if (patienceMs === null) return dropped('how often it comes is not known');
    const silentAtMs = beat.lastSeenAtMs + patienceMs;
    if (nowMs < silentAtMs)
      return { kind: 'postponed', dueAtMs: silentAtMs, reason: 'it was heard meanwhile' };

    await deps.stores.heartbeats.saveHeartbeat(tx, { ...beat, silentSinceMs: nowMs });
    const { scopeLabels } = deps;
    await deps.receiveWithin(tx, [
      selfInput([upstreamSilent(beat, 'firing', nowMs)], { scopeLabels, nowMs }),
    ]);
    return { kind: 'fired', reason: `${UPSTREAM_SILENT} opened` };
  };
}
