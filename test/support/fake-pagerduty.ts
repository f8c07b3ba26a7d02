/**
 * PagerDuty's Events API v2 as documented: POST /v2/enqueue, 202 or 400 "invalid event". Events with one
 * dedup_key collapse on the open incident; a trigger after a resolve opens a NEW incident, the zombie page
 * that the outbox must never cause. Acknowledge and resolve of an unknown key are accepted and change nothing.
 * Source: developer.pagerduty.com, "Events API v2 Overview" and "Send an Alert Event".
 */

import { type Answer, type FakeRequest, type FakeServer, startHttpFake } from './http-fake.js';

export type PagerDutyEvent = {
  readonly routingKey: string;
  readonly action: 'trigger' | 'acknowledge' | 'resolve';
  readonly dedupKey: string;
  readonly payload: Record<string, unknown> | null;
  readonly links: readonly { readonly href: string; readonly text?: string }[];
  readonly atMs: number;
};

export type PagerDutyIncident = {
  readonly routingKey: string;
  readonly dedupKey: string;
  state: 'triggered' | 'acknowledged' | 'resolved';
  readonly summary: string;
  readonly severity: string;
  /** How many triggers collapsed on it, the first included. */
  triggers: number;
};

export type FakePagerDuty = Omit<FakeServer, 'url'> & {
  /** The full events URL. */
  readonly url: string;
  /** One an opened incident, in order: two for one problem means somebody was woken twice. */
  readonly incidents: () => readonly PagerDutyIncident[];
  /** Accepted events, in order. */
  readonly events: () => readonly PagerDutyEvent[];
  /** Events that came above the rate limit, in order. */
  readonly throttled: () => readonly Pick<PagerDutyEvent, 'routingKey' | 'atMs'>[];
  /** Throws when anything but well-formed events arrived, or a resolved key was triggered again. */
  readonly expectNoUnexpected: () => void;
};

const MAX_BODY = 512 * 1024;

/** An integration key may send about this many events a minute ("Events API v2", rate limits). */
export const EVENTS_PER_MINUTE = 120;

/**
 * `routingKeys`: those known; any 32 characters when absent. `nowMs` is PagerDuty's clock, real time when absent.
 * `eventsPerMinute`: what is above it a key is answered 429 and not taken; no limit when absent.
 */
export async function startFakePagerDuty(
  options: { routingKeys?: readonly string[]; nowMs?: () => number; eventsPerMinute?: number } = {},
): Promise<FakePagerDuty> {
  const incidents: PagerDutyIncident[] = [];
  const events: PagerDutyEvent[] = [];
  const throttled: { routingKey: string; atMs: number }[] = [];
  const unexpected: string[] = [];

  function invalid(...errors: string[]): Answer {
    unexpected.push(`invalid event: ${errors.join('; ')}`);
    return {
      status: 400,
      body: JSON.stringify({ status: 'invalid event', message: 'Event object is invalid', errors }),
    };
  }

  function answer(request: FakeRequest): Answer {
    if (request.method !== 'POST' || request.path !== '/v2/enqueue') {
      unexpected.push(`${request.method} ${request.path}`);
      return { status: 404, body: '' };
    }
    if (Buffer.byteLength(request.body) > MAX_BODY) return { status: 413, body: '' };
    let body: Record<string, unknown>;
    try {
      body = JSON.parse(request.body) as Record<string, unknown>;
    } catch {
      return invalid('JSON could not be parsed');
    }
    const errors = faultsOf(body, options.routingKeys);
    if (errors.length > 0) return invalid(...errors);
    const event: PagerDutyEvent = {
      routingKey: String(body.routing_key),
      action: body.event_action as PagerDutyEvent['action'],
      dedupKey: typeof body.dedup_key === 'string' ? body.dedup_key : `generated-${events.length}`,
      payload: (body.payload as Record<string, unknown> | undefined) ?? null,
      links: (body.links as PagerDutyEvent['links'] | undefined) ?? [],
      atMs: (options.nowMs ?? Date.now)(),
    };
    if (isThrottled(event)) {
      throttled.push(event);
      const status = 'throttle exceeded';
      const message = 'Requests for this service are arriving too quickly. Please retry later.';
      return { status: 429, body: JSON.stringify({ status, message }) };
    }
    events.push(event);
    apply(event);
    return {
      status: 202,
      body: JSON.stringify({ status: 'success', message: 'Event processed', dedup_key: event.dedupKey }),
    };
  }

  function isThrottled({ routingKey, atMs }: PagerDutyEvent): boolean {
    if (options.eventsPerMinute === undefined) return false;
    const recent = events.filter((one) => one.routingKey === routingKey && one.atMs > atMs - 60_000);
    return recent.length >= options.eventsPerMinute;
  }

  function apply(event: PagerDutyEvent): void {
    const same = incidents.filter(
      (one) => one.dedupKey === event.dedupKey && one.routingKey === event.routingKey,
    );
    const open = same.find((one) => one.state !== 'resolved');
    if (event.action === 'trigger') {
      if (open !== undefined) {
        open.triggers += 1;
        return;
      }
      if (same.length > 0) unexpected.push(`trigger after resolve of ${event.dedupKey.slice(0, 12)}`);
      incidents.push({
        routingKey: event.routingKey,
        dedupKey: event.dedupKey,
        state: 'triggered',
        summary: String(event.payload?.summary),
        severity: String(event.payload?.severity),
        triggers: 1,
      });
    } else if (open !== undefined) {
      open.state = event.action === 'resolve' ? 'resolved' : 'acknowledged';
    }
  }

  const server = await startHttpFake(answer);
  return {
    ...server,
    url: `${server.url}/v2/enqueue`,
    incidents: () => incidents,
    events: () => events,
    throttled: () => throttled,
    expectNoUnexpected() {
      if (unexpected.length > 0) throw new Error(`PagerDuty saw the unexpected: ${unexpected.join(' | ')}`);
    },
  };
}

function faultsOf(body: Record<string, unknown>, known: readonly string[] | undefined): string[] {
  const faults: string[] = [];
  const { routing_key: key, event_action: action, dedup_key: dedupKey } = body;
  if (typeof key !== 'string' || key === '') faults.push("'routing_key' is missing or blank");
  else if (known === undefined ? key.length !== 32 : !known.includes(key)) {
    faults.push("'routing_key' is invalid");
  }
  if (action !== 'trigger' && action !== 'acknowledge' && action !== 'resolve') {
    faults.push("'event_action' is invalid");
  }
  if (action !== 'trigger' && typeof dedupKey !== 'string') faults.push("'dedup_key' is missing or blank");
  if (typeof dedupKey === 'string' && dedupKey.length > 255) faults.push("'dedup_key' is too long");
  if (action === 'trigger') {
    const payload = (body.payload ?? {}) as Record<string, unknown>;
    if (typeof payload.summary !== 'string' || payload.summary === '') {
      faults.push("'payload.summary' is missing or blank");
    } else if ([...payload.summary].length > 1024) faults.push("'payload.summary' is too long");
    if (typeof payload.source !== 'string' || payload.source === '') {
      faults.push("'payload.source' is missing or blank");
    }
    if (!['critical', 'error', 'warning', 'info'].includes(String(payload.severity))) {
      faults.push("'payload.severity' is invalid (must be one of critical, warning, error or info)");
    }
  }
  return faults;
}
