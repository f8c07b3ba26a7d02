/** What PagerDuty's webhooks v3 send, rightly signed. */

import { createHmac } from 'node:crypto';

export const WEBHOOK_SECRET = 'MARKER-pagerduty-webhook-secret';

/** `X-PagerDuty-Signature` of a body. */
export function pagerDutySignature(body: string, secret = WEBHOOK_SECRET): string {
  return `v1=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

/** An event as a value; `over` replaces members of `event`. */
export function pagerDutyEvent(
  type: string,
  dedupKey: string,
  over: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return {
    event: {
      id: `01${type}${dedupKey.slice(0, 6)}`,
      event_type: type,
      resource_type: 'incident',
      occurred_at: '2026-11-22T03:01:00.000Z',
      agent: { id: 'PMIA', type: 'user_reference', summary: 'Mia Muster', html_url: null },
      client: null,
      data: {
        id: 'Q1PD',
        type: 'incident',
        status: type.replace('incident.', ''),
        incident_key: dedupKey,
        number: 1,
        title: 'CRIT TTFT p99 11.8s',
        assignees: [],
      },
      ...over,
    },
  };
}
