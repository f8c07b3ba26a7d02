/**
 * Behaves towards a webhook as Alertmanager does, with its clock, network and dice as arguments.
 *
 * Read in Alertmanager 0.28–0.34 (dispatch/dispatch.go, notify/notify.go, notify/util.go, webhook.go):
 * a group waits, then is flushed every group_interval; a flush sends the whole group, firing and resolved
 * mixed; 5xx and network errors are retried with backoff until the flush's deadline; any other answer but
 * 2xx ends the flush, and the next try is the next group_interval; success is written to the notification
 * log, resolved alerts are then forgotten, and unchanged groups are sent again after repeat_interval.
 * With `duplicateShare` an HA peer sends its own copy of a flush now and then.
 */

import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { Cancel, Clock } from '../../src/domain/clock.js';
import { canonicalLabels, type Labels } from '../../src/domain/labels.js';

export type SentAlert = {
  readonly status: 'firing' | 'resolved';
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly generatorURL: string;
  readonly fingerprint: string;
};

/** One attempt to deliver one body. `status` is null for a network error or a passed deadline. */
export type Attempt = {
  readonly groupKey: string;
  readonly body: string;
  readonly alerts: readonly SentAlert[];
  readonly sentAtMs: number;
  readonly answeredAtMs: number;
  readonly status: number | null;
};

export type DoubleOptions = {
  readonly clock: Clock;
  readonly random: () => number;
  /** Sends one body and gives the HTTP status; rejects for network errors and when `signal` fires. */
  readonly post: (body: string, signal: AbortSignal) => Promise<number>;
  readonly groupBy: readonly string[];
  readonly groupWaitMs: number;
  readonly groupIntervalMs: number;
  readonly repeatIntervalMs: number;
  /** A flush lasts at least this long (10 s in Alertmanager), else one group_interval. */
  readonly minFlushMs?: number;
  /** First pause of the backoff (500 ms in cenkalti/backoff), × 1.5 each time, ± 50 %. */
  readonly backoffMs?: number;
  /** Longest pause of the backoff; 60 s in cenkalti/backoff. */
  readonly maxBackoffMs?: number;
  readonly duplicateShare?: number;
  readonly onAttempt?: (attempt: Attempt) => void;
};

export type AlertmanagerDouble = {
  /** An alert as Prometheus sends it; firing it again while it fires changes nothing. */
  readonly fire: (labels: Labels, annotations?: Labels) => void;
  readonly resolve: (labels: Labels) => void;
  /** True when nothing fires and nothing is left to be said. */
  readonly isQuiet: () => boolean;
  readonly attempts: () => readonly Attempt[];
  /** Stops all timers and gives up what is under way. */
  readonly stop: () => Promise<void>;
};

type HeldAlert = {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly startsAtMs: number;
  endsAtMs: number | null;
};
type LogEntry = { firing: ReadonlySet<string>; resolved: ReadonlySet<string>; atMs: number };
type Group = {
  readonly key: string;
  readonly labels: Labels;
  readonly alerts: Map<string, HeldAlert>;
  log: LogEntry | null;
  flushing: boolean;
  cancel: Cancel;
};

const GO_ZERO_TIME = '0001-01-01T00:00:00Z';
const PEERS = ['http://alertmanager-0:9093', 'http://alertmanager-1:9093'] as const;

export function createAlertmanagerDouble(options: DoubleOptions): AlertmanagerDouble {
  const { clock, random } = options;
  const flushMs = Math.max(options.groupIntervalMs, options.minFlushMs ?? 10_000);
  const groups = new Map<string, Group>();
  const attempts: Attempt[] = [];
  const stopping = new AbortController();
  // One listener a flush under way, and there may be many groups.
  setMaxListeners(0, stopping.signal);
  const flushes = new Set<Promise<void>>();

  function groupOf(labels: Labels): Group {
    const groupLabels = Object.fromEntries(options.groupBy.map((name) => [name, labels[name] ?? '']));
    const pairs = Object.entries(groupLabels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
    const key = `{}:{${pairs.sort().join(', ')}}`;
    const known = groups.get(key);
    if (known !== undefined) return known;
    const group: Group = {
      key,
      labels: groupLabels,
      alerts: new Map(),
      log: null,
      flushing: false,
      cancel: () => {},
    };
    groups.set(key, group);
    schedule(group, options.groupWaitMs);
    return group;
  }

  function schedule(group: Group, delayMs: number): void {
    group.cancel = clock.after(delayMs, () => {
      if (stopping.signal.aborted) return;
      // The timer goes on while a flush is under way; a tick that meets one waits for the next.
      schedule(group, options.groupIntervalMs);
      if (group.flushing) return;
      group.flushing = true;
      const run = flush(group).finally(() => {
        group.flushing = false;
        flushes.delete(run);
      });
      flushes.add(run);
    });
  }

  async function flush(group: Group): Promise<void> {
    const nowMs = clock.now();
    const snapshot = [...group.alerts].map(([key, alert]) => [key, { ...alert }] as const);
    const firing = new Set(snapshot.filter(([, a]) => isFiring(a, nowMs)).map(([key]) => key));
    const resolved = new Set(snapshot.filter(([, a]) => !isFiring(a, nowMs)).map(([key]) => key));
    if (needsUpdate(group.log, firing, resolved, nowMs - options.repeatIntervalMs)) {
      const alerts = snapshot.map(([, alert]) => toSent(alert, nowMs));
      const copies = random() < (options.duplicateShare ?? 0) ? 2 : 1;
      const sends = [deliver(group, bodyOf(group, alerts, 0), alerts, flushMs)];
      if (copies === 2) {
        // A peer's clock differs: where the sender gave no startsAt, so does the peer's.
        const shifted = alerts.map((alert) => ({
          ...alert,
          startsAt: shiftTime(alert.startsAt, Math.floor(random() * 5)),
        }));
        sends.push(deliver(group, bodyOf(group, shifted, 1), shifted, flushMs));
      }
      const delivered = await Promise.all(sends);
      if (!delivered.some(Boolean)) return;
      group.log = { firing, resolved, atMs: clock.now() };
    }
    for (const [key, sent] of snapshot) {
      const present = group.alerts.get(key);
      const same = present?.startsAtMs === sent.startsAtMs && present.endsAtMs === sent.endsAtMs;
      if (resolved.has(key) && same) group.alerts.delete(key);
    }
  }

  async function deliver(
    group: Group,
    body: string,
    alerts: readonly SentAlert[],
    deadlineMs: number,
  ): Promise<boolean> {
    const deadline = new AbortController();
    const stop = () => deadline.abort();
    const cancel = clock.after(deadlineMs, stop);
    stopping.signal.addEventListener('abort', stop, { once: true });
    try {
      for (let pauseMs = options.backoffMs ?? 500; !deadline.signal.aborted; pauseMs *= 1.5) {
        const sentAtMs = clock.now();
        const status = await options.post(body, deadline.signal).catch(() => null);
        const attempt = { groupKey: group.key, body, alerts, sentAtMs, answeredAtMs: clock.now(), status };
        attempts.push(attempt);
        options.onAttempt?.(attempt);
        if (status !== null && status >= 200 && status < 300) return true;
        if (status !== null && status < 500) return false;
        await pause(Math.min(pauseMs, options.maxBackoffMs ?? 60_000) * (0.5 + random()), deadline.signal);
      }
      return false;
    } finally {
      cancel();
      stopping.signal.removeEventListener('abort', stop);
    }
  }

  function pause(delayMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = clock.after(delayMs, done);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  return {
    fire(labels, annotations = {}) {
      const group = groupOf(labels);
      const key = canonicalLabels(labels);
      const present = group.alerts.get(key);
      if (present !== undefined && present.endsAtMs === null) return;
      group.alerts.set(key, { labels, annotations, startsAtMs: clock.now(), endsAtMs: null });
    },
    resolve(labels) {
      const present = groupOf(labels).alerts.get(canonicalLabels(labels));
      if (present !== undefined && present.endsAtMs === null) present.endsAtMs = clock.now();
    },
    isQuiet: () => flushes.size === 0 && [...groups.values()].every((group) => group.alerts.size === 0),
    attempts: () => attempts,
    async stop() {
      stopping.abort();
      for (const group of groups.values()) group.cancel();
      await Promise.allSettled([...flushes]);
    },
  };
}

function isFiring(alert: HeldAlert, nowMs: number): boolean {
  return alert.endsAtMs === null || alert.endsAtMs > nowMs;
}

/** DedupStage.needsUpdate: whether the notification log differs enough from what stands now. */
function needsUpdate(
  log: LogEntry | null,
  firing: ReadonlySet<string>,
  resolved: ReadonlySet<string>,
  repeatBeforeMs: number,
): boolean {
  if (log === null) return firing.size > 0;
  if ([...firing].some((key) => !log.firing.has(key))) return true;
  if (firing.size === 0) return log.firing.size > 0;
  if ([...resolved].some((key) => !log.resolved.has(key))) return true;
  return log.atMs < repeatBeforeMs;
}

function toSent(alert: HeldAlert, nowMs: number): SentAlert {
  const firing = isFiring(alert, nowMs);
  const digest = createHash('sha256').update(canonicalLabels(alert.labels)).digest('hex');
  return {
    status: firing ? 'firing' : 'resolved',
    labels: alert.labels,
    annotations: alert.annotations,
    startsAt: new Date(alert.startsAtMs).toISOString(),
    endsAt: firing || alert.endsAtMs === null ? GO_ZERO_TIME : new Date(alert.endsAtMs).toISOString(),
    generatorURL: 'http://prometheus:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1',
    fingerprint: digest.slice(0, 16),
  };
}

/** A webhook body as the first or the second peer of an HA pair writes it. */
export function bodyOf(
  group: Pick<Group, 'key' | 'labels'>,
  alerts: readonly SentAlert[],
  peer: 0 | 1,
): string {
  return `${JSON.stringify({
    version: '4',
    groupKey: group.key,
    truncatedAlerts: 0,
    status: alerts.some((alert) => alert.status === 'firing') ? 'firing' : 'resolved',
    receiver: 'wakewell',
    groupLabels: group.labels,
    commonLabels: group.labels,
    commonAnnotations: {},
    externalURL: PEERS[peer],
    alerts,
  })}\n`;
}

function shiftTime(time: string, byMs: number): string {
  return new Date(Date.parse(time) + byMs).toISOString();
}
