/**
 * Compares what we hold as firing with what Alertmanager holds, and says what follows: who is silenced or
 * inhibited by whom, whose silence ended, and what is over without anybody having told us. Pure.
 */

import type { HeldAlert, HeldSilence } from '../alertmanager/api-answers.js';
import type { PeersReading } from '../alertmanager/read-peers.js';
import { MINUTE } from '../domain/clock.js';
import type { Incident, Silence } from '../domain/incident.js';
import type { Upstream } from '../domain/incident-view.js';
import type { TimelineKind } from '../domain/timeline.js';
import { momentTime } from '../render/duration.js';
import type { FiringAlert, UpstreamChange } from '../store/reconcile-store.js';

export type ReconcileInput = {
  readonly ours: readonly FiringAlert[];
  readonly incidents: ReadonlyMap<number, Incident>;
  readonly reading: Extract<PeersReading, { kind: 'read' }>;
  /** What earlier reads said of alerts, by alert key. */
  readonly memory: ReconcileMemory;
  /** How long after its delivery an alert expires whose expiry was never seen. */
  readonly expiresAfterMs: number;
  readonly nowMs: number;
};

export type ReconcileMemory = {
  /** In how many complete reads in a row it was absent. */
  readonly absentReads: ReadonlyMap<string, number>;
  /** When Alertmanager will take it, or took it, as resolved unless it is sent again. */
  readonly expiries: ReadonlyMap<string, number>;
  /** Wall time of that read; null before the first. */
  readonly readAtMs: number | null;
};

export type GoneAlert = FiringAlert & { readonly endedAtMs: number };

/** What becomes of one incident. */
export type IncidentTurn = {
  readonly incidentId: number;
  /** Undefined when it stays as it is. */
  readonly silence?: Silence | null;
  readonly entries: readonly { readonly kind: TimelineKind; readonly text: string }[];
  /** Somebody may have to be paged: it is audible again. */
  readonly page: {
    readonly because: string;
    /** Only where this episode has paged nobody yet. */
    readonly ifUnpaged: boolean;
  } | null;
};

export type ReconcilePlan = {
  readonly upstream: readonly UpstreamChange[];
  readonly turns: readonly IncidentTurn[];
  readonly gone: readonly GoneAlert[];
  readonly memory: ReconcileMemory;
};

/** Complete reads in a row without an alert before it counts as gone: one may fall into a moment of Alertmanager's own. */
const READS_TO_BE_GONE = 2;

/** Where the expiry was never seen: Alertmanager's default resolve_timeout, and a little more than Prometheus grants. */
export const EXPIRES_AFTER_MS = 5 * MINUTE;

/** Its clock is not ours: an expiry further ahead than so many times the usual one is a clock's fault. */
const LONGEST_EXPIRY = 3;

type Seen = { readonly ours: FiringAlert; readonly now: Upstream | null; readonly silence: Silence | null };

export function planReconcile(input: ReconcileInput): ReconcilePlan {
  const { reading, nowMs } = input;
  const absentReads = new Map<string, number>();
  const expiries = new Map<string, number>();
  const upstream: UpstreamChange[] = [];
  const gone: GoneAlert[] = [];
  const byIncident = new Map<number, Seen[]>();
  // Our clock was set back since: what was to expire in minutes would stay for as long as the step was.
  const setBackMs = Math.max(0, (input.memory.readAtMs ?? nowMs) - nowMs);

  for (const ours of input.ours) {
    const held = reading.alerts.get(ours.alertKey);
    if (held === undefined) {
      const reads = (input.memory.absentReads.get(ours.alertKey) ?? 0) + (reading.complete ? 1 : 0);
      absentReads.set(ours.alertKey, reads);
      const remembered = input.memory.expiries.get(ours.alertKey);
      const expiry = remembered === undefined ? undefined : remembered - setBackMs;
      const endedAtMs =
        expiry ?? (ours.lastSeenAtMs > nowMs ? nowMs : ours.lastSeenAtMs + input.expiresAfterMs);
      if (expiry !== undefined) expiries.set(ours.alertKey, expiry);
      if (reading.complete && reads >= READS_TO_BE_GONE && endedAtMs <= nowMs) {
        gone.push({ ...ours, endedAtMs: expiry ?? nowMs });
      }
    } else if (held.expiresAtMs !== null) {
      expiries.set(ours.alertKey, Math.min(held.expiresAtMs, nowMs + LONGEST_EXPIRY * input.expiresAfterMs));
    }
    const seen: Seen = { ours, ...seenAs(held, reading, nowMs) };
    byIncident.set(ours.incidentId, [...(byIncident.get(ours.incidentId) ?? []), seen]);
    if (seen.now !== null && !isSame(seen.now, ours.upstream))
      upstream.push({ id: ours.id, upstream: seen.now });
  }

  const turns = [...byIncident].flatMap(([incidentId, seen]) => {
    const incident = input.incidents.get(incidentId);
    return incident === undefined ? [] : (turnOf(incident, seen, nowMs) ?? []);
  });
  return { upstream, turns, gone, memory: { absentReads, expiries, readAtMs: nowMs } };
}

/** What Alertmanager says of an alert now; `now` is null when it says nothing. */
function seenAs(
  held: HeldAlert | undefined,
  reading: ReconcileInput['reading'],
  nowMs: number,
): Pick<Seen, 'now' | 'silence'> {
  if (held === undefined) return { now: null, silence: null };
  if (held.silencedBy.length > 0) {
    const silence = lastToEnd(held.silencedBy, reading.silences);
    return { now: { state: 'silenced', because: silenceText(silence, nowMs) }, silence };
  }
  if (held.inhibitedBy.length > 0) {
    const by = held.inhibitedBy.map((print) => inhibitorText(print, reading.alerts));
    return { now: { state: 'inhibited', because: [...new Set(by)].join(', ') }, silence: null };
  }
  if (held.mutedBy.length > 0) {
    return { now: { state: 'muted', because: held.mutedBy.join(', ') }, silence: null };
  }
  return { now: { state: 'active', because: null }, silence: null };
}

/** An alert under several silences is quiet until the last of them ends. */
function lastToEnd(ids: readonly string[], silences: ReadonlyMap<string, HeldSilence>): Silence {
  const known = ids.flatMap((id) => silences.get(id) ?? []);
  const [last] = [...known].sort((a, b) => (b.endsAtMs ?? 0) - (a.endsAtMs ?? 0));
  if (last === undefined) return { by: 'somebody', comment: '', untilMs: null };
  return { by: last.createdBy, comment: last.comment, untilMs: last.endsAtMs };
}

function silenceText({ by, comment, untilMs }: Silence, nowMs: number): string {
  const until = untilMs === null ? '' : ` until ${momentTime(untilMs, nowMs)}`;
  return `${by}${until}${comment === '' ? '' : `: ${comment}`}`;
}

function inhibitorText(fingerprint: string, alerts: ReadonlyMap<string, HeldAlert>): string {
  for (const { alert } of alerts.values()) {
    if (alert.fingerprint === fingerprint) return `${alert.name} (${alert.severity})`;
  }
  return `an alert with fingerprint ${fingerprint}`;
}

function turnOf(incident: Incident, seen: readonly Seen[], nowMs: number): IncidentTurn | null {
  const stateNow = ({ now, ours }: Seen) => (now ?? ours.upstream)?.state ?? null;
  const covered = seen.filter((one) => stateNow(one) === 'silenced');
  // An alert that Alertmanager is silent about keeps what it said of it last.
  const quiet = covered.length > 0 && seen.every((one) => !['active', null].includes(stateNow(one)));
  const audible = seen.filter((one) => one.now?.state === 'active');
  const entries: { kind: TimelineKind; text: string }[] = [...inhibitions(seen)];
  const { silence } = incident;

  if (quiet) {
    const wanted = firstToEnd(covered, silence);
    if (silence === null) {
      entries.push({ kind: 'silenced', text: `Silenced in Alertmanager by ${silenceText(wanted, nowMs)}` });
    } else if (isSame(silence, wanted)) {
      return entries.length === 0 ? null : { incidentId: incident.id, entries, page: null };
    } else {
      entries.push({ kind: 'silenced', text: `Now silenced by ${silenceText(wanted, nowMs)}` });
    }
    return { incidentId: incident.id, silence: wanted, entries, page: null };
  }
  if (silence === null || audible.length === 0) {
    entries.push(...partlySilenced(seen));
    return entries.length === 0 ? null : { incidentId: incident.id, entries, page: null };
  }

  const freed = audible.filter(({ ours }) => ours.upstream?.state === 'silenced');
  const ended = freed.length > 0 || covered.length === 0;
  const names = namesOf(freed.length > 0 ? freed : audible);
  const because = ended ? `silence by ${silence.by} ended` : `not covered by the silence of ${silence.by}`;
  entries.push({
    kind: 'silence_ended',
    text: ended
      ? `The silence by ${silence.by} ended and ${names} still fires`
      : `No longer silent: ${names} is not covered by the silence of ${silence.by}`,
  });
  const urgent = incident.state === 'open' && audible.some(({ ours }) => ours.severity === 'critical');
  return {
    incidentId: incident.id,
    silence: null,
    entries,
    page: urgent ? { because, ifUnpaged: !ended } : null,
  };
}

/** The incident is quiet until the first of its alerts is not. */
function firstToEnd(covered: readonly Seen[], before: Silence | null): Silence {
  const silences = covered.flatMap(({ silence }) => silence ?? []);
  const [first] = [...silences].sort((a, b) => (a.untilMs ?? Infinity) - (b.untilMs ?? Infinity));
  return first ?? before ?? { by: 'somebody', comment: '', untilMs: null };
}

function inhibitions(seen: readonly Seen[]): { kind: TimelineKind; text: string }[] {
  const told = new Map<string, string[]>();
  for (const { ours, now } of seen) {
    const before = ours.upstream?.state ?? 'active';
    if (now === null || now.state === before) continue;
    const text =
      now.state === 'inhibited'
        ? `held back in Alertmanager: inhibited by ${now.because ?? 'another alert'}`
        : now.state === 'muted'
          ? `held back in Alertmanager: muted by the interval ${now.because ?? ''}`
          : before === 'inhibited' || before === 'muted'
            ? `no longer ${before} in Alertmanager`
            : null;
    if (text !== null) told.set(text, [...(told.get(text) ?? []), ours.name]);
  }
  return [...told].map(([text, names]) => ({ kind: 'inhibited', text: `${listed(names)} ${text}` }));
}

function partlySilenced(seen: readonly Seen[]): { kind: TimelineKind; text: string }[] {
  const told = new Map<string, string[]>();
  for (const { ours, now } of seen) {
    if (now?.state !== 'silenced' || ours.upstream?.state === 'silenced') continue;
    const because = now.because ?? 'somebody';
    told.set(because, [...(told.get(because) ?? []), ours.name]);
  }
  return [...told].map(([because, names]) => ({
    kind: 'silenced',
    text: `${listed(names)} silenced in Alertmanager by ${because}; other alerts of it are not`,
  }));
}

function namesOf(seen: readonly Seen[]): string {
  return listed(seen.map(({ ours }) => ours.name));
}

/** "A, B × 2 and 3 more". */
function listed(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const all = [...counts].map(([name, count]) => (count > 1 ? `${name} × ${count}` : name));
  return all.length > 3 ? `${all.slice(0, 3).join(', ')} and ${all.length - 3} more` : all.join(', ');
}

function isSame(a: object, b: object | null): boolean {
  return b !== null && JSON.stringify(a) === JSON.stringify(b);
}
