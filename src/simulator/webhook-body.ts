/** The JSON that Alertmanager posts to a webhook, version 4 (fields as 0.25 sends them). */

import { createHash } from 'node:crypto';
import { canonicalLabels, type Labels, labelsFrom } from '../domain/labels.js';

export type WebhookAlert = {
  readonly status: 'firing' | 'resolved';
  readonly labels: Labels;
  readonly annotations: Labels;
  /** RFC 3339. `endsAt` is Go's zero time while firing. */
  readonly startsAt: string;
  readonly endsAt: string;
  readonly generatorURL: string;
  readonly fingerprint: string;
};

export type WebhookBody = {
  readonly version: '4';
  readonly groupKey: string;
  readonly truncatedAlerts: number;
  readonly status: 'firing' | 'resolved';
  readonly receiver: string;
  readonly groupLabels: Labels;
  readonly commonLabels: Labels;
  readonly commonAnnotations: Labels;
  readonly externalURL: string;
  readonly alerts: readonly WebhookAlert[];
};

export type AlertFacts = {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly startedAtMs: number;
  /** Null while it fires. */
  readonly endedAtMs: number | null;
};

const ZERO_TIME = '0001-01-01T00:00:00Z';
const FINGERPRINT_LENGTH = 16;

/** One notification of a group. It fires as long as any of its alerts does. */
export function webhookBody(groupLabels: Labels, facts: readonly AlertFacts[]): WebhookBody {
  const alerts = facts.map(toAlert);
  return {
    version: '4',
    groupKey: groupKeyOf(groupLabels),
    truncatedAlerts: 0,
    status: alerts.some(({ status }) => status === 'firing') ? 'firing' : 'resolved',
    receiver: 'wakewell',
    groupLabels,
    commonLabels: common(alerts.map(({ labels }) => labels)),
    commonAnnotations: common(alerts.map(({ annotations }) => annotations)),
    externalURL: 'http://simulated-alertmanager',
    alerts,
  };
}

function toAlert({ labels, annotations, startedAtMs, endedAtMs }: AlertFacts): WebhookAlert {
  const digest = createHash('sha256').update(canonicalLabels(labels)).digest('hex');
  return {
    status: endedAtMs === null ? 'firing' : 'resolved',
    labels,
    annotations,
    startsAt: new Date(startedAtMs).toISOString(),
    endsAt: endedAtMs === null ? ZERO_TIME : new Date(endedAtMs).toISOString(),
    generatorURL: '',
    fingerprint: digest.slice(0, FINGERPRINT_LENGTH),
  };
}

function groupKeyOf(groupLabels: Labels): string {
  const pairs = Object.entries(groupLabels).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{}:{${pairs.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(', ')}}`;
}

function common(sets: readonly Labels[]): Labels {
  const [first, ...others] = sets;
  if (first === undefined) return {};
  return labelsFrom(
    Object.entries(first).filter(([name, value]) => others.every((other) => other[name] === value)),
  );
}
