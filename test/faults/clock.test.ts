/**
 * B41 and B42: steps, freezes and jitter of the wall clock, and the hours that repeat or are missing in twelve zones,
 * neither skip nor burst what is due: each reminder comes once, fifteen minutes of running time after its incident.
 */

import { afterEach, describe, expect, test } from 'vitest';
import { HOUR, MINUTE, SECOND } from '../../src/domain/clock.js';
import { anAlert } from '../support/build.js';
import { createTimerHarness, type TimerHarness } from '../support/timer-harness.js';

const YEAR = 8760 * HOUR;
const zone = process.env.TZ;
afterEach(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

const again = async (h: TimerHarness) => (await h.sent()).filter((one) => one === 'page_again pager').length;

/** Fails unless the reminder of the only incident comes between 14:30 and 16 min, counted from `sinceMs` of running time before now. */
async function expectOneReminder(h: TimerHarness, sinceMs: number): Promise<void> {
  await h.pass(14 * MINUTE + 30 * SECOND - sinceMs);
  expect(await again(h)).toBe(0);
  await h.pass(90 * SECOND);
  expect(await again(h)).toBe(1);
  await h.pass(10 * MINUTE);
  expect(await again(h)).toBe(1);
}

describe('a wall clock that is stepped while a reminder waits', () => {
  test.each([
    ['a second forward', SECOND],
    ['a second back', -SECOND],
    ['an hour forward', HOUR],
    ['an hour back', -HOUR],
    ['ten years forward', 10 * YEAR],
    ['ten years back', -10 * YEAR],
  ])('%s', async (_, stepMs) => {
    const h = await createTimerHarness();
    await h.receive(anAlert());
    await h.pass(5 * MINUTE);
    h.clock.setWall(h.clock.now() + stepMs);
    await expectOneReminder(h, 5 * MINUTE);
  });

  test('there and back again, with an incident of either time', async () => {
    const h = await createTimerHarness();
    await h.receive(anAlert());
    await h.pass(2 * MINUTE);
    h.clock.setWall(h.clock.now() + HOUR);
    await h.pass(2 * MINUTE);
    await h.receive(anAlert({ labels: { model: 'mixtral' }, startsAtMs: h.clock.now() }));
    await h.pass(2 * MINUTE);
    h.clock.setWall(h.clock.now() - HOUR);

    await h.pass(7 * MINUTE + 30 * SECOND);
    expect(await again(h)).toBe(0);
    await h.pass(3 * MINUTE);
    expect(await again(h)).toBe(1);
    await h.pass(10 * MINUTE);
    expect(await again(h)).toBe(2);
  });

  test('by jitter of two seconds, all the time', async () => {
    const h = await createTimerHarness();
    await h.receive(anAlert());
    for (let round = 0; round < 85; round += 1) {
      h.clock.setWall(h.clock.now() + (round % 2 === 0 ? 2 : -2) * SECOND);
      await h.pass(10 * SECOND);
    }
    expect(await again(h)).toBe(0);
    await h.pass(2 * MINUTE);
    expect(await again(h)).toBe(1);
  });

  test('while nobody ran: what was planned in the future waits its time, and does not come at once', async () => {
    const h = await createTimerHarness();
    await h.receive(anAlert());
    await h.pass(MINUTE);
    await h.stop();
    h.clock.setWall(h.clock.now() - 10 * YEAR);
    await h.restart();
    await expectOneReminder(h, 0);
  });
});

test('a process that was frozen for an hour reminds once, when it wakes', async () => {
  const h = await createTimerHarness();
  await h.receive(anAlert());
  await h.pass(MINUTE);
  await h.stop();
  await h.clock.advance(HOUR);
  await h.restart();
  await h.pass(MINUTE);
  expect(await again(h)).toBe(1);
  await h.pass(20 * MINUTE);
  expect(await again(h)).toBe(1);
});

/** Autumn and spring of 2026, ms since 1970 UTC at which local time changes. */
const TRANSITIONS: readonly (readonly [string, string, string])[] = [
  ['Europe/Vienna', '2026-10-25T01:00:00Z', '2026-03-29T01:00:00Z'],
  ['Europe/London', '2026-10-25T01:00:00Z', '2026-03-29T01:00:00Z'],
  ['America/New_York', '2026-11-01T06:00:00Z', '2026-03-08T07:00:00Z'],
  ['America/Los_Angeles', '2026-11-01T09:00:00Z', '2026-03-08T10:00:00Z'],
  ['America/Santiago', '2026-04-05T03:00:00Z', '2026-09-06T04:00:00Z'],
  ['Australia/Sydney', '2026-04-04T16:00:00Z', '2026-10-03T16:00:00Z'],
  ['Australia/Lord_Howe', '2026-04-04T15:00:00Z', '2026-10-03T15:30:00Z'],
  ['Pacific/Auckland', '2026-04-04T14:00:00Z', '2026-09-26T14:00:00Z'],
  ['Africa/Cairo', '2026-10-29T21:00:00Z', '2026-04-23T22:00:00Z'],
  ['Asia/Jerusalem', '2026-10-24T23:00:00Z', '2026-03-27T00:00:00Z'],
  ['Atlantic/Azores', '2026-10-25T01:00:00Z', '2026-03-29T01:00:00Z'],
  ['America/St_Johns', '2026-11-01T04:30:00Z', '2026-03-08T05:30:00Z'],
];

describe.each(TRANSITIONS)('in %s', (name, autumn, spring) => {
  test.each([
    ['the hour that repeats', autumn],
    ['the hour that is missing', spring],
  ])('%s changes nothing', async (_, at) => {
    process.env.TZ = name;
    const before = new Date(Date.parse(at) - MINUTE).getTimezoneOffset();
    expect(new Date(Date.parse(at) + MINUTE).getTimezoneOffset()).not.toBe(before);

    const h = await createTimerHarness();
    h.clock.setWall(Date.parse(at) - 8 * MINUTE);
    await h.pass(10 * SECOND);
    await h.receive(anAlert({ startsAtMs: h.clock.now() }));
    await h.pass(14 * MINUTE + 30 * SECOND);
    expect(await again(h)).toBe(0);
    await h.pass(90 * SECOND);
    expect(await again(h)).toBe(1);
  });
});
