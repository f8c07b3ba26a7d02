/**
 * Some minutes of one service on time that only the test moves, in which every stage has something to do: pages,
 * cards, verdicts, acknowledgement, resolve, reminders, an escalation, a storm, a page ceiling, a silence, a Watchdog
 * that dies, a pager that fails, and a whole world that does. Who finds first that something is missing: the
 * auditor, whoever waits for the dead-man ping, or the story, which knows what must have been heard by when.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { App, AppOverrides } from '../../src/app.js';
import { readConfig } from '../../src/config/config.js';
import { MINUTE, SECOND } from '../../src/domain/clock.js';
import type { Labels } from '../../src/domain/labels.js';
import { createLogger } from '../../src/log/logger.js';
import { startFakeAlertmanager } from '../support/fake-alertmanager.js';
import { createManualClock } from '../support/manual-clock.js';
import { createScriptedSource } from '../support/scripted-source.js';
import { CHAPTERS, type Chapter, DARK_SECONDS, type Holds, type Listed } from './story-chapters.js';
import { createStoryWorld, EVENTS_URL, KEYS, PING_URL, SLACK_URL } from './story-world.js';

const START_MS = Date.UTC(2026, 10, 22, 3, 0, 0);
const PING_EVERY_MS = 20 * SECOND;
/** Whoever waits for a ping gives it so much longer. */
const PING_GRACE_MS = MINUTE;
const DARK_MS = DARK_SECONDS * SECOND;

export type Catch = {
  /** `auditor: pages`, `dead-man`, or the words of the story. */
  readonly by: string;
  /** Since the story began, ms. */
  readonly atMs: number;
};

type BuildApp = (config: never, overrides: AppOverrides) => Promise<App>;

/** Tells a chapter to a build of the service; null when nobody missed anything, else who missed something first. */
export async function tellStory(buildApp: BuildApp, chapter: Chapter): Promise<Catch | null> {
  const lastsMs = CHAPTERS[chapter].seconds * SECOND;
  const clock = createManualClock({ nowMs: START_MS });
  const directory = mkdtempSync(join(tmpdir(), 'wakewell-story-'));
  const am = await startFakeAlertmanager({ clock });
  const elapsed = () => clock.now() - START_MS;
  const world = createStoryWorld(elapsed);
  writeFileSync(join(directory, 'story.yaml'), ENTRY);
  const read = readConfig({ yamlText: configOf(directory, am.url), env: {} });
  if (read.kind === 'faulty') throw new Error(read.faults.join('\n'));
  const app = await buildApp(read.config as never, {
    clock,
    random: () => 0.5,
    source: createScriptedSource({ kv_cache_utilization: 0.99, queue_depth: 40 }),
    logger: createLogger({ level: 'silent' }),
    fetch: world.fetch,
  });
  try {
    const { url } = await app.start();
    return await play(url);
  } finally {
    const stopping = app.stop();
    for (let i = 0; i < 15; i += 1) await clock.advance(SECOND);
    await stopping;
    await am.close();
    rmSync(directory, { recursive: true, force: true });
  }

  async function play(url: string): Promise<Catch | null> {
    const acts = new Map<number, () => Promise<unknown>>();
    const checks: { readonly byMs: number; readonly says: string; readonly holds: Holds }[] = [];
    const at = (seconds: number, act: () => Promise<unknown>) => acts.set(seconds * SECOND, act);
    const heard = (bySeconds: number, says: string, holds: Holds) =>
      checks.push({ byMs: bySeconds * SECOND, says, holds });

    async function post(alerts: readonly Labels[], status: string): Promise<void> {
      for (const labels of alerts) {
        if (status === 'firing') am.hold(labels, { endsAtMs: START_MS + 2 * lastsMs });
        else am.drop(labels);
      }
      const body = alerts.map((labels) => ({
        status,
        labels,
        annotations: {},
        startsAt: new Date(clock.now()).toISOString(),
        endsAt: status === 'firing' ? '0001-01-01T00:00:00Z' : new Date(clock.now()).toISOString(),
      }));
      const answer = fetch(`${url}/api/v1/alertmanager`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ version: '4', groupKey: '{}', receiver: 'wakewell', status, alerts: body }),
      });
      await (await answer).arrayBuffer();
    }
    const get = async (path: string) => (await fetch(`${url}${path}`)).text();
    const open = async () =>
      (JSON.parse(await get('/api/v1/incidents?limit=100')) as { data: Listed[] }).data;
    async function acknowledge(...texts: readonly string[]): Promise<void> {
      for (const one of await open()) {
        const isMeant = one.state === 'open' && texts.some((text) => JSON.stringify(one).includes(text));
        if (isMeant) await fetch(`${url}/api/v1/incidents/${one.id}/acknowledge`, { method: 'POST' });
      }
    }

    CHAPTERS[chapter].tell({
      ...{ world, at, heard, get, open, acknowledge },
      fire: (...alerts) => post(alerts, 'firing'),
      resolve: (...alerts) => post(alerts, 'resolved'),
      silence: (model) => void am.silence({ model }, { untilMs: START_MS + lastsMs }),
    });

    for (let atMs = 0; atMs < lastsMs; atMs += SECOND) {
      await acts.get(atMs)?.();
      await clock.advance(SECOND);
      // The one peer behind a real socket is Alertmanager; it answers in its own time.
      if (atMs % MINUTE < 2 * SECOND) await new Promise((resolve) => setTimeout(resolve, 5));
      const isDark = chapter === 'night' && elapsed() >= DARK_MS;
      const raised = isDark ? null : world.raised();
      if (raised !== null) {
        const view = await app.readView(raised);
        return { by: `auditor: ${view?.alerts[0]?.labels.check}`, atMs: elapsed() };
      }
      const lastPing = world.pings().at(-1) ?? 0;
      if (!isDark && elapsed() - lastPing > PING_EVERY_MS + PING_GRACE_MS) {
        return { by: 'dead-man', atMs: elapsed() };
      }
      for (const { byMs, says, holds } of checks) {
        if (byMs === elapsed() && !(await holds())) return { by: `story: ${says}`, atMs: elapsed() };
      }
    }
    return null;
  }
}

const ENTRY = `
match: { alertname: StoryAlert }
title: A story
symptoms: [It is told]
steps: [kv_cache, queue]
use: [kv_cache_exhausted]
unclear: Ask whoever tells it
escalation:
  - { after: 30s, unless: acknowledged, to: infrastructure }
`;

function configOf(directory: string, alertmanagerUrl: string): string {
  const pager = (name: keyof typeof KEYS, ladder: readonly string[]) => ({
    name,
    kind: 'pagerduty',
    routing_key: KEYS[name],
    events_url: EVENTS_URL,
    ladder,
  });
  const slack = {
    name: 'slack',
    kind: 'slack',
    bot_token: 'xoxb-story',
    channel: 'C0STORY',
    api_url: SLACK_URL,
  };
  return JSON.stringify({
    port: 0,
    database_url: 'file::memory:',
    alertmanager: { url: alertmanagerUrl },
    playbooks: [directory],
    receivers: [
      pager('oncall', ['infra']),
      pager('infra', ['oncall']),
      pager('storm', ['infra']),
      pager('ceiling', ['infra']),
      slack,
    ],
    routes: [
      { matchers: ['severity="warning"'], receivers: ['slack'] },
      { matchers: ['cluster="stormy"'], receivers: ['storm', 'slack'] },
      { matchers: ['cluster=~"busy.*"'], receivers: ['ceiling', 'slack'] },
      { matchers: ['severity="critical"'], receivers: ['oncall', 'slack'] },
    ],
    escalation_targets: { infrastructure: ['infra'] },
    timings: { resolve_hold: '20s' },
    reminders: { critical: '90s', warning: '80s' },
    // Only one pager is to be paged more often than this; the others have a story of their own.
    page_ceilings: [{ pages: 3, within: '1m' }],
    watchdog: { interval: '20s' },
    dead_man: { url: PING_URL, interval: `${PING_EVERY_MS}ms` },
  });
}
