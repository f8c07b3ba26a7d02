/** Plays one sequence of steps on a service between an Alertmanager and a pager, and holds it to the invariants. */

import { MINUTE, SECOND } from '../../src/domain/clock.js';
import {
  createPagingWorld,
  type PagerAnswer,
  type PagingOptions,
  type PagingWorld,
} from '../support/paging-harness.js';
import { TEST_NOW_MS } from '../support/test-database.js';
import { expectInvariants, type Kept, stillOpen, untold } from './invariants.js';
import { ALERTS, type Fault, type Step } from './steps.js';
import { alertOf, asResolved, read, type Truth } from './upstream.js';

/** A minute of the constants is half a second here: a sequence of seconds crosses every window. */
const M = SECOND / 2;

export const CEILINGS = [
  { pages: 3, withinMs: 15 * M },
  { pages: 7, withinMs: 60 * M },
];

export const OPTIONS: PagingOptions = {
  explains: (cause, other) => cause === 'LLMKVCachePressure' && other === 'LLMHighTTFT',
  verdict: (view) =>
    view.incident.alertName === 'LLMKVCachePressure'
      ? { cause: 'kv_cache_exhausted', confidence: 'high', explains: ['LLMHighTTFT'] }
      : { cause: null, confidence: 'none', explains: [] },
  resolveHoldMs: 5 * M,
  reopenWindowMs: 30 * M,
  flapping: { cycles: 3, withinMs: 30 * M, quietMs: 15 * M },
  storm: { incidents: 5, withinMs: 2 * M, quietMs: 10 * M, cardEveryMs: M, pageEveryMs: 15 * M },
  ceilings: CEILINGS,
  reminders: { criticalMs: 15 * M, warningMs: 60 * M },
};

/** What is beyond a ceiling is listed within a minute; a breath more for the pager's backoff and the next look. */
const TOLD_WITHIN_MS = MINUTE + 15 * SECOND;
/** Holds, flapping and storms must have ended, and the outbox be empty. */
const QUIET_WITHIN_MS = 2 * MINUTE;

/** Throws the first invariant that does not hold, naming the step after which it did not. */
export async function play(steps: readonly Step[], options: PagingOptions = OPTIONS): Promise<void> {
  const truths = new Map<number, Truth>();
  const world: PagingWorld = await createPagingWorld({
    ...options,
    upstream: () => read(truths.values(), theirNow()),
  });
  const kept: Kept = {
    accepted: new Set(),
    deliveries: 0,
    timeline: new Map(),
    acknowledged: [],
    news: [],
    ceilings: CEILINGS,
    attemptsSeen: 0,
    audibleBefore: true,
  };
  let fault: Fault | null = null;
  world.pagerAnswers(() => answerOf(fault));
  try {
    for (const [index, step] of steps.entries()) {
      await take(step);
      await world.reconcile();
      await expectInvariants(
        world,
        [...truths.values()],
        kept,
        `after step ${index + 1}, ${JSON.stringify(step)}`,
      );
    }
    fault = null;
    const waiting = await settle(() => untold(world, truths.values()), TOLD_WITHIN_MS);
    if (waiting.length > 0) throw new Error(`nobody was told of ${waiting.join('; ')}`);
    await expectInvariants(world, [...truths.values()], kept, 'when everything works again');

    for (const truth of truths.values()) await end(truth, false);
    const open = await settle(() => stillOpen(world), QUIET_WITHIN_MS);
    if (open.length > 0) throw new Error(`long after everything was over: ${open.join('; ')}`);
    await expectInvariants(world, [...truths.values()], kept, 'after everything was over');
  } finally {
    await world.close();
  }

  /** Lets time pass until nothing is left to wait for. Alertmanager is asked now and then, as always. */
  async function settle(
    left: () => Promise<readonly string[]>,
    withinMs: number,
  ): Promise<readonly string[]> {
    let waiting: readonly string[] = [];
    for (let passed = 0; passed < withinMs; passed += 2 * SECOND) {
      await world.clock.advance(2 * SECOND);
      await world.reconcile();
      await expectInvariants(world, [...truths.values()], kept, 'while it settles');
      waiting = await left();
      if (waiting.length === 0) break;
    }
    return waiting;
  }

  async function take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'fire':
        return fire(step.n, step.critical, step.lost);
      case 'resolve':
        return withTruth(step.n, (truth) => end(truth, step.lost));
      case 'repeat':
        return withTruth(step.n, async (truth) => {
          if (truth.silenced) return;
          const { alert } = truth;
          const sent = step.peer ? { ...alert, startsAtMs: (alert.startsAtMs ?? 0) + 250 } : alert;
          await send(truth.firing ? sent : asResolved(truth, theirNow()));
        });
      case 'late':
        return withTruth(step.n, async (truth) => {
          await send(truth.firing ? asResolved(truth, truth.alert.startsAtMs ?? 0) : truth.alert);
        });
      case 'acknowledge':
        return withTruth(step.n, async (truth) => {
          const incidentId = await incidentOf(truth);
          if (incidentId === null) return;
          const result = await world.acknowledge(incidentId);
          if (result.kind !== 'changed') return;
          kept.acknowledged.push({ episodeId: result.incident.episodeId, atMs: world.clock.monotonic() });
        });
      case 'silence':
        return withTruth(step.n, async (truth) => {
          truth.silenced = true;
        });
      case 'unsilence':
        return withTruth(step.n, async (truth) => {
          if (!truth.silenced) return;
          truth.silenced = false;
          truth.sinceMs = world.clock.monotonic();
          if (truth.firing) await send(truth.alert);
        });
      case 'crash':
        return world.restart();
      case 'jump':
        return world.clock.setWall(world.clock.now() + step.ms);
      case 'fault':
        fault = step.how;
        return;
      case 'heal':
        fault = null;
        return;
      case 'pass':
        return world.clock.advance(step.ms);
    }
  }

  /** Prometheus and Alertmanager have a clock of their own, which nobody steps. */
  function theirNow(): number {
    return TEST_NOW_MS + world.clock.monotonic();
  }

  async function withTruth(n: number, then: (truth: Truth) => Promise<void>): Promise<void> {
    const truth = truths.get(n % ALERTS);
    if (truth !== undefined) await then(truth);
  }

  async function fire(n: number, critical: boolean, lost: boolean): Promise<void> {
    const before = truths.get(n);
    if (before?.firing) return;
    const silenced = before?.silenced ?? false;
    const alert = alertOf(n, critical, theirNow());
    truths.set(n, { n, alert, firing: true, silenced, endLost: false, sinceMs: world.clock.monotonic() });
    if (!lost && !silenced) await send(alert);
  }

  async function end(truth: Truth, lost: boolean): Promise<void> {
    if (!truth.firing) return;
    truth.firing = false;
    truth.endLost = lost || truth.silenced;
    if (!lost && !truth.silenced) await send(asResolved(truth, theirNow()));
  }

  async function send(alert: Truth['alert']): Promise<void> {
    await world.receive(alert);
    kept.deliveries += 1;
    if (alert.status !== 'firing') return;
    kept.news.push({ scope: alert.scope, atMs: world.clock.monotonic() });
    kept.accepted.add(alert.alertKey);
  }

  async function incidentOf(truth: Truth): Promise<number | null> {
    const row = await world.db.kysely
      .selectFrom('incident_alerts')
      .select('incident_id')
      .where('alert_key', '=', truth.alert.alertKey)
      .orderBy('incident_id', 'desc')
      .executeTakeFirst();
    return row?.incident_id ?? null;
  }
}

function answerOf(fault: Fault | null): PagerAnswer {
  const timeout = { kind: 'retry', reason: 'timeout', detail: 'no answer' } as const;
  switch (fault) {
    case null:
      return null;
    case 'throttled':
      return { kind: 'retry', reason: 'rate_limited', detail: '429', afterMs: SECOND };
    case 'answer_lost':
      return { lost: timeout };
    case 'unreachable':
      return timeout;
  }
}
