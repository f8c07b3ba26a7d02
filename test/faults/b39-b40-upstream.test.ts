/**
 * Rows B39 and B40 of the fault matrix: what Alertmanager's calls can do to a page, by flapping, by telling ends
 * without beginnings, and by coming doubled, late and out of order. Every outgoing call stands in a declared window.
 */

import { expect, test } from 'vitest';
import { HOUR, MINUTE, SECOND } from '../../src/domain/clock.js';
import { startWorld, type Window } from './world.js';

/** Holds and windows are ten times shorter, as a time scale makes them: a quarter of an hour of quiet takes 90 s. */
const QUICK = { time_scale: 10 };

const CARDS: readonly Window[] = [
  { to: 'slack', what: 'chat.postMessage', ok: true, from: 0, until: 4 * HOUR, times: [0, 40] },
  { to: 'slack', what: 'chat.update', ok: true, from: 0, until: 4 * HOUR, times: [0, 400] },
];
const pages = (from: number, until: number): Window => ({
  to: 'pager',
  what: 'trigger',
  ok: true,
  from,
  until,
  times: 1,
});
const resolves = (from: number, until: number): Window => ({ ...pages(from, until), what: 'resolve' });

test('B39: 20 flaps wake one person once, and once it stays quiet the pager is told of the end once', {
  timeout: 120_000,
}, async () => {
  const w = await startWorld({ config: QUICK });
  for (let flap = 0; flap < 20; flap += 1) {
    await w.deliver('model-1', { startedAtMs: w.clock.now(), endedAtMs: null });
    await w.pass(2 * SECOND);
    await w.deliver('model-1', { startedAtMs: w.clock.now() - 2 * SECOND, endedAtMs: w.clock.now() });
    await w.pass(2 * SECOND);
  }
  const quietFrom = w.clock.monotonic();
  await w.pass(2 * MINUTE);

  w.expectCalls([pages(0, 5 * SECOND), resolves(quietFrom, quietFrom + 2 * MINUTE), ...CARDS]);
  expect((await w.app.readView(1))?.incident).toMatchObject({ state: 'resolved' });
  expect(await w.app.readView(2)).toBeNull();
});

test('B39: an end without a beginning opens nothing, fired twice it is one page, and an end before its beginning wins', async () => {
  const w = await startWorld();
  await w.deliver('model-1', { startedAtMs: w.clock.now() - MINUTE, endedAtMs: w.clock.now() });
  await w.pass(10 * SECOND);
  w.expectCalls([]);
  expect(await w.app.readView(1)).toBeNull();

  const startedAtMs = w.clock.now();
  const from = w.clock.monotonic();
  await Promise.all([
    w.deliver('model-2', { startedAtMs, endedAtMs: null }),
    w.deliver('model-2', { startedAtMs, endedAtMs: null }),
  ]);
  await w.pass(10 * SECOND);
  await w.deliver('model-2', { startedAtMs, endedAtMs: null });
  await w.pass(10 * SECOND);

  w.expectCalls([pages(from, from + 5 * SECOND), ...CARDS]);
});

test('B40: doubled, out of order and late beyond any reopening, an outage is one page and one end', {
  timeout: 120_000,
}, async () => {
  const w = await startWorld({ config: QUICK });
  const firing = { startedAtMs: w.clock.now(), endedAtMs: null };
  await w.deliver('model-1', firing);
  await w.pass(30 * SECOND);
  const ended = { ...firing, endedAtMs: w.clock.now() };
  const endedAt = w.clock.monotonic();
  await w.deliver('model-1', ended);
  await w.deliver('model-1', ended);
  await w.pass(6 * SECOND);
  // What an HA peer sent before the end, delivered after it.
  await w.deliver('model-1', { startedAtMs: firing.startedAtMs + SECOND, endedAtMs: null });
  await w.deliver('model-1', ended);
  await w.pass(MINUTE);
  const late = w.clock.monotonic();
  await w.pass(3 * MINUTE);
  await w.deliver('model-1', ended);
  await w.pass(MINUTE);

  w.expectCalls([pages(0, 5 * SECOND), resolves(endedAt, late), ...CARDS]);
  expect((await w.app.readView(1))?.incident).toMatchObject({ state: 'resolved' });
  expect(await w.app.readView(2)).toBeNull();
});
