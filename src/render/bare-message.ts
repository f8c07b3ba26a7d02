/**
 * The message of last resort: one line from bare facts, for when the full one cannot be drawn, is refused, or
 * nothing could be committed. It uses nothing that could fail with the rest.
 */

import type { BareFacts } from '../domain/bare-facts.js';
import { publicId } from '../domain/incident.js';
import { placeOf } from '../domain/scope.js';
import { clean, cut } from './neutralise.js';
import type { PagerDutyTrigger } from './page.js';
import type { WebhookBody } from './webhook-body.js';

const WORDS = { critical: 'CRIT', warning: 'WARN', info: 'INFO' } as const;

/** `CRIT LLMHighTTFT llama-70b/prod-us. No details: … INC-412`, one line of plain text, at most 400 characters. */
export function bareText(facts: BareFacts): string {
  const word = facts.state === 'resolved' ? 'OK' : WORDS[facts.severity];
  const name = cut(clean(facts.alertName), 80) || 'alert';
  const id = facts.incidentId === null ? '' : ` ${publicId(facts.incidentId)}`;
  return `${word} ${name} ${barePlace(facts)}. No details: ${cut(clean(facts.why), 150)}.${id}`;
}

/** Where the incident is to be read; null without a public URL or an incident. */
export function bareUrl(facts: BareFacts, publicUrl: string | null): string | null {
  if (publicUrl === null || facts.incidentId === null) return null;
  return `${publicUrl.replace(/\/+$/, '')}/i/${facts.incidentId}`;
}

/** What PagerDuty requires and no more, with the key that the full page has. */
export function barePagerDutyTrigger(
  facts: BareFacts,
  options: { readonly routingKey: string; readonly publicUrl: string | null },
): PagerDutyTrigger {
  const url = bareUrl(facts, options.publicUrl);
  return {
    routing_key: options.routingKey,
    event_action: 'trigger',
    dedup_key: facts.dedupKey,
    payload: {
      summary: bareText(facts),
      source: barePlace(facts),
      severity: facts.severity,
    },
    ...(url === null ? {} : { links: [{ href: url, text: 'Incident' }] }),
  };
}

/** The generic webhook's body with the fields that every reader of it needs. */
export function bareWebhookBody(facts: BareFacts, publicUrl: string | null): WebhookBody {
  return {
    version: 1,
    id: facts.incidentId === null ? '' : publicId(facts.incidentId),
    status: facts.state === 'resolved' ? 'resolved' : 'firing',
    state: facts.state,
    severity: facts.severity,
    headline: bareText(facts),
    alert_name: cut(clean(facts.alertName), 1_000),
    deduplication_key: facts.dedupKey,
    url: bareUrl(facts, publicUrl),
  };
}

function barePlace(facts: BareFacts): string {
  return cut(clean(placeOf(facts.scope)), 120) || 'unknown scope';
}
