/**
 * PagerDuty Events API v2 payloads. Custom details are flat text, because phone apps print nested JSON badly.
 * Limits (developer.pagerduty.com, "Send an Alert Event"): summary 1,024, dedup_key 255, event 512 KB.
 */

import type { IncidentView } from '../domain/incident-view.js';
import { labelValue } from '../domain/labels.js';
import { placeOf } from '../domain/scope.js';
import { type CardModel, cardModel, STATUS_WORD } from './card-model.js';
import { headline, type SloLookup } from './headline.js';
import { clean, cut } from './neutralise.js';
import { alertSummary } from './symptom.js';

/** Alertmanager's own notifier keeps to 512,000 bytes as well. */
const MAX_EVENT_BYTES = 512_000;
/** Members of an umbrella in one detail, and the first that are told in words. */
const MAX_MEMBERS = 9_000;
const MOST_URGENT = 10;
const MAX_DETAIL = 1_000;
/** Every check of the longest entry, each with a reason of its own. */
const MAX_UNSEEN = 4_000;

export type PagerDutyTrigger = {
  readonly routing_key: string;
  readonly event_action: 'trigger';
  readonly dedup_key: string;
  readonly payload: {
    readonly summary: string;
    readonly source: string;
    readonly severity: 'critical' | 'warning' | 'info';
    readonly timestamp?: string;
    readonly component?: string;
    readonly group?: string;
    readonly class?: string;
    readonly custom_details?: Readonly<Record<string, string>>;
  };
  readonly links?: readonly { readonly href: string; readonly text: string }[];
  readonly client?: string;
  readonly client_url?: string;
};

export type PagerDutyFollowUp = {
  readonly routing_key: string;
  readonly event_action: 'acknowledge' | 'resolve';
  readonly dedup_key: string;
};

export type PageOptions = {
  readonly routingKey: string;
  readonly publicUrl: string | null;
  readonly slo?: SloLookup;
  /** In place of the episode's key: a second page stands under its own. */
  readonly dedupKey?: string;
  /** "2nd page, no ack 15m": said right after the severity. */
  readonly note?: string;
};

/** The whole trigger event; over 512 KB the details go, never the page. */
export function renderPagerDutyTrigger(view: IncidentView, options: PageOptions): PagerDutyTrigger {
  const { scope } = view.incident;
  const component = nonEmpty(labelValue(scope, 'model'));
  const group = nonEmpty(labelValue(scope, 'cluster'));
  const minimal = renderMinimalTrigger(view, options);
  const trigger: PagerDutyTrigger = {
    ...minimal,
    payload: {
      ...minimal.payload,
      timestamp: new Date(view.episode.startedAtMs).toISOString(),
      ...(component === null ? {} : { component }),
      ...(group === null ? {} : { group }),
      class: cut(clean(view.incident.alertName), 255) || 'alert',
      custom_details: detailsOf(cardModel(view, options), view),
    },
    ...linksOf(view, options.publicUrl),
    client: 'Wakewell',
  };
  return Buffer.byteLength(JSON.stringify(trigger)) <= MAX_EVENT_BYTES ? trigger : minimal;
}

/** Only what PagerDuty requires, with the headline. */
function renderMinimalTrigger(view: IncidentView, options: PageOptions): PagerDutyTrigger {
  return {
    routing_key: options.routingKey,
    event_action: 'trigger',
    dedup_key: options.dedupKey ?? view.episode.dedupKey,
    payload: {
      summary: cut(headline(view, options), 1024),
      source: cut(clean(placeOf(view.incident.scope)), 255) || 'unknown scope',
      severity: view.incident.severity,
    },
  };
}

/** Acknowledge or resolve of an episode's page. */
export function renderPagerDutyFollowUp(
  action: 'acknowledge' | 'resolve',
  dedupKey: string,
  routingKey: string,
): PagerDutyFollowUp {
  return { routing_key: routingKey, event_action: action, dedup_key: dedupKey };
}

function linksOf(
  view: IncidentView,
  publicUrl: string | null,
): Pick<PagerDutyTrigger, 'links' | 'client_url'> {
  if (publicUrl === null) return {};
  const base = publicUrl.replace(/\/+$/, '');
  const href = `${base}/i/${view.incident.id}`;
  const entry =
    view.diagnosis === null
      ? []
      : [{ href: `${base}/playbooks/${encodeURIComponent(view.diagnosis.entryId)}`, text: 'Playbook' }];
  return { client_url: href, links: [{ href, text: 'Incident' }, ...entry] };
}

/** Flat, in the order a reader wants them; PagerDuty keeps the order of the object. */
function detailsOf(model: CardModel, view: IncidentView): Record<string, string> {
  const details: Record<string, string> = {};
  const say = (name: string, text: string | null | undefined, max = MAX_DETAIL) => {
    const value = cut(clean(text ?? ''), max);
    if (value !== '') details[name] = value;
  };
  if (model.notDiagnosed !== null) {
    say('verdict', model.notDiagnosed.says);
    model.byHand.forEach((check, i) => {
      say(`check by hand ${i + 1}`, check.query === null ? check.title : `${check.title}: ${check.query}`);
    });
  } else if (model.verdict !== null) {
    say('verdict', `${model.verdict.lead}: ${model.verdict.says} (${model.verdict.confidence})`);
  }
  say('do first', model.doFirst?.text);
  say('command', model.doFirst?.command);
  say('expect', model.doFirst?.expect);
  say('do NOT', model.doNot === null ? null : `${model.doNot.fix}: ${model.doNot.because}`);
  if (model.notDiagnosed === null) {
    for (const line of model.evidence)
      say(cut(clean(line.title), 60), `${STATUS_WORD[line.status]}: ${line.says}`);
  }
  say('not seen', model.unseen.join('; '), MAX_UNSEEN);
  say('objective', model.slo);
  say('alerts', model.alerts ?? view.incident.alertName);
  say('alert says', alertSummary(view));
  say('most urgent', model.members.slice(0, MOST_URGENT).join('; '), MAX_MEMBERS);
  // Every one of them: what a page does not name, nobody was told of.
  for (const { name, ids } of model.memberGroups) {
    const parts = partsOf(ids, MAX_MEMBERS);
    parts.forEach((part, i) => {
      const which = parts.length === 1 ? '' : ` ${i + 1}/${parts.length}`;
      say(`${cut(clean(name), 100)}${which}`, part, MAX_MEMBERS);
    });
  }
  say('flapping', model.flapping?.line);
  say('notes', model.notes.join('; '));
  say('incident', model.id);
  return details;
}

/** Cut between two members, so that none is lost. */
function partsOf(ids: string, max: number): string[] {
  const parts: string[] = [];
  for (const id of ids.split(', ')) {
    const last = parts.at(-1);
    if (last !== undefined && last.length + id.length + 2 <= max) parts[parts.length - 1] = `${last}, ${id}`;
    else parts.push(id);
  }
  return parts;
}

function nonEmpty(text: string | undefined): string | null {
  const value = cut(clean(text ?? ''), 255);
  return value === '' ? null : value;
}
