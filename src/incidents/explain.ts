/**
 * Explains an incident from what was stored when it was decided: timeline, messages with their last reason,
 * episodes, flags. Nothing is decided again here, so that a changed configuration does not change the past. Pure.
 */

import type { Episode } from '../domain/incident.js';
import { publicId } from '../domain/incident.js';
import type { IncidentAlert, IncidentView } from '../domain/incident-view.js';
import type { Notification } from '../domain/notification.js';
import type { AlertExplanation, Explanation, Reason, ReasonCode } from '../domain/reasons.js';
import { REASONS } from '../domain/reasons.js';
import type { TimelineEntry, TimelineKind } from '../domain/timeline.js';
import { explainMessages, type ReceiverFacts } from './explain-messages.js';

export type ExplainFacts = {
  readonly view: IncidentView;
  /** The whole story, oldest first. */
  readonly timeline: readonly TimelineEntry[];
  /** Every message, oldest first. */
  readonly notifications: readonly Notification[];
  /** Every firing period, oldest first. */
  readonly episodes: readonly Episode[];
  /** What the umbrellas that its messages name are. */
  readonly umbrellas: ReadonlyMap<number, 'storm' | 'bundle'>;
  readonly receivers: ReceiverFacts;
  readonly nowMs: number;
};

/** Kinds of the story that are a reason as they stand. */
const FROM_KIND: Readonly<Partial<Record<TimelineKind, ReasonCode>>> = {
  opened: 'opened',
  alert_joined: 'joined',
  severity_raised: 'severity_raised',
  folded: 'folded',
  unfolded: 'unfolded',
  flapping: 'flapping',
  storm: 'storm',
  late_copy: 'late_copy',
  quarantined: 'unreadable',
  reconciled: 'found_by_reconciling',
  resolve_reconciled: 'resolve_found_by_reconciling',
  reminded: 'reminded',
  escalated: 'escalated',
  acknowledged: 'acknowledged',
  pager_resolved: 'resolved_at_pager',
  silenced: 'silenced',
  maintenance: 'maintenance',
};

/** Never throws. */
export function explain(facts: ExplainFacts): Explanation {
  const { view } = facts;
  const { incident, episode } = view;
  const standing: Reason[] = [];
  if (incident.severityNote !== null) standing.push(always('severity_assumed', incident.severityNote));
  if (incident.severity !== 'critical') standing.push(always('not_critical', `It is ${incident.severity}`));

  const story = facts.timeline.flatMap((entry) => fromStory(entry, facts.episodes));
  const anew = facts.episodes.flatMap(({ because, startedAtMs }) =>
    because === null ? [] : [{ ...always('paged_anew', sentence(because)), atMs: startedAtMs }],
  );
  const messages = explainMessages(facts);
  const happened = withoutRepeats([...story, ...anew, ...messages]).sort(
    (a, b) => (a.atMs ?? 0) - (b.atMs ?? 0),
  );
  const own = facts.notifications.filter((one) => one.episodeId === episode.id && one.purpose === 'page');
  const noPager = incident.severity === 'critical' && incident.kind === 'problem' && own.length === 0;
  if (noPager)
    standing.push(always('no_pager', `${publicId(incident.id)} has no page in this firing period`));

  const reasons = [...standing, ...happened];
  const paged = view.pagedReceivers.length > 0 || own.some((one) => one.listedAtMs !== null);
  return { paged, summary: summaryOf(facts, paged, reasons), reasons, alerts: alertsOf(facts) };
}

function fromStory(entry: TimelineEntry, episodes: readonly Episode[]): Reason[] {
  const base = { detail: entry.text, atMs: entry.atMs, receiver: null };
  if (entry.kind === 'routed') return routing(entry);
  if (entry.kind === 'reopened') {
    const began = episodes.some(({ number, startedAtMs }) => number > 1 && startedAtMs === entry.atMs);
    return [{ ...base, code: began ? 'reopened' : 'continued' }];
  }
  // Its end is told as such; what it is now stands with the alert.
  if (entry.kind === 'inhibited')
    return /\bno longer\b/.test(entry.text) ? [] : [{ ...base, code: 'held_back' }];
  const code = FROM_KIND[entry.kind];
  return code === undefined ? [] : [{ ...base, code }];
}

/** The sentence of the route table, as it was stored with the decision. */
function routing({ text, atMs }: TimelineEntry): Reason[] {
  const base = { detail: text, atMs, receiver: null };
  if (text.startsWith('Recorded only')) return [{ ...base, code: 'recorded_only' }];
  const routed: Reason = { ...base, code: 'routed' };
  return text.includes('only critical pages') ? [routed, { ...base, code: 'only_critical_pages' }] : [routed];
}

function alertsOf({ view, timeline }: ExplainFacts): AlertExplanation[] {
  return view.alerts.map((alert) => ({
    alertKey: alert.alertKey,
    name: alert.name,
    reasons: [...entrance(alert, view, timeline), ...atAlertmanager(alert)],
  }));
}

/** How an alert came in: by opening, or by joining, in the words of the story. */
function entrance(
  alert: IncidentAlert,
  { incident }: IncidentView,
  timeline: readonly TimelineEntry[],
): Reason[] {
  const at = { atMs: alert.firstSeenAtMs, receiver: null };
  const joined = timeline.find(
    ({ kind, atMs, text }) =>
      kind === 'alert_joined' && atMs === alert.firstSeenAtMs && text.startsWith(`${alert.name} joined`),
  );
  if (joined !== undefined) return [{ ...at, code: 'joined', detail: joined.text }];
  if (alert.firstSeenAtMs <= incident.openedAtMs) {
    return [{ ...at, code: 'opened', detail: `It came with the opening of ${publicId(incident.id)}` }];
  }
  return [
    { ...at, code: 'joined', detail: `It came to ${publicId(incident.id)} when that was open already` },
  ];
}

function atAlertmanager({ status, upstream }: IncidentAlert): Reason[] {
  if (status !== 'firing' || upstream === null || upstream.state === 'active') return [];
  const code = upstream.state === 'silenced' ? 'silenced' : 'held_back';
  return [always(code, `${sentence(upstream.state)} in Alertmanager by ${upstream.because ?? 'somebody'}`)];
}

/** Most telling first: what keeps a page back now, then what kept it back last. */
function summaryOf({ view }: ExplainFacts, paged: boolean, reasons: readonly Reason[]): string {
  const { incident, pagedReceivers } = view;
  if (paged) {
    const by = pagedReceivers.length > 0 ? pagedReceivers.join(', ') : 'the page of an umbrella';
    return `Paged: ${by}`;
  }
  if (incident.silence !== null) return `Nobody was paged: silenced by ${incident.silence.by}`;
  const why = reasons.filter(({ code }) => REASONS[code].topic === 'not_paged').at(-1);
  return why === undefined ? 'Nobody was paged' : `Nobody was paged: ${lowerFirst(why.detail)}`;
}

function always(code: ReasonCode, detail: string): Reason {
  return { code, detail: sentence(detail), atMs: null, receiver: null };
}

/** The same said several times is said once, as of the first time. */
function withoutRepeats(reasons: readonly Reason[]): Reason[] {
  const seen = new Set<string>();
  return reasons.filter(({ code, detail, receiver }) => {
    const key = JSON.stringify([code, detail, receiver]);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function lowerFirst(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}
