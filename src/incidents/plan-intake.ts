/**
 * Decides, in memory, what a batch of webhook calls does to the incidents they concern. One planner serves one
 * transaction: `load-plan-state.ts` fills it, `write-plan.ts` stores what it decided.
 */

import { dedupKey } from '../alertmanager/alert-key.js';
import type { Alert } from '../domain/alert.js';
import { begun, isQuiet } from '../domain/cycles.js';
import { compareSeverity } from '../domain/severity.js';
import type { TimelineKind } from '../domain/timeline.js';
import { inOrder, isLateCopy, isNewerThan, isStaleResolve, newestResolved, placeKey } from './alert-rules.js';
import { outranks } from './elect-lead.js';
import type { Happening, IntakeInput, PlannedAlert, PlannedIncident, PlanOptions } from './intake-types.js';
import { createJoinIndex } from './join-index.js';
import { openedBy } from './planned-incident.js';
import { unreadableAlert } from './unreadable-alert.js';

export type PlannedRequest = {
  readonly input: IntakeInput;
  readonly incidents: Set<PlannedIncident>;
  /** Where entries that could not be read are shown; null when there are none. */
  quarantinedIn: PlannedIncident | null;
  opened: number;
  joined: number;
  repeated: number;
  resolved: number;
  ignored: number;
};

export type IntakePlan = {
  readonly requests: PlannedRequest[];
  readonly incidents: Set<PlannedIncident>;
  readonly alerts: Set<PlannedAlert>;
  readonly happenings: Happening[];
};

export type Planner = {
  readonly addKnownIncident: (incident: PlannedIncident) => void;
  readonly addKnownAlert: (alert: PlannedAlert) => void;
  readonly receive: (input: IntakeInput) => void;
  readonly plan: IntakePlan;
};

export function createPlanner(options: PlanOptions): Planner {
  const { nowMs, explains } = options;
  const plan: IntakePlan = { requests: [], incidents: new Set(), alerts: new Set(), happenings: [] };
  const index = createJoinIndex<PlannedIncident>(explains);
  const alertsByKey = new Map<string, PlannedAlert[]>();
  const resolvedByPlace = new Map<string, PlannedIncident>();

  let request: PlannedRequest;
  let happenings: Map<PlannedIncident, Map<string, Happening>>;
  let opening: Set<PlannedIncident>;

  function tell(incident: PlannedIncident, kind: TimelineKind, text: string): void {
    const told = happenings.get(incident) ?? new Map<string, Happening>();
    happenings.set(incident, told);
    const key = `${kind}\0${text}`;
    const known = told.get(key);
    if (known !== undefined) {
      known.count += 1;
      return;
    }
    const happening: Happening = { incident, kind, text, count: 1, actor: request.input.source };
    told.set(key, happening);
    plan.happenings.push(happening);
  }

  function concern(incident: PlannedIncident): void {
    request.incidents.add(incident);
    plan.incidents.add(incident);
  }

  function remember(alert: PlannedAlert): void {
    const list = alertsByKey.get(alert.alertKey);
    if (list === undefined) alertsByKey.set(alert.alertKey, [alert]);
    else list.push(alert);
  }

  function addAlert(incident: PlannedIncident, alert: Alert): void {
    const planned: PlannedAlert = {
      incident,
      id: null,
      alertKey: alert.alertKey,
      status: alert.status,
      startsAtMs: alert.startsAtMs,
      endsAtMs: alert.endsAtMs,
      lastSeenAtMs: nowMs,
      write: alert,
      touched: false,
    };
    remember(planned);
    plan.alerts.add(planned);
    concern(incident);
    if (!incident.names.has(alert.name)) {
      incident.names.add(alert.name);
      incident.newNames.add(alert.name);
      index.add(incident, alert.name);
    }
    if (incident.newEpisode !== null && opening.has(incident)) noteStart(incident, alert);
  }

  function noteStart(incident: PlannedIncident, alert: Alert): void {
    const episode = incident.newEpisode;
    if (episode === null || alert.startsAtMs === null) return;
    if (episode.startsAtMs === null || alert.startsAtMs < episode.startsAtMs)
      episode.startsAtMs = alert.startsAtMs;
  }

  function rewrite(known: PlannedAlert, alert: Alert): void {
    known.status = alert.status;
    known.startsAtMs = alert.startsAtMs ?? known.startsAtMs;
    known.endsAtMs = alert.endsAtMs;
    known.lastSeenAtMs = nowMs;
    known.write = alert;
    plan.alerts.add(known);
    concern(known.incident);
  }

  function fire(alert: Alert): void {
    const known = alertsByKey.get(alert.alertKey) ?? [];
    const running = known.find((one) => one.incident.state !== 'resolved');
    if (running !== undefined) {
      fireAgain(running, alert);
      return;
    }
    const last = newestResolved(known);
    if (last !== null) {
      if (last.status === 'firing' && !isNewerThan(alert, last.incident.resolvedAtMs)) {
        // A human closed it while it fired: the sender's repeats are not news.
        repeat(last);
        return;
      }
      if (last.status === 'resolved' && isLateCopy(last, alert, nowMs, options.resolveHoldMs)) {
        ignoreLateCopy(last);
        return;
      }
      if (reopen(last.incident, alert)) {
        rewrite(last, alert);
        return;
      }
    }
    const join = index.find({ source: request.input.source, name: alert.name, scope: alert.scope });
    if (join !== null) {
      joinIncident(join.incident, alert, join.why);
      return;
    }
    const sibling = resolvedByPlace.get(placeKey(request.input.source, alert));
    if (sibling !== undefined && sibling.state === 'resolved' && reopen(sibling, alert)) {
      addAlert(sibling, alert);
      return;
    }
    open(alert);
  }

  function fireAgain(known: PlannedAlert, alert: Alert): void {
    if (known.status === 'firing') {
      repeat(known);
      return;
    }
    if (isLateCopy(known, alert, nowMs, options.resolveHoldMs)) {
      ignoreLateCopy(known);
      return;
    }
    rewrite(known, alert);
    if (opening.has(known.incident)) noteStart(known.incident, alert);
    request.joined += 1;
    known.incident.changed = true;
    // While it flaps its changes are counted, and telling each would bury the story.
    if (!known.incident.flapping) tell(known.incident, 'alert_fired', `${alert.name} fires again`);
    endQuiet(known.incident, alert);
    raise(known.incident, alert);
  }

  /** A flapping incident stays open when nothing fires: this is its next firing period. */
  function endQuiet(incident: PlannedIncident, alert: Alert): void {
    if (!incident.flapping || !isQuiet(incident.cycles)) return;
    incident.cycles = begun(incident.cycles, nowMs);
    incident.rewritten = true;
    if (incident.facts === null || !incident.facts.pageLost || incident.severity !== 'critical') return;
    // Its page was dropped when it was over for a moment. Somebody must be woken once, under a key that may still open.
    incident.newEpisode = { number: incident.facts.number + 1, startsAtMs: alert.startsAtMs, dedupKey: null };
    incident.routeBy = alert.labels;
    opening.add(incident);
  }

  function repeat(known: PlannedAlert): void {
    known.touched = true;
    plan.alerts.add(known);
    request.incidents.add(known.incident);
    request.repeated += 1;
  }

  function ignoreLateCopy(known: PlannedAlert): void {
    request.ignored += 1;
    request.incidents.add(known.incident);
    tell(known.incident, 'late_copy', 'Ignored a late copy of an alert that has resolved since');
  }

  function open(alert: Alert): void {
    const incident = openedBy(alert, request.input.source, nowMs);
    opening.add(incident);
    request.opened += 1;
    const note = alert.severityNote === null ? '' : ` (${alert.severityNote})`;
    tell(incident, 'opened', `Opened by ${alert.severity} ${alert.name}${note}`);
    addAlert(incident, alert);
  }

  /** Brings a resolved incident back, in the same episode or a new one. False when it is too long ago. */
  function reopen(incident: PlannedIncident, alert: Alert): boolean {
    const { facts } = incident;
    if (facts === null || incident.resolvedAtMs === null) return false;
    const sinceResolveMs = nowMs - incident.resolvedAtMs;
    if (sinceResolveMs > Math.max(options.reopenWindowMs, options.resolveHoldMs)) return false;

    // A page that was dropped because the alert had resolved cannot be stored again for the same episode.
    const continues = sinceResolveMs <= options.resolveHoldMs && !facts.resolveUnderWay && !facts.pageLost;
    // Whoever took the episode that goes on has it still.
    incident.state = continues && incident.acknowledgedAtMs !== null ? 'acknowledged' : 'open';
    incident.resolvedAtMs = null;
    incident.changed = true;
    incident.rewritten = true;
    incident.routeBy = alert.labels;
    incident.cycles = begun(incident.cycles, nowMs);
    request.opened += 1;
    if (continues) {
      incident.continued = true;
      incident.rediagnose = true;
      tell(
        incident,
        'reopened',
        `${alert.name} fires again within the hold of its resolve: the episode goes on`,
      );
      raise(incident, alert);
    } else {
      incident.newEpisode = { number: facts.number + 1, startsAtMs: alert.startsAtMs, dedupKey: null };
      incident.reopenedCount += 1;
      incident.severity = alert.severity;
      incident.severityNote = alert.severityNote;
      incident.sureVerdict = null;
      opening.add(incident);
      tell(incident, 'reopened', `Reopened by ${alert.severity} ${alert.name}: a new episode`);
    }
    for (const name of incident.names) index.add(incident, name);
    concern(incident);
    return true;
  }

  function joinIncident(incident: PlannedIncident, alert: Alert, why: string): void {
    const isNewName = !incident.names.has(alert.name);
    addAlert(incident, alert);
    request.joined += 1;
    incident.changed = true;
    const lead = electLead(incident, alert);
    tell(incident, 'alert_joined', `${alert.name} joined: ${why}${lead ? '; it leads now' : ''}`);
    if (isNewName && incident.newEpisode === null) incident.rediagnose = true;
    endQuiet(incident, alert);
    raise(incident, alert);
  }

  function electLead(incident: PlannedIncident, alert: Alert): boolean {
    const lead = { name: incident.alertName, severity: incident.leadSeverity };
    if (!outranks(alert, lead, explains)) return false;
    incident.alertName = alert.name;
    incident.alertKey = alert.alertKey;
    incident.leadSeverity = alert.severity;
    incident.rewritten = true;
    return true;
  }

  function raise(incident: PlannedIncident, alert: Alert): void {
    if (compareSeverity(alert.severity, incident.severity) <= 0) return;
    tell(
      incident,
      'severity_raised',
      `Raised from ${incident.severity} to ${alert.severity} by ${alert.name}`,
    );
    incident.severity = alert.severity;
    incident.severityNote = alert.severityNote;
    incident.severityRaised = true;
    if (incident.state === 'acknowledged' && alert.severity === 'critical') {
      // Who took a warning has not taken this.
      incident.state = 'open';
      incident.unacknowledged = true;
    }
    incident.changed = true;
    incident.rewritten = true;
    incident.routeBy = alert.labels;
    if (incident.newEpisode === null) incident.rediagnose = true;
  }

  function resolve(alert: Alert): void {
    let found = false;
    for (const known of alertsByKey.get(alert.alertKey) ?? []) {
      if (known.status !== 'firing' || isStaleResolve(known, alert)) continue;
      found = true;
      rewrite(known, alert);
      if (known.incident.state === 'resolved') continue;
      known.incident.changed = true;
      known.incident.mayBeOver = true;
      if (!known.incident.flapping) tell(known.incident, 'alert_resolved', `${alert.name} resolved`);
    }
    if (found) request.resolved += 1;
    else request.ignored += 1;
  }

  function receive(input: IntakeInput): void {
    request = {
      input,
      incidents: new Set(),
      quarantinedIn: null,
      opened: 0,
      joined: 0,
      repeated: 0,
      resolved: 0,
      ignored: 0,
    };
    happenings = new Map();
    opening = new Set();
    plan.requests.push(request);
    const { parsed, source, body } = input;

    if (parsed.kind === 'unreadable') {
      fire(unreadableAlert({ source, reason: parsed.reason, content: body }));
    } else {
      for (const alert of inOrder(parsed.group.alerts)) {
        if (alert.status === 'firing') fire(alert);
        else resolve(alert);
      }
      const [bad] = parsed.group.quarantined;
      if (bad !== undefined) {
        // Shown in what the rest of the call belongs to; where nothing else is, it is an incident of its own.
        if (request.incidents.size === 0)
          fire(unreadableAlert({ source, reason: bad.reason, content: bad.raw }));
        request.quarantinedIn = [...request.incidents][0] ?? null;
      }
    }
    for (const incident of opening) nameEpisode(incident);
    if (input.note === undefined) return;
    for (const incident of request.incidents) {
      if (incident.changed || incident.newEpisode !== null) {
        tell(incident, request.resolved > 0 ? 'resolve_reconciled' : 'reconciled', input.note);
      }
    }
  }

  function nameEpisode(incident: PlannedIncident): void {
    if (incident.newEpisode === null) return;
    incident.newEpisode.dedupKey = dedupKey({
      source: incident.source,
      alertName: incident.alertName,
      scope: incident.scope,
      // No time of receipt: a redelivery must arrive at the same key.
      startsAtMs: incident.newEpisode.startsAtMs ?? 0,
    });
  }

  return {
    plan,
    receive,
    addKnownAlert: remember,
    addKnownIncident(incident) {
      if (incident.state !== 'resolved') {
        for (const name of incident.names) index.add(incident, name);
        return;
      }
      for (const name of incident.names) {
        const key = placeKey(incident.source, { name, scope: incident.scope });
        const other = resolvedByPlace.get(key);
        if (other === undefined || (other.resolvedAtMs ?? 0) < (incident.resolvedAtMs ?? 0)) {
          resolvedByPlace.set(key, incident);
        }
      }
    },
  };
}
