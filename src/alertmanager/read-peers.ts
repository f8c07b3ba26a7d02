/**
 * What the peers of one Alertmanager hold together. Each has every alert (Prometheus sends to all), so presence
 * anywhere is presence; absence means something only where all of them answered and had time to be told.
 */

import { MINUTE } from '../domain/clock.js';
import type { AlertmanagerClient, Answer } from './alertmanager-client.js';
import type { HeldAlert, HeldSilence } from './api-answers.js';

export type PeersReading =
  | {
      readonly kind: 'read';
      /** By alert key. */
      readonly alerts: ReadonlyMap<string, HeldAlert>;
      readonly silences: ReadonlyMap<string, HeldSilence>;
      /** Whether what is absent is not held: every peer answered, in full, and is not fresh from a restart. */
      readonly complete: boolean;
      /** Why it is not complete; empty when it is. */
      readonly faults: readonly string[];
    }
  | { readonly kind: 'unreachable'; readonly faults: readonly string[] };

/**
 * A peer that started less than this ago has an empty or partial list: alerts are not stored, Prometheus sends
 * each again after its resend delay (1 min by default) at its next evaluation.
 */
export const SETTLED_AFTER_MS = 5 * MINUTE;

type PeerReading = {
  readonly alerts: readonly HeldAlert[];
  readonly silences: readonly HeldSilence[];
  readonly fault: string | null;
};

/** Asks every peer at once. Never throws. */
export async function readPeers(
  clients: readonly AlertmanagerClient[],
  settledAfterMs = SETTLED_AFTER_MS,
): Promise<PeersReading> {
  const answers = await Promise.all(clients.map((client) => readPeer(client, settledAfterMs)));
  const read = answers.filter((answer) => answer.kind === 'ok').map((answer) => answer.value);
  const faults = answers.flatMap((answer) =>
    answer.kind === 'failed' ? answer.detail : (answer.value.fault ?? []),
  );
  if (read.length === 0) return { kind: 'unreachable', faults };

  const alerts = new Map<string, HeldAlert>();
  const silences = new Map<string, HeldSilence>();
  for (const peer of read) {
    for (const held of peer.alerts) {
      const key = held.alert.alertKey;
      const other = alerts.get(key);
      alerts.set(key, other === undefined ? held : union(other, held));
    }
    for (const silence of peer.silences) {
      const other = silences.get(silence.id);
      // A peer that has not heard yet of its end is behind.
      if (other === undefined || silence.state === 'expired') silences.set(silence.id, silence);
    }
  }
  return { kind: 'read', alerts, silences, complete: faults.length === 0, faults };
}

async function readPeer(client: AlertmanagerClient, settledAfterMs: number): Promise<Answer<PeerReading>> {
  const [status, alerts, silences] = await Promise.all([client.status(), client.alerts(), client.silences()]);
  if (status.kind === 'failed') return status;
  if (alerts.kind === 'failed') return alerts;
  if (silences.kind === 'failed') return silences;
  const { upForMs, settling } = status.value;
  const { unreadable } = alerts.value;
  const fault = settling
    ? `${client.host} still gathers its cluster`
    : upForMs === null
      ? `${client.host} does not say since when it runs`
      : upForMs < settledAfterMs
        ? `${client.host} was restarted ${Math.max(0, Math.round(upForMs / 1000))} s ago: its list is not whole yet`
        : unreadable > 0
          ? `${client.host} lists ${unreadable} alerts that cannot be read`
          : null;
  return { kind: 'ok', value: { alerts: alerts.value.alerts, silences: silences.value, fault } };
}

function union(a: HeldAlert, b: HeldAlert): HeldAlert {
  const both = (one: readonly string[], two: readonly string[]) => [...new Set([...one, ...two])];
  const expiries = [a.expiresAtMs, b.expiresAtMs].filter((at) => at !== null);
  return {
    alert: a.alert,
    expiresAtMs: expiries.length === 0 ? null : Math.max(...expiries),
    processed: a.processed && b.processed,
    silencedBy: both(a.silencedBy, b.silencedBy),
    inhibitedBy: both(a.inhibitedBy, b.inhibitedBy),
    mutedBy: both(a.mutedBy, b.mutedBy),
    receivers: both(a.receivers, b.receivers),
  };
}
