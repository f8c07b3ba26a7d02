/**
 * Watchdogs at intake: a beat is remembered and opens nothing. Each beat moves the moment at which its absence is
 * raised; one that comes back closes what its absence opened, in the same transaction.
 */

import type { Alert } from '../domain/alert.js';
import { gapsAfter, intervalOf, silentAfterMs } from '../domain/heartbeat.js';
import type { Tx } from '../store/database.js';
import type { Heartbeat, HeartbeatStore } from '../store/heartbeat-store.js';
import type { TimerStore } from '../store/timer-store.js';
import type { IntakeInput, TakesHeartbeats } from './intake-types.js';
import { selfInput } from './self-alert.js';
import { upstreamSilent } from './upstream-silent.js';

export type HeartbeatDeps = {
  readonly stores: { readonly heartbeats: HeartbeatStore; readonly timers: TimerStore };
  /** Whether an alert is a Watchdog. */
  readonly isHeartbeat: (alert: Pick<Alert, 'labels'>) => boolean;
  /** As configured; null learns it from the beats. */
  readonly intervalMs: number | null;
  readonly scopeLabels: readonly string[];
};

export type Heartbeats = TakesHeartbeats & {
  readonly isHeartbeat: HeartbeatDeps['isHeartbeat'];
  /** The absence of every Watchdog counts from now: while we did not run nobody could hear it. */
  readonly grace: (tx: Tx, nowMs: number) => Promise<void>;
  /** How long one may be absent, ms; null while its interval is not known. */
  readonly silentAfterMs: (beat: Pick<Heartbeat, 'gaps'>) => number | null;
};

export function createHeartbeats(deps: HeartbeatDeps): Heartbeats {
  const { heartbeats, timers } = deps.stores;

  function patience({ gaps }: Pick<Heartbeat, 'gaps'>): number | null {
    const intervalMs = intervalOf(gaps, deps.intervalMs);
    return intervalMs === null ? null : silentAfterMs(intervalMs);
  }

  async function watch(tx: Tx, beat: Heartbeat, nowMs: number): Promise<void> {
    const patienceMs = patience(beat);
    if (patienceMs === null) return;
    await timers.replanTimer(tx, {
      kind: 'watchdog',
      key: beat.alertKey,
      payload: {},
      dueAtMs: nowMs + patienceMs,
      createdAtMs: nowMs,
    });
  }

  return {
    isHeartbeat: deps.isHeartbeat,
    silentAfterMs: patience,
    split(input) {
      const { parsed, source } = input;
      if (parsed.kind !== 'group') return null;
      const dogs = parsed.group.alerts.filter(deps.isHeartbeat);
      if (dogs.length === 0) return null;
      const alerts = parsed.group.alerts.filter((alert) => !deps.isHeartbeat(alert));
      const rest: IntakeInput = { ...input, parsed: { kind: 'group', group: { ...parsed.group, alerts } } };
      // A resolved one is no beat: it says that nobody evaluates it any more, and its absence will show.
      const beats = dogs.filter(({ status }) => status === 'firing').map((alert) => ({ source, alert }));
      return { beats, rest };
    },
    async record(tx, beats, nowMs) {
      if (beats.length === 0) return [];
      const known = new Map((await heartbeats.listHeartbeats(tx)).map((one) => [one.alertKey, one]));
      const back: IntakeInput[] = [];
      for (const { source, alert } of new Map(beats.map((beat) => [beat.alert.alertKey, beat])).values()) {
        const { alertKey, name, labels } = alert;
        const before = known.get(alertKey);
        const gaps =
          before === undefined ? [] : gapsAfter(before.gaps, Math.max(0, nowMs - before.lastSeenAtMs));
        const beat = { alertKey, source, name, labels, lastSeenAtMs: nowMs, gaps, silentSinceMs: null };
        await heartbeats.saveHeartbeat(tx, beat);
        await watch(tx, beat, nowMs);
        if (before === undefined || before.silentSinceMs === null) continue;
        const { scopeLabels } = deps;
        back.push(selfInput([upstreamSilent(before, 'resolved', nowMs)], { scopeLabels, nowMs }));
      }
      return back;
    },
    async grace(tx, nowMs) {
      for (const beat of await heartbeats.listHeartbeats(tx)) {
        if (beat.silentSinceMs === null) await watch(tx, beat, nowMs);
      }
    },
  };
}
