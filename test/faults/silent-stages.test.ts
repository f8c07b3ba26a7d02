/**
 * B43–B45: a stage that silently does nothing is found by the auditor within 15 min and raised as an incident, and the
 * dead-man ping stops; a healthy service is never accused.
 */

import { Registry } from 'prom-client';
import { describe, expect, onTestFinished, test } from 'vitest';
import { MINUTE, SECOND } from '../../src/domain/clock.js';
import { createAuditor } from '../../src/incidents/auditor.js';
import { resolve } from '../../src/incidents/change-state.js';
import { createDeadMan } from '../../src/jobs/dead-man.js';
import { createTimerMetrics } from '../../src/log/timer-metrics.js';
import { anAlert } from '../support/build.js';
import { silentLogger } from '../support/intake-harness.js';
import { createTimerHarness, type TimerHarness } from '../support/timer-harness.js';

type Stage = {
  /** Undoes, every 10 s, what the stage has done. */
  readonly undo?: (h: TimerHarness) => Promise<unknown>;
  /** Runs once, after the incident was opened and a minute has passed. */
  readonly afterwards?: (h: TimerHarness) => Promise<unknown>;
  readonly deliver?: 'nothing' | 'pages only';
  readonly work?: false;
};

const table = (name: 'notifications' | 'work' | 'timers') => (h: TimerHarness) =>
  h.db.kysely.deleteFrom(name).where('incident_id', '=', 1).execute();

/** Who should be caught by which check. Add a line for each stage that could fall silent. */
const STAGES: readonly (readonly [string, Stage, string])[] = [
  ['the outbox delivers nothing', { deliver: 'nothing' }, 'pages'],
  ['the outbox never takes a card', { deliver: 'pages only' }, 'outbox'],
  ['intake stores no message', { undo: table('notifications') }, 'untold'],
  ['intake stores no investigation', { undo: table('work') }, 'undiagnosed'],
  ['investigations are not taken', { work: false }, 'work'],
  ['reminders are not planned', { undo: table('timers') }, 'unreminded'],
  ['timers do not fire', { afterwards: (h) => h.stop() }, 'timers'],
  [
    'the resolve is not stored',
    {
      afterwards: (h) => resolve(h.db, { incidentId: 1, actor: 'mia', nowMs: h.clock.now() }),
      undo: (h) => h.db.kysely.deleteFrom('notifications').where('purpose', '=', 'page_resolve').execute(),
    },
    'unresolved',
  ],
];

async function start(deadManAnswers: () => Response = () => new Response('ok')) {
  const h = await createTimerHarness({
    timers: { delays: { criticalMs: 8 * MINUTE, warningMs: 60 * MINUTE } },
  });
  const auditor = createAuditor({
    db: h.db,
    clock: h.clock,
    logger: silentLogger,
    resolveHoldMs: 5 * MINUTE,
    scopeLabels: ['cluster', 'namespace', 'model'],
    retry: () => {},
    receive: h.intake.receive,
  });
  auditor.start();
  const pings: string[] = [];
  const outcomes: string[] = [];
  const deadMan = createDeadMan({
    url: 'https://dead-man.example/SECRET',
    intervalMs: MINUTE,
    passedAgoMs: auditor.passedAgoMs,
    fetch: async (url) => {
      pings.push(String(url));
      return deadManAnswers();
    },
    clock: h.clock,
    logger: silentLogger,
    metrics: { pinged: (outcome) => void outcomes.push(outcome) },
  });
  deadMan.start();
  onTestFinished(async () => {
    await deadMan.stop();
    await auditor.stop();
  });
  return { h, auditor, pings, outcomes };
}

async function pass(h: TimerHarness, ms: number, stage: Stage = {}): Promise<void> {
  for (let left = ms; left > 0; left -= 10 * SECOND) {
    await h.clock.advance(10 * SECOND);
    if (stage.deliver === undefined) await h.deliverDue();
    if (stage.deliver === 'pages only') {
      const due = h.db.kysely
        .updateTable('notifications')
        .set({ state: 'sent', attempts: 1, finished_at: h.clock.now() });
      await due
        .where('state', '=', 'queued')
        .where('purpose', '=', 'page')
        .where('due_at', '<=', h.clock.now())
        .execute();
    }
    if (stage.work === undefined) await h.db.kysely.updateTable('work').set({ state: 'done' }).execute();
    await stage.undo?.(h);
  }
}

const late = async (h: TimerHarness) => {
  const rows = await h.db.kysely
    .selectFrom('incident_alerts')
    .select(['labels', 'status'])
    .where('name', '=', 'WakewellLate')
    .execute();
  return rows.map((row) => `${JSON.parse(row.labels).check} ${row.status}`);
};

test('a healthy service with an open and a resolved incident is never accused, and is pinged for', async () => {
  const { h, auditor, pings } = await start();
  await h.receive(anAlert());
  await pass(h, 10 * MINUTE);
  await resolve(h.db, { incidentId: 1, actor: 'mia', nowMs: h.clock.now() });
  await pass(h, 10 * MINUTE);

  expect(await late(h)).toEqual([]);
  expect(auditor.late()).toEqual([]);
  expect(pings).toHaveLength(20);
});

describe('when silently', () => {
  test.each(STAGES)('%s, it is raised within 15 min', async (_, stage, check) => {
    const { h, pings } = await start();
    await h.receive(anAlert());
    await pass(h, MINUTE, { ...stage, ...(stage.afterwards === undefined ? {} : { undo: async () => {} }) });
    await stage.afterwards?.(h);
    await pass(h, 13 * MINUTE, stage);

    expect(await late(h)).toContain(`${check} firing`);
    const before = pings.length;
    await pass(h, 2 * MINUTE, stage);
    expect(pings.length).toBe(before);
  });

  test('the auditor itself stops, the dead-man ping stops', async () => {
    const { h, auditor, pings } = await start();
    await pass(h, 2 * MINUTE);
    await auditor.stop();
    await pass(h, 2 * MINUTE);
    const before = pings.length;
    await pass(h, 5 * MINUTE);
    expect(pings.length).toBe(before);
  });
});

test('what was late and is made good ends the incident', async () => {
  const { h } = await start();
  await h.receive(anAlert());
  await pass(h, 4 * MINUTE, { deliver: 'nothing' });
  expect(await late(h)).toEqual(['pages firing']);
  await pass(h, 2 * MINUTE);
  expect(await late(h)).toEqual(['pages resolved']);
});

test('a dead-man receiver that is down is counted and harms nobody', async () => {
  let answer = () => new Response('no', { status: 500 });
  const { h, outcomes } = await start(() => answer());
  await pass(h, 2 * MINUTE);
  answer = () => {
    throw new TypeError('fetch failed: https://dead-man.example/SECRET');
  };
  await pass(h, 2 * MINUTE);
  answer = () => new Response('ok');
  await pass(h, 2 * MINUTE);

  expect(outcomes).toEqual(['failed', 'failed', 'failed', 'failed', 'sent', 'sent']);
});

test('what an earlier process raised is ended by the next one', async () => {
  const { h, auditor } = await start();
  await h.receive(anAlert());
  await pass(h, 4 * MINUTE, { deliver: 'nothing' });
  await auditor.stop();
  await h.deliverDue();
  const next = createAuditor({
    ...{ db: h.db, clock: h.clock, logger: silentLogger, resolveHoldMs: 5 * MINUTE, scopeLabels: [] },
    retry: () => {},
    receive: h.intake.receive,
  });
  next.start();
  await pass(h, MINUTE);
  await next.stop();

  expect(await late(h)).toEqual(['pages resolved']);
});

test('an audit measures what it found, what waits, and itself', async () => {
  const h = await createTimerHarness();
  const registry = new Registry();
  const auditor = createAuditor({
    ...{ db: h.db, clock: h.clock, logger: silentLogger, resolveHoldMs: 5 * MINUTE, scopeLabels: [] },
    retry: () => {},
    receive: h.intake.receive,
    metrics: createTimerMetrics(registry),
  });
  auditor.start();
  await h.receive(anAlert());
  await pass(h, 2 * MINUTE, { deliver: 'nothing' });
  await auditor.stop();

  const text = await registry.metrics();
  expect(text).toContain('wakewell_late{check="pages"} 1');
  expect(text).toContain('wakewell_outbox_depth{receiver="pager",severity="critical"} 2');
  expect(text).toMatch(/wakewell_outbox_oldest_age_seconds\{receiver="slack",severity="critical"\} 1[12]0/);
  expect(text).toMatch(/wakewell_auditor_last_ok_timestamp_seconds 1\d{9}/);
  expect(text).toContain('wakewell_auditor_seconds 0');
});

test('a page that is held back on purpose, as by a maintenance window, is not late', async () => {
  const { h } = await start();
  await h.receive(anAlert());
  const later = { due_at: h.clock.now() + 60 * MINUTE };
  await h.db.kysely.updateTable('notifications').set(later).where('purpose', '=', 'page').execute();
  await pass(h, 5 * MINUTE);

  expect(await late(h)).toEqual([]);
});
