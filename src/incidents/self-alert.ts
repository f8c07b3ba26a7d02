/** Alerts of our own about ourselves: they take the way of every other alert, so that they page, show and resolve alike. */

import { alertKey } from '../alertmanager/alert-key.js';
import type { Alert, AlertGroup, AlertStatus } from '../domain/alert.js';
import { OWN_SOURCE } from '../domain/incident.js';
import { labelsFrom } from '../domain/labels.js';
import { scopeOf } from '../domain/scope.js';
import type { Severity } from '../domain/severity.js';
import type { IntakeInput } from './intake-types.js';

export type SelfAlert = {
  readonly name: string;
  readonly severity: Severity;
  readonly status: AlertStatus;
  /** Besides name and severity; together they are its identity, so no changing value may be among them. */
  readonly labels: Readonly<Record<string, string>>;
  readonly summary: string;
  readonly description: string;
};

/** One call with our own alerts, as it would have arrived. */
export function selfInput(
  alerts: readonly SelfAlert[],
  options: { readonly scopeLabels: readonly string[]; readonly nowMs: number },
): IntakeInput {
  const group: AlertGroup = {
    source: OWN_SOURCE,
    groupKey: OWN_SOURCE,
    groupLabels: labelsFrom([]),
    receiver: OWN_SOURCE,
    externalUrl: null,
    truncatedAlerts: 0,
    alerts: alerts.map((one) => toAlert(one, options)),
    quarantined: [],
  };
  return { source: OWN_SOURCE, body: Buffer.from(JSON.stringify(alerts)), parsed: { kind: 'group', group } };
}

function toAlert(
  one: SelfAlert,
  { scopeLabels, nowMs }: { readonly scopeLabels: readonly string[]; readonly nowMs: number },
): Alert {
  const { alertname: _, severity: __, ...rest } = one.labels;
  const labels = labelsFrom(Object.entries({ ...rest, alertname: one.name, severity: one.severity }));
  const fires = one.status === 'firing';
  return {
    alertKey: alertKey(OWN_SOURCE, labels),
    fingerprint: null,
    name: one.name,
    status: one.status,
    labels,
    annotations: labelsFrom([
      ['summary', one.summary],
      ['description', one.description],
    ]),
    severity: one.severity,
    severityNote: null,
    scope: scopeOf(labels, scopeLabels),
    startsAtMs: fires ? nowMs : null,
    endsAtMs: fires ? null : nowMs,
    generatorUrl: null,
    expression: null,
  };
}
