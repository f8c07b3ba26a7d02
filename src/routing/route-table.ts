/** Who gets to know: routes by severity and labels choose receivers; the kind of a receiver says what it is told. */

import { type Labels, labelValue, type Matcher } from '../domain/labels.js';
import type { Purpose } from '../domain/notification.js';
import { SEVERITIES, type Severity } from '../domain/severity.js';
import { formatMatchers, matchesAll } from './parse-matchers.js';

export const RECEIVER_KINDS = ['pagerduty', 'slack', 'webhook', 'log'] as const;
export type ReceiverKind = (typeof RECEIVER_KINDS)[number];

export type ReceiverRef = { readonly name: string; readonly kind: ReceiverKind };

export type Route = {
  /** All must hold. An empty list matches everything. */
  readonly matchers: readonly Matcher[];
  readonly receivers: readonly string[];
  /** Look at the routes below as well. Absent is false: the first match wins. */
  readonly continue?: boolean;
};

export type ChosenReceiver = {
  readonly receiver: string;
  readonly kind: ReceiverKind;
  /** One sentence for the timeline and `wakewell route`: which rule chose it, and what it will not do. */
  readonly why: string;
};

/**
 * The receivers of an incident, each once, in route order. `labels.severity` must hold the severity as it
 * was understood (after the operator's mapping). Info is recorded only, unless a route asks for it by a
 * severity matcher. A pager in the answer of a non-critical gets nothing (see `notificationsFor`); `why` says so.
 */
export function chooseReceivers(
  routes: readonly Route[],
  labels: Labels,
  receivers: readonly ReceiverRef[],
): ChosenReceiver[] {
  const severity = severityOf(labels);
  const chosen: ChosenReceiver[] = [];
  let matched = false;
  for (const route of routes) {
    if (!matchesAll(route.matchers, labels)) continue;
    // "team=ml → #ml" is no wish to see every info there.
    if (severity === 'info' && !route.matchers.some((m) => m.name === 'severity')) continue;
    matched = true;
    const rule =
      route.matchers.length === 0 ? 'the route for everything' : `route ${formatMatchers(route.matchers)}`;
    for (const name of route.receivers) {
      const receiver = receivers.find((candidate) => candidate.name === name);
      if (receiver !== undefined && !chosen.some((one) => one.receiver === name)) {
        chosen.push(withWhy(receiver, rule, severity));
      }
    }
    if (route.continue !== true) break;
  }
  return matched ? chosen : byDefault(receivers, severity);
}

/**
 * Without a matching route: critical pages and shows a card, warning shows a card, info is recorded only.
 * Webhook receivers hear of both. Where nobody would hear, the log receivers do.
 */
function byDefault(receivers: readonly ReceiverRef[], severity: Severity): ChosenReceiver[] {
  if (severity === 'info') return [];
  const kinds: readonly ReceiverKind[] =
    severity === 'critical' ? ['pagerduty', 'slack', 'webhook'] : ['slack', 'webhook'];
  const wanted = kinds.flatMap((kind) => receivers.filter((receiver) => receiver.kind === kind));
  const heard = wanted.length > 0 ? wanted : receivers.filter((receiver) => receiver.kind === 'log');
  return heard.map((receiver) => withWhy(receiver, `default routing for ${severity}`, severity));
}

function withWhy(receiver: ReceiverRef, rule: string, severity: Severity): ChosenReceiver {
  const noPage = receiver.kind === 'pagerduty' && severity !== 'critical';
  return {
    receiver: receiver.name,
    kind: receiver.kind,
    why: noPage ? `${rule}; no page: only critical pages, this is ${severity}` : rule,
  };
}

/** What happened to an incident, as far as receivers care. */
export type RoutedEvent = 'fired' | 'verdict' | 'reminded' | 'acknowledged' | 'resolved' | 'changed';

/** What a receiver of a kind is sent on an event. Only a critical ever pages, whatever the routes say. */
export function notificationsFor(kind: ReceiverKind, event: RoutedEvent, severity: Severity): Purpose[] {
  switch (kind) {
    case 'pagerduty':
      if (severity !== 'critical') return [];
      if (event === 'fired') return ['page'];
      if (event === 'reminded') return ['page_again'];
      if (event === 'acknowledged') return ['page_acknowledge'];
      return event === 'resolved' ? ['page_resolve'] : [];
    case 'slack':
      // An update in place reaches no phone, so a late verdict is said in the thread as well.
      if (event === 'reminded') return ['reminder_reply'];
      return event === 'verdict' ? ['card', 'verdict_reply'] : ['card'];
    case 'webhook':
      // Whoever is behind it has a pager's memory of its own.
      return event === 'changed' || event === 'reminded' ? [] : ['webhook'];
    case 'log':
      return event === 'changed' ? [] : ['log'];
  }
}

function severityOf(labels: Labels): Severity {
  const word = labelValue(labels, 'severity');
  return SEVERITIES.find((severity) => severity === word) ?? 'warning';
}
