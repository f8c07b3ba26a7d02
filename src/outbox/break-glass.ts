/**
 * Pages without the database, for criticals that could not be committed or whose page cannot be claimed. The
 * keys are those that the pages have once they are committed, so that a pager collapses both. What was paged is
 * remembered in memory only: after a restart the pager collapses it once more.
 */

import { hash } from 'node:crypto';
import type { BareFacts, DirectPage } from '../domain/bare-facts.js';
import { type Clock, HOUR, SECOND } from '../domain/clock.js';
import type { Labels } from '../domain/labels.js';
import type { DeliveryResult } from '../domain/notification.js';
import type { Logger } from '../log/logger.js';
import type { Receiver } from '../receivers/receiver.js';
import { bareText } from '../render/bare-message.js';
import type { ReceiverKind } from '../routing/route-table.js';
import { rungsOf } from './ladder.js';

/** Keys remembered; the oldest go first. */
const MAX_KEYS = 10_000;

/** As for ordinary pages: beyond these in an hour one more page speaks for all that follow. */
const MAX_PAGES_AN_HOUR = 7;

/** Longest that all tries for one page may take together. */
const PAGE_WITHIN_MS = 10 * SECOND;

export type BreakGlassMetrics = {
  readonly direct: (receiver: string, outcome: 'accepted' | 'failed' | 'bundled') => void;
};

export type BreakGlassDeps = {
  readonly receivers: ReadonlyMap<string, Receiver>;
  readonly route: (labels: Labels) => readonly { readonly receiver: string; readonly kind: ReceiverKind }[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics?: BreakGlassMetrics;
};

export type BreakGlass = {
  /** Sends each page once a process, as long as somebody accepted it. Resolves when all tries were made; never throws. */
  readonly page: (pages: readonly DirectPage[]) => Promise<void>;
};

export function createBreakGlass(deps: BreakGlassDeps): BreakGlass {
  const { clock, logger, receivers } = deps;
  const known = new Map<string, Promise<boolean>>();
  /** Monotonic. */
  let pagedAt: number[] = [];

  async function pageOnce(page: DirectPage): Promise<void> {
    const key = page.facts.dedupKey;
    const earlier = known.get(key);
    if (earlier !== undefined) {
      await earlier;
      return;
    }
    const sending = admit(page);
    known.set(key, sending);
    if (known.size > MAX_KEYS) known.delete(known.keys().next().value ?? '');
    // Nobody took it: the redelivery tries again.
    if (!(await sending)) known.delete(key);
  }

  async function admit(page: DirectPage): Promise<boolean> {
    const now = clock.monotonic();
    pagedAt = pagedAt.filter((at) => at > now - HOUR);
    logger.error(
      { alertName: page.facts.alertName, scope: page.facts.scope, why: page.facts.why },
      'critical is paged without the database',
    );
    if (pagedAt.length > MAX_PAGES_AN_HOUR) {
      deps.metrics?.direct('', 'bundled');
      return true;
    }
    const isLast = pagedAt.push(now) > MAX_PAGES_AN_HOUR;
    const accepted = await send(isLast ? forAllThatFollow(page) : page);
    if (!accepted) pagedAt.splice(pagedAt.indexOf(now), 1);
    return accepted;
  }

  async function send(page: DirectPage): Promise<boolean> {
    const controller = new AbortController();
    const cancel = clock.after(PAGE_WITHIN_MS, () => controller.abort());
    try {
      for (const rung of rungsFor(page)) {
        const accepted = await Promise.all(rung.map((name) => attempt(name, page.facts, controller.signal)));
        if (accepted.includes(true)) return true;
      }
    } finally {
      cancel();
    }
    logger.error(
      { message: bareText(page.facts) },
      'a critical could neither be committed nor paged directly',
    );
    return false;
  }

  /** Its receiver or the pagers of its route, then their ladders; without a pager whoever its route names. */
  function rungsFor({ receiver, labels }: DirectPage): readonly (readonly string[])[] {
    const chosen = deps.route(labels);
    const ofKind = (kind: ReceiverKind) =>
      chosen.filter((one) => one.kind === kind).map((one) => one.receiver);
    const first = receiver === undefined ? ofKind('pagerduty') : [receiver];
    if (first.length === 0) return [ofKind('slack'), ofKind('webhook'), ofKind('log')];
    return [first, ...first.flatMap((name) => rungsOf(name, receivers))];
  }

  async function attempt(name: string, facts: BareFacts, signal: AbortSignal): Promise<boolean> {
    const receiver = receivers.get(name);
    if (receiver === undefined || signal.aborted) return false;
    const delivery = {
      purpose: 'page',
      facts,
      card: null,
      secondPage: false,
      idempotencyKey: `${facts.dedupKey}.direct`,
    } as const;
    const result = await receiver.deliverBare(delivery, signal).catch((error: unknown): DeliveryResult => {
      logger.error({ err: error, receiver: name }, 'receiver failed unexpectedly');
      return { kind: 'retry', reason: 'bad_response', detail: 'internal error' };
    });
    const accepted = result.kind === 'sent';
    deps.metrics?.direct(name, accepted ? 'accepted' : 'failed');
    if (!accepted) logger.error({ receiver: name, result }, 'direct page not accepted');
    return accepted;
  }

  return {
    async page(pages) {
      await Promise.all(pages.map(pageOnce));
    },
  };
}

function forAllThatFollow(page: DirectPage): DirectPage {
  return {
    labels: page.labels,
    facts: {
      ...page.facts,
      dedupKey: hash('sha256', `v1 break glass\0${page.facts.dedupKey}`),
      alertName: `${page.facts.alertName} and more criticals`,
      why: 'the database is in trouble and too many were paged already: look at Alertmanager for the others',
    },
  };
}
