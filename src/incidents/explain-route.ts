/** What a webhook call would come to with a configuration, and why: nothing is stored, asked or sent. */

import type { Alert } from '../domain/alert.js';
import type { Labels } from '../domain/labels.js';
import type { Purpose } from '../domain/notification.js';
import { REASONS, type ReasonCode } from '../domain/reasons.js';
import type { Severity } from '../domain/severity.js';
import { notificationsFor } from '../routing/route-table.js';
import type { IntakeDeps, IntakeInput, PlanOptions } from './intake-types.js';
import { createPlanner } from './plan-intake.js';

export type ExplainRouteDeps = Omit<PlanOptions, 'nowMs'> &
  Pick<IntakeDeps, 'route'> & {
    readonly entryOf: (labels: Labels) => { readonly id: string; readonly why: string };
    readonly isHeartbeat: (alert: Pick<Alert, 'labels'>) => boolean;
    readonly shadow: boolean;
    readonly nowMs: number;
  };

export type RoutedAlert = {
  readonly name: string;
  readonly status: Alert['status'];
  readonly severity: Severity;
  readonly severityNote: string | null;
  readonly scope: Labels;
  readonly entry: { readonly id: string; readonly why: string };
  /** Set when it opens nothing: what becomes of it. */
  readonly aside: string | null;
};

export type RoutedReceiver = {
  readonly receiver: string;
  readonly why: string;
  /** What it would be sent first; empty where it gets nothing. */
  readonly sends: readonly Purpose[];
};

export type RoutedIncident = {
  readonly name: string;
  readonly severity: Severity;
  readonly dedupKey: string | null;
  /** "Opened by …", "… joined: …". */
  readonly story: readonly string[];
  readonly receivers: readonly RoutedReceiver[];
  readonly reasons: readonly { readonly code: ReasonCode; readonly says: string; readonly detail: string }[];
};

export type ExplainedRoute = {
  readonly alerts: readonly RoutedAlert[];
  readonly incidents: readonly RoutedIncident[];
  /** What could not be read: a reason each. */
  readonly unreadable: readonly string[];
};

/** As if nothing was open. Pure. */
export function explainRoute(input: IntakeInput, deps: ExplainRouteDeps): ExplainedRoute {
  const { parsed } = input;
  if (parsed.kind === 'unreadable') return { alerts: [], incidents: [], unreadable: [parsed.reason] };
  const { group } = parsed;
  const alerts = group.alerts.map(
    (alert): RoutedAlert => ({
      name: alert.name,
      status: alert.status,
      severity: alert.severity,
      severityNote: alert.severityNote,
      scope: alert.scope,
      entry: deps.entryOf(alert.labels),
      aside: deps.isHeartbeat(alert)
        ? 'a Watchdog: it is remembered and opens nothing, its absence pages'
        : alert.status === 'resolved'
          ? 'resolved: it ends what it opened and opens nothing'
          : null,
    }),
  );
  const planner = createPlanner(deps);
  const taken = group.alerts.filter((alert) => !deps.isHeartbeat(alert));
  planner.receive({ ...input, parsed: { kind: 'group', group: { ...group, alerts: taken } } });
  const { plan } = planner;
  const incidents = [...plan.incidents].map((incident): RoutedIncident => {
    const { severity } = incident;
    const routes = deps.route(severity, { ...(incident.routeBy ?? incident.scope), severity });
    const receivers = routes.map(({ receiver, kind, why }) => ({
      receiver,
      why: why ?? '',
      sends: notificationsFor(kind, 'fired', severity),
    }));
    return {
      name: incident.alertName,
      severity,
      dedupKey: incident.newEpisode?.dedupKey ?? null,
      story: plan.happenings.filter((one) => one.incident === incident).map((one) => one.text),
      receivers,
      reasons: reasonsOf(severity, incident.severityNote, receivers, deps.shadow),
    };
  });
  return { alerts, incidents, unreadable: group.quarantined.map(({ reason }) => reason) };
}

function reasonsOf(
  severity: Severity,
  severityNote: string | null,
  receivers: readonly RoutedReceiver[],
  shadow: boolean,
): RoutedIncident['reasons'] {
  const said: [ReasonCode, string][] = [];
  if (severityNote !== null) said.push(['severity_assumed', severityNote]);
  if (receivers.length === 0) said.push(['recorded_only', `no receiver for ${severity}`]);
  else said.push(['routed', receivers.map(({ receiver }) => receiver).join(', ')]);
  const mute = receivers.filter(({ sends }) => sends.length === 0);
  for (const { receiver } of mute) said.push(['only_critical_pages', `${receiver} gets nothing`]);
  const pages = receivers.some(({ sends }) => sends.includes('page'));
  if (severity !== 'critical') said.push(['not_critical', `it is ${severity}`]);
  else if (!pages) said.push(['no_pager', 'nobody is woken']);
  if (shadow) said.push(['shadow', 'mode is shadow']);
  return said.map(([code, detail]) => ({ code, detail, says: REASONS[code].says }));
}
