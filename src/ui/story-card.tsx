/** The timeline, the alerts and the messages of an incident. */

import type { IncidentAlert, IncidentView } from '../domain/incident-view.js';
import { labelValue } from '../domain/labels.js';
import type { Notification } from '../domain/notification.js';
import type { TimelineEntry, TimelineKind } from '../domain/timeline.js';
import { clean, cut } from '../render/neutralise.js';
import { ForeignLink, SeverityBadge, Time } from './text.js';

/** What happened to the problem and what people did; the rest is how messages travelled. */
const KEY_KINDS: ReadonlySet<TimelineKind> = new Set([
  'opened',
  'reopened',
  'alert_joined',
  'severity_raised',
  'diagnosed',
  'diagnosis_failed',
  'acknowledged',
  'resolved',
  'reminded',
  'escalated',
  'note',
  'diagnosis_asked',
  'step_done',
  'feedback',
  'pager_resolved',
  'quarantined',
  'silenced',
  'silence_ended',
  'inhibited',
  'reconciled',
  'resolve_reconciled',
  'shadowed',
  'maintenance',
  'send_failed',
  'folded',
  'unfolded',
  'flapping',
  'storm',
  'listed',
]);

export function StoryCard({
  timeline,
  nowMs,
}: {
  readonly timeline: readonly TimelineEntry[];
  readonly nowMs: number;
}) {
  const key = timeline.filter((entry) => KEY_KINDS.has(entry.kind));
  return (
    <section class="card" id="timeline">
      <h2>Timeline</h2>
      {timeline.length === 0 ? (
        <p class="muted">Nothing has happened yet.</p>
      ) : (
        <Entries entries={key} nowMs={nowMs} />
      )}
      {key.length === timeline.length ? null : (
        <details>
          <summary>All {timeline.length}, with every message</summary>
          <Entries entries={timeline} nowMs={nowMs} />
        </details>
      )}
    </section>
  );
}

function Entries({ entries, nowMs }: { readonly entries: readonly TimelineEntry[]; readonly nowMs: number }) {
  return (
    <ol class="story">
      {entries.map((entry) => (
        <li key={entry.id}>
          <span class="small muted">
            <Time atMs={entry.atMs} nowMs={nowMs} />
          </span>
          <span>
            {cut(clean(entry.text), 1_000)}{' '}
            <span class="small muted">
              · {cut(clean(entry.actor), 60)}
              {entry.via === null ? '' : ` through ${cut(clean(entry.via), 40)}`}
            </span>
          </span>
        </li>
      ))}
    </ol>
  );
}

export function AlertsCard({ view, nowMs }: { readonly view: IncidentView; readonly nowMs: number }) {
  const hidden = view.alertCount - view.alerts.length;
  return (
    <section class="card" id="alerts">
      <h2>
        Alerts: {view.alertCount}, {view.firingCount} firing
      </h2>
      {view.alerts.map((alert) => (
        <AlertDetails key={alert.alertKey} alert={alert} nowMs={nowMs} />
      ))}
      {hidden > 0 ? <p class="muted">and {hidden} more: see the API's timeline</p> : null}
    </section>
  );
}

function AlertDetails({ alert, nowMs }: { readonly alert: IncidentAlert; readonly nowMs: number }) {
  const summary = labelValue(alert.annotations, 'summary') ?? labelValue(alert.annotations, 'description');
  const runbook = labelValue(alert.annotations, 'runbook_url') ?? null;
  return (
    <details>
      <summary>
        <span class={alert.status === 'firing' ? 'critical' : 'ok'}>
          {alert.status === 'firing' ? '● FIRING' : '✓ RESOLVED'}
        </span>
        {heldBack(alert) === null ? null : <span class="unknown"> {heldBack(alert)?.state}</span>}{' '}
        {cut(clean(alert.name), 80)}
        {alert.startsAtMs === null ? null : (
          <>
            {' '}
            since <Time atMs={alert.startsAtMs} nowMs={nowMs} />
          </>
        )}
      </summary>
      {summary === undefined ? null : <p>{cut(clean(summary), 500)}</p>}
      {heldBack(alert) === null ? null : (
        <p class="unknown">
          {heldBack(alert)?.state} in Alertmanager by {cut(clean(heldBack(alert)?.because ?? ''), 300)}
        </p>
      )}
      <p>
        <SeverityBadge severity={alert.severity} />
      </p>
      <dl class="facts small">
        {Object.entries(alert.labels).map(([name, value]) => (
          <Pair key={name} name={name} value={value} />
        ))}
      </dl>
      {alert.generatorUrl === null ? null : (
        <p class="small">
          <ForeignLink url={alert.generatorUrl}>The rule in Prometheus</ForeignLink>
        </p>
      )}
      {runbook === null ? null : (
        <p class="small">
          <ForeignLink url={runbook}>The runbook</ForeignLink>
        </p>
      )}
    </details>
  );
}

function heldBack(alert: IncidentAlert): IncidentAlert['upstream'] {
  return alert.status === 'firing' && alert.upstream?.state !== 'active' ? alert.upstream : null;
}

function Pair({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <>
      <dt>{cut(clean(name), 60)}</dt>
      <dd>{cut(clean(value), 200)}</dd>
    </>
  );
}

export function MessagesCard({
  notifications,
  nowMs,
}: {
  readonly notifications: readonly Notification[];
  readonly nowMs: number;
}) {
  if (notifications.length === 0) return null;
  return (
    <section class="card" id="messages">
      <h2>Messages</h2>
      <ol class="story">
        {notifications.map((one) => (
          <li key={one.id}>
            <span class="small muted">
              <Time atMs={one.finishedAtMs ?? one.dueAtMs} nowMs={nowMs} />
            </span>
            <span>
              {one.purpose.replaceAll('_', ' ')} to {clean(one.receiver)}: {one.shadow ? 'shadow' : one.state}
              {one.lastReason === null ? (
                ''
              ) : (
                <span class="small muted"> · {cut(clean(one.lastReason), 200)}</span>
              )}
            </span>
          </li>
        ))}
      </ol>
      <p class="small">
        <a href="/outbox">As they were sent</a>
      </p>
    </section>
  );
}
