/**
 * Plays a storm at a fixed rate, as the two Alertmanagers of an HA pair tell of it: groups begin, grow, are repeated
 * unchanged, come a second time from the peer, and end. What gets no 2xx or 4xx is tried again until it does.
 */

import type { Clock } from '../../src/domain/clock.js';
import { canonicalLabels, type Labels } from '../../src/domain/labels.js';
import { bodyOf, type SentAlert } from '../../test/support/alertmanager-double.js';
import type { Random } from './random.js';
import { sleep } from './real-clock.js';
import type { StormGroup } from './storm-world.js';

/** What came of one body. */
export type StormPost = {
  readonly sentAtMs: number;
  readonly answeredAtMs: number;
  readonly status: number;
  /** Of the alerts in it. */
  readonly count: number;
  /** Canonical labels of those that fire and are critical. */
  readonly criticals: readonly string[];
  readonly firing: readonly string[];
};

export type StormLoad = {
  /** Resolves when the last body is answered. */
  readonly play: () => Promise<void>;
  /** Posts these alerts in one body, and resolves with how long the answer took, ms. */
  readonly burst: (alerts: readonly Labels[]) => Promise<number>;
  readonly posts: () => readonly StormPost[];
};

const TICK_MS = 50;
const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 5_000;
/** A body that nobody takes for so long is a fault of the service, which the books then show. */
const GIVE_UP_MS = 60_000;

const PEER_SHARE = 0.25;
const GROWTH_SHARE = 0.5;

type Playing = { readonly group: StormGroup; firing: number; lastBody: SentAlert[]; phase: Phase };
type Phase = 'waiting' | 'firing' | 'ended' | 'returned';

export function createStormLoad(deps: {
  readonly clock: Clock;
  readonly random: Random;
  readonly post: (body: string, signal: AbortSignal) => Promise<number>;
  readonly groups: readonly StormGroup[];
  readonly perMinute: number;
  readonly durationMs: number;
}): StormLoad {
  const { clock, random } = deps;
  const posts: StormPost[] = [];
  const underway = new Set<Promise<void>>();
  const playing: Playing[] = deps.groups.map((group) => ({
    group,
    firing: 0,
    lastBody: [],
    phase: 'waiting',
  }));

  async function send(labels: Labels, alerts: readonly SentAlert[], peer: 0 | 1): Promise<void> {
    const body = bodyOf({ key: `{}:${canonicalLabels(labels)}`, labels }, alerts, peer);
    const firing = alerts.filter((one) => one.status === 'firing').map((one) => one.labels);
    const sentAtMs = clock.now();
    let status = 0;
    for (let pauseMs = FIRST_PAUSE_MS; clock.now() - sentAtMs < GIVE_UP_MS; pauseMs *= 1.5) {
      status = await deps.post(body, AbortSignal.timeout(GIVE_UP_MS)).catch(() => 0);
      if (status >= 200 && status < 500) break;
      await sleep(Math.min(pauseMs, MAX_PAUSE_MS));
    }
    posts.push({
      sentAtMs,
      answeredAtMs: clock.now(),
      status,
      count: alerts.length,
      firing: firing.map(canonicalLabels),
      criticals: firing.filter((one) => one.severity === 'critical').map(canonicalLabels),
    });
  }

  function start(labels: Labels, alerts: readonly SentAlert[], peer: 0 | 1): number {
    const run = send(labels, alerts, peer).finally(() => underway.delete(run));
    underway.add(run);
    return alerts.length;
  }

  /** Groups whose time has come to begin, end or come back. */
  function turn(one: Playing, atMs: number): number {
    const { group, phase } = one;
    if (phase === 'waiting' && atMs >= group.beginsAtMs) return fire(one, 'firing');
    if (phase === 'firing' && atMs >= group.endsAtMs) return end(one);
    if (phase === 'ended' && atMs >= group.returnsAtMs) return fire(one, 'returned');
    return 0;
  }

  function fire(one: Playing, phase: Phase): number {
    const { labels, alerts } = one.group;
    one.phase = phase;
    one.firing = 1 + Math.floor(random() * alerts.length);
    one.lastBody = alerts.slice(0, one.firing).map((each) => sent(each, clock.now(), null));
    return start(labels, one.lastBody, 0);
  }

  function end(one: Playing): number {
    one.phase = 'ended';
    const over = one.lastBody.map((each) => sent(each.labels, Date.parse(each.startsAt), clock.now()));
    one.lastBody = [];
    one.firing = 0;
    return start(one.group.labels, over, 0);
  }

  /** More of the same: the peer's copy, another worker, or a repeat. */
  function again(one: Playing): number {
    const { labels, alerts } = one.group;
    const dice = random();
    if (dice < PEER_SHARE) {
      // Its clock differs by a few ms, and it saw the alert begin at another scrape.
      const copy = one.lastBody.map((each) => ({
        ...each,
        startsAt: new Date(Date.parse(each.startsAt) + Math.floor(random() * 5)).toISOString(),
      }));
      return start(labels, copy, 1);
    }
    const next = alerts[one.firing];
    if (dice < PEER_SHARE + GROWTH_SHARE && next !== undefined) {
      one.firing += 1;
      one.lastBody = [...one.lastBody, sent(next, clock.now(), null)];
    }
    return start(labels, one.lastBody, 0);
  }

  return {
    async play() {
      const startedAt = clock.monotonic();
      let told = 0;
      for (let atMs = 0; atMs < deps.durationMs; atMs = clock.monotonic() - startedAt) {
        const owed = (deps.perMinute * atMs) / 60_000;
        for (const one of playing) told += turn(one, atMs);
        const active = playing.filter(({ firing }) => firing > 0);
        while (told < owed && active.length > 0) {
          const one = active[Math.floor(random() * active.length)];
          if (one !== undefined) told += again(one);
        }
        await sleep(TICK_MS);
      }
      while (underway.size > 0) await Promise.all([...underway]);
    },
    async burst(alerts) {
      const startedAt = clock.monotonic();
      await send(
        { cluster: 'prod-burst' },
        alerts.map((each) => sent(each, clock.now(), null)),
        0,
      );
      return clock.monotonic() - startedAt;
    },
    posts: () => posts,
  };
}

function sent(labels: Labels, startsAtMs: number, endsAtMs: number | null): SentAlert {
  return {
    status: endsAtMs === null ? 'firing' : 'resolved',
    labels,
    annotations: { summary: `${labels.alertname} on ${labels.pod}` },
    startsAt: new Date(startsAtMs).toISOString(),
    endsAt: endsAtMs === null ? '0001-01-01T00:00:00Z' : new Date(endsAtMs).toISOString(),
    generatorURL: 'http://prometheus:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1',
    fingerprint: '0123456789abcdef',
  };
}
