/** What receiver tests share: real time, a logger that keeps its lines, and deliveries of any purpose. */

import type { BareFacts } from '../../src/domain/bare-facts.js';
import type { Clock } from '../../src/domain/clock.js';
import type { IncidentView } from '../../src/domain/incident-view.js';
import { labelsFrom } from '../../src/domain/labels.js';
import type { CardRef, Notification, Purpose } from '../../src/domain/notification.js';
import type { Logger } from '../../src/log/logger.js';
import type { BareDelivery, Delivery } from '../../src/receivers/receiver.js';
import { FIRED_AT } from '../support/a-view.js';

/** Real time, with timers shortened so that a five-second deadline passes in a test. */
export function fastClock(factor = 1): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    after(delayMs, fn) {
      const timer = setTimeout(fn, delayMs / factor);
      return () => clearTimeout(timer);
    },
  };
}

export type KeptLog = Logger & { readonly lines: () => readonly string[] };

export function keptLog(): KeptLog {
  const lines: string[] = [];
  const at = (level: string) => (fields: object, message: string) => {
    lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  };
  const log: KeptLog = {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => log,
    lines: () => lines,
  };
  return log;
}

export function aNotification(purpose: Purpose, over: Partial<Notification> = {}): Notification {
  return {
    id: 1,
    incidentId: 412,
    episodeId: 7,
    receiver: 'r',
    purpose,
    state: 'sending',
    dueAtMs: FIRED_AT,
    attempts: 1,
    fence: 1,
    leaseUntilMs: FIRED_AT + 30_000,
    lastReason: null,
    createdAtMs: FIRED_AT,
    finishedAtMs: null,
    umbrellaId: null,
    listedAtMs: null,
    admittedAtMs: null,
    climbAtMs: null,
    climbedAtMs: null,
    onBehalfOf: null,
    faults: 0,
    bare: false,
    shadow: false,
    ...over,
  };
}

export function aDelivery(
  purpose: Purpose,
  view: IncidentView,
  over: { readonly attempts?: number; readonly card?: CardRef | null; readonly secondPage?: boolean } = {},
): Delivery {
  return {
    notification: aNotification(purpose, { attempts: over.attempts ?? 1 }),
    view,
    card: over.card ?? null,
    secondPage: over.secondPage ?? false,
  };
}

export function aBareDelivery(purpose: Purpose, over: Partial<BareFacts> = {}): BareDelivery {
  const facts: BareFacts = {
    dedupKey: 'd'.repeat(64),
    alertName: 'LLMHighTTFT',
    severity: 'critical',
    scope: labelsFrom([
      ['cluster', 'prod-us'],
      ['model', 'llama-70b'],
    ]),
    state: 'open',
    incidentId: 412,
    why: 'it could not be drawn',
    ...over,
  };
  return { purpose, facts, card: null, secondPage: false, idempotencyKey: 'key' };
}

export const never = new AbortController().signal;
