/**
 * Row B54 of the fault matrix, with the real store: a backup restored an hour later re-pages nobody, and misses
 * nobody. What was due in it waits until Alertmanager confirms it, or ten minutes. Every call stands in a window.
 */

import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { HOUR, MINUTE, SECOND } from '../../src/domain/clock.js';
import { labelsFrom } from '../../src/domain/labels.js';
import { backUp } from '../../src/store/backup.js';
import { restoreDatabase } from '../../src/store/restore.js';
import { startFakeAlertmanager } from '../support/fake-alertmanager.js';
import { createManualClock } from '../support/manual-clock.js';
import { temporaryDatabaseFile } from '../support/test-database.js';
import { START_MS, startWorld, type Window, type World } from './world.js';

const labelsOf = (model: string) =>
  labelsFrom([
    ['alertname', 'LLMHighTTFT'],
    ['severity', 'critical'],
    ['cluster', 'prod-us'],
    ['model', model],
  ]);
const cards = (until: number): readonly Window[] => [
  { to: 'slack', what: 'chat.postMessage', ok: true, from: 0, until, times: [0, 20] },
  { to: 'slack', what: 'chat.update', ok: true, from: 0, until, times: [0, 40] },
];
const page = (about: string, from: number, until: number): Window => ({
  to: 'pager',
  what: 'trigger',
  about,
  ok: true,
  from,
  until,
  times: 1,
});

/** model-1 was paged and is to be reminded of, model-2 and model-3 wait for a pager that takes nothing: then the backup. */
async function backupOfAnHourAgo(): Promise<string> {
  const file = temporaryDatabaseFile();
  const w = await startWorld({
    config: { database_url: `file:${file}`, reminders: { critical: '15m' } },
    pagers: ['pager'],
  });
  await w.fire('model-1');
  await w.pass(6 * SECOND);
  w.fail('pager', { kind: 'status', status: 503 });
  await w.fire('model-2');
  await w.fire('model-3');
  await w.pass(6 * SECOND);
  const backup = join(dirname(file), 'safe.db');
  await backUp({ file, target: backup, monotonic: () => performance.now() });
  await w.stop();
  restoreDatabase({ file, backup, force: true, nowMs: START_MS + HOUR });
  return file;
}

async function restored(urls: readonly string[]): Promise<World> {
  const file = await backupOfAnHourAgo();
  return startWorld({
    startMs: START_MS + HOUR,
    pagers: ['pager'],
    config: {
      database_url: `file:${file}`,
      reminders: { critical: '15m' },
      ...(urls.length === 0 ? {} : { alertmanager: { url: urls } }),
    },
  });
}

test('B54: with Alertmanager to ask, what is over since is closed unpaged, what still fires pages once it was asked twice, and what began since pages', {
  timeout: 60_000,
}, async () => {
  const am = await startFakeAlertmanager({ clock: createManualClock({ nowMs: START_MS + HOUR }) });
  onTestFinished(() => am.close());
  for (const model of ['model-3', 'model-4'])
    am.hold(labelsOf(model), { startsAtMs: START_MS + 30 * MINUTE });
  const w = await restored([am.url]);

  await w.pass(4 * MINUTE);

  w.expectCalls([
    page('model-3', SECOND, 2 * MINUTE),
    page('model-4', 0, 3 * MINUTE),
    { ...page('', 0, 4 * MINUTE), what: 'resolve', times: [0, 2] },
    ...cards(4 * MINUTE),
  ]);
  const states = await Promise.all([1, 2, 3].map(async (id) => (await w.app.readView(id))?.incident.state));
  expect(states).toEqual(['resolved', 'resolved', 'open']);
});

test('B54: with nobody to ask, an alert that is sent again pages at once, and what nobody confirms pages after ten minutes', {
  timeout: 60_000,
}, async () => {
  const w = await restored([]);
  await w.pass(MINUTE);
  w.expectCalls(cards(MINUTE));
  await w.deliver('model-3', { startedAtMs: START_MS + 6 * SECOND, endedAtMs: null });
  await w.deliver('model-2', { startedAtMs: START_MS + 6 * SECOND, endedAtMs: w.clock.now() });
  await w.pass(8 * MINUTE);
  // Whether model-2's page was taken an hour ago nobody knows, so its end is told once, after the hold.
  const told = [
    page('model-3', MINUTE, MINUTE + 6 * SECOND),
    { ...page('', 6 * MINUTE, 6 * MINUTE + 6 * SECOND), what: 'resolve' },
    ...cards(12 * MINUTE),
  ];
  w.expectCalls(told);

  await w.pass(3 * MINUTE);

  // The reminder of an hour ago.
  w.expectCalls([...told, page('model-1', 10 * MINUTE, 10 * MINUTE + 6 * SECOND)]);
});
