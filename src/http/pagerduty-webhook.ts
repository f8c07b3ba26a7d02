/**
 * `POST /api/v1/pagerduty`: PagerDuty's webhooks v3, for what people do at the pager. Every signed event is answered
 * 200, also one that is of no use here: PagerDuty drops an event for any other 4xx, and disables the subscription
 * after three. 503 asks for the event again, for up to 48 h. Answers are due within 5 s
 * (developer.pagerduty.com, "Webhooks Overview", "Webhook Behavior").
 */

import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { readBody } from '../alertmanager/read-body.js';
import { type Clock, DAY } from '../domain/clock.js';
import type { Logger } from '../log/logger.js';
import { clean, cut } from '../render/neutralise.js';
import { type PagerSecret, signedBy } from './pagerduty-signature.js';

export const PAGERDUTY_PATH = '/api/v1/pagerduty';

/** PagerDuty's own limit. */
const MAX_BODY_BYTES = 256 * 1024;
/** PagerDuty waits 5 s for an answer; a database that takes longer is asked again. */
const RECORD_MS = 3_000;
/** Delivered again for 48 h at most. What is older is a copy from somewhere else, whose id may be forgotten. */
const MAX_AGE_MS = 3 * DAY;

const PAGER_ACTS: Readonly<Record<string, PagerAct['act']>> = {
  'incident.acknowledged': 'acknowledged',
  'incident.resolved': 'resolved',
  'incident.reopened': 'reopened',
};

/** What a person did at the pager. */
export type PagerAct = {
  readonly act: 'acknowledged' | 'resolved' | 'reopened';
  /** Of the episode, as it was sent to the pager. */
  readonly dedupKey: string;
  readonly actor: string;
  /** Receivers that know of it already. */
  readonly receivers: readonly string[];
  readonly once: { readonly provider: 'pagerduty'; readonly key: string };
  readonly signal: AbortSignal;
};

export type PagerDutyWebhookDeps = {
  readonly secrets: readonly PagerSecret[];
  /** Applies an act; says what became of it. Rejects when it could not be recorded. */
  readonly apply: (act: PagerAct) => Promise<{ readonly kind: string }>;
  readonly clock: Clock;
  /** Counts answers by their status. */
  readonly answered?: (status: number) => void;
  readonly logger: Logger;
};

const Event = z.object({
  event: z.object({
    id: z.string().min(1).max(200),
    event_type: z.string(),
    occurred_at: z.string().nullish(),
    agent: z.object({ type: z.string().nullish(), summary: z.string().nullish() }).nullish(),
    data: z.object({ incident_key: z.string().nullish() }).nullish(),
  }),
});

/** The route; mount it before anything that parses bodies. Without a secret there is none. */
export function createPagerDutyWebhook(deps: PagerDutyWebhookDeps): Router {
  const { logger, clock } = deps;
  const router = Router();
  if (deps.secrets.length > 0) router.post(PAGERDUTY_PATH, receive);
  return router;

  async function receive(request: Request, response: Response): Promise<void> {
    response.once('finish', () => deps.answered?.(response.statusCode));
    const read = await readBody(request, MAX_BODY_BYTES);
    if (read.kind === 'aborted') return;
    if (read.kind === 'too_large') {
      response.set('Connection', 'close').status(413).end();
      return;
    }
    const receivers = signedBy({ rawHeaders: request.rawHeaders, body: read.bytes }, deps.secrets);
    if (receivers.length === 0) {
      logger.warn({ remote: request.socket.remoteAddress }, 'a PagerDuty event without a right signature');
      response.status(401).json({ error: 'not signed by a known secret' });
      return;
    }
    try {
      response.status(200).json({ result: await take(read.bytes, receivers) });
    } catch (error) {
      logger.error({ err: error }, 'a PagerDuty event could not be recorded');
      response.status(503).json({ error: 'not recorded, please send it again' });
    }
  }

  async function take(body: Buffer, receivers: readonly string[]): Promise<string> {
    const event = readEvent(body);
    if (event === null) {
      logger.warn({}, 'a signed PagerDuty event could not be read');
      return 'unreadable';
    }
    const act = Object.hasOwn(PAGER_ACTS, event.event_type) ? PAGER_ACTS[event.event_type] : undefined;
    const dedupKey = event.data?.incident_key ?? '';
    if (act === undefined || dedupKey === '') return 'ignored';
    const occurredAtMs = Date.parse(event.occurred_at ?? '');
    if (occurredAtMs < clock.now() - MAX_AGE_MS) return 'ignored';

    const controller = new AbortController();
    const cancel = clock.after(RECORD_MS, () => controller.abort(new Error('not recorded in time')));
    try {
      const { signal } = controller;
      const once = { provider: 'pagerduty', key: event.id } as const;
      const applied = deps.apply({ act, dedupKey, actor: personOf(event.agent), receivers, once, signal });
      return (await Promise.race([applied, whenAborted(signal)])).kind;
    } finally {
      cancel();
    }
  }
}

function readEvent(body: Buffer): z.infer<typeof Event>['event'] | null {
  try {
    return Event.safeParse(JSON.parse(body.toString('utf8'))).data?.event ?? null;
  } catch {
    return null;
  }
}

/** The person's name; what an integration or a rule did is PagerDuty's. */
function personOf(agent: z.infer<typeof Event>['event']['agent']): string {
  const name = agent?.type === 'user_reference' ? cut(clean(agent.summary ?? ''), 60) : '';
  return name === '' ? 'PagerDuty' : name;
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
