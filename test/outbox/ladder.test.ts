import { describe, expect, test } from 'vitest';
import { HOUR, MINUTE, SECOND } from '../../src/domain/clock.js';
import type { DeliveryResult } from '../../src/domain/notification.js';
import { rungsOf } from '../../src/outbox/ladder.js';
import { temporaryDatabaseFile } from '../support/test-database.js';
import { aPuppet, FAILS, NOW, outboxHarness, type Puppet, REFUSED } from './outbox-harness.js';

const always = (result: DeliveryResult) => Array.from({ length: 2_000 }, () => result);
const PAUSED: DeliveryResult = {
  kind: 'retry',
  reason: 'rate_limited',
  detail: 'HTTP 429',
  afterMs: 120_000,
};

/** When each receiver was first asked for a page, ms after NOW. */
function watchPages(h: { readonly clock: { readonly now: () => number } }, puppets: readonly Puppet[]) {
  const first = new Map<string, number>();
  for (const puppet of puppets) {
    const { deliver } = puppet;
    Object.assign(puppet, {
      deliver: (...args: Parameters<typeof deliver>) => {
        const { purpose, receiver } = args[0].notification;
        if (purpose === 'page' && !first.has(receiver)) first.set(receiver, h.clock.now() - NOW);
        return deliver(...args);
      },
    });
  }
  return first;
}

const FOUR = () => [
  aPuppet('pager', 'pagerduty'),
  aPuppet('pager-b', 'pagerduty'),
  aPuppet('team', 'slack'),
  aPuppet('journal', 'log'),
];

describe('rungs', () => {
  test('by default every other pager in turn, then channels and logs at once', () => {
    const receivers = new Map(FOUR().map((one) => [one.name, one]));
    expect(rungsOf('pager', receivers)).toEqual([['pager-b'], ['team', 'journal']]);
    expect(rungsOf('pager-b', receivers)).toEqual([['pager'], ['team', 'journal']]);
  });

  test('as configured where they are, whatever the kinds', () => {
    const receivers = new Map(
      [
        aPuppet('pager', 'pagerduty', { ladder: ['hook', 'pager-b'] }),
        aPuppet('pager-b', 'pagerduty'),
        aPuppet('hook', 'webhook'),
        aPuppet('team', 'slack'),
      ].map((one) => [one.name, one]),
    );
    expect(rungsOf('pager', receivers)).toEqual([['hook'], ['pager-b']]);
  });
});

test('each rung has its thirty seconds, and the ladder stays that of the first receiver', async () => {
  const puppets = [
    aPuppet('ml', 'pagerduty', { ladder: ['ml-b', 'team'] }),
    aPuppet('infra', 'pagerduty'),
    aPuppet('ml-b', 'pagerduty', { ladder: ['infra'] }),
    aPuppet('team', 'slack'),
  ];
  const h = await outboxHarness({ receivers: puppets });
  h.puppet('ml').answer(...always(FAILS));
  h.puppet('ml-b').answer(...always(FAILS));
  const first = watchPages(h, puppets);
  await h.enqueue(await h.incident(), 'ml', 'page');
  await h.dispatcher.start();
  await h.clock.advance(10 * MINUTE);

  expect(first.get('ml')).toBe(0);
  expect(first.get('ml-b')).toBeCloseTo(30_000, -2);
  expect(first.get('team')).toBeCloseTo(60_000, -2);
  expect(first.has('infra')).toBe(false);
});

test('a page that cannot even be tried, because its pager asked for a pause, climbs thirty seconds after it was due', async () => {
  const puppets = FOUR();
  const h = await outboxHarness({ receivers: puppets });
  h.puppet('pager').answer(PAUSED);
  await h.enqueue(await h.incident(), 'pager', 'page');
  await h.dispatcher.start();
  await h.clock.advance(10 * SECOND);
  await h.enqueue(await h.incident(), 'pager', 'page', { dueAtMs: NOW + 15 * SECOND });
  await h.clock.advance(36 * SECOND);

  expect(h.puppet('pager').got).toHaveLength(1);
  expect(h.puppet('pager-b').got.map((one) => one.notification.incidentId)).toEqual([1, 2]);
  expect(h.clock.now() - NOW).toBe(46 * SECOND);
});

test('the page on a higher rung is told nothing of an incident acknowledged meanwhile', async () => {
  const h = await outboxHarness();
  const id = await h.incident();
  h.puppet('pager').answer(...always(FAILS));
  await h.enqueue(id, 'pager', 'page');
  await h.dispatcher.start();
  await h.clock.advance(20 * SECOND);
  await h.setState(id, 'acknowledged');
  await h.clock.advance(10 * MINUTE);

  expect(h.puppet('pager-b').got).toHaveLength(0);
  expect(h.puppet('team').got).toHaveLength(0);
  expect((await h.rows()).map((row) => row.state)).toEqual(['dropped']);
});

test('nor where the acknowledgement comes while the higher rung waits for its own pager', async () => {
  const h = await outboxHarness();
  const id = await h.incident();
  h.puppet('pager').answer(...always(FAILS));
  h.puppet('pager-b').answer(...always(FAILS));
  await h.enqueue(id, 'pager', 'page');
  await h.dispatcher.start();
  await h.clock.advance(40 * SECOND);
  await h.setState(id, 'acknowledged');
  await h.clock.advance(10 * MINUTE);

  expect(h.puppet('team').got).toHaveLength(0);
  expect((await h.rows()).map((row) => row.state)).toEqual(['dropped', 'dropped']);
});

test('at its top everybody has been told once, and that nobody else is left is said once', async () => {
  const h = await outboxHarness();
  const id = await h.incident();
  for (const name of ['pager', 'pager-b', 'team', 'journal']) h.puppet(name).answer(...always(FAILS));
  await h.enqueue(id, 'pager', 'page');
  await h.dispatcher.start();
  await h.clock.advance(30 * MINUTE);

  const pages = (await h.rows()).filter((row) => row.purpose === 'page');
  expect(pages.map((row) => [row.receiver, row.on_behalf_of])).toEqual([
    ['pager', null],
    ['pager-b', 'pager'],
    ['team', 'pager'],
    ['journal', 'pager'],
  ]);
  const story = (await h.story(id)).filter((text) => text.includes('not accepted within 30 s'));
  expect(story).toEqual([
    'send_failed: Page to pager not accepted within 30 s: passed on to pager-b',
    'send_failed: Page to pager-b not accepted within 30 s: passed on to team, journal',
    'send_failed: Page to team not accepted within 30 s; there is nobody else to tell',
    'send_failed: Page to journal not accepted within 30 s; there is nobody else to tell',
  ]);
});

test('two pages of one episode that climb to the same rung wake it once', async () => {
  const puppets = [
    aPuppet('a', 'pagerduty', { ladder: ['c'] }),
    aPuppet('b', 'pagerduty', { ladder: ['c'] }),
    aPuppet('c', 'pagerduty'),
  ];
  const h = await outboxHarness({ receivers: puppets });
  const id = await h.incident();
  h.puppet('a').answer(REFUSED);
  h.puppet('b').answer(REFUSED);
  await h.enqueue(id, 'a', 'page');
  await h.enqueue(id, 'b', 'page');
  await h.dispatcher.start();
  await h.clock.advance(5 * MINUTE);
  expect(h.puppet('c').got).toHaveLength(1);
});

describe('over restarts and stepped clocks', () => {
  test('the thirty seconds go on over a restart, and no rung is climbed twice', async () => {
    const url = `file:${temporaryDatabaseFile()}`;
    const h = await outboxHarness({ url });
    h.puppet('pager').answer(...always(FAILS));
    h.puppet('pager-b').answer(...always(FAILS));
    await h.enqueue(await h.incident(), 'pager', 'page');
    await h.dispatcher.start();
    await h.clock.advance(20 * SECOND);
    await h.dispatcher.stop();

    const second = h.createOne();
    await second.start();
    await h.clock.advance(9 * SECOND);
    expect(h.puppet('pager-b').got).toHaveLength(0);
    await h.clock.advance(2 * SECOND);
    expect(h.puppet('pager-b').got.length).toBeGreaterThan(0);
    await second.stop();

    const third = h.createOne();
    await third.start();
    await h.clock.advance(15 * SECOND);
    expect((await h.rows()).filter((row) => row.purpose === 'page')).toHaveLength(2);
  });

  test('a process that was down for an hour offers each page to its own pager first', async () => {
    const puppets = FOUR();
    const h = await outboxHarness({ receivers: puppets });
    const tried = await h.incident();
    const untried = await h.incident();
    h.puppet('pager').answer(FAILS);
    await h.enqueue(tried, 'pager', 'page');
    await h.dispatcher.start();
    await h.dispatcher.drain();
    await h.dispatcher.stop();
    await h.enqueue(untried, 'pager', 'page', { dueAtMs: h.clock.now() + 5 * SECOND });
    await h.clock.advance(HOUR);

    await h.createOne().start();
    await h.clock.advance(10 * SECOND);

    // The one that had failed an hour ago is long due for the next rung; the other is accepted where it belongs.
    expect(h.puppet('pager-b').got.map((one) => one.notification.incidentId)).toEqual([tried]);
    expect(h.puppet('pager').got.map((one) => one.notification.incidentId)).toContain(untried);
  });

  test.each([
    ['an hour ahead', HOUR],
    ['ten years ahead', 87_600 * HOUR],
    ['an hour back', -HOUR],
  ])('a wall clock that steps %s neither bursts nor mutes the ladder', async (_name, stepMs) => {
    const puppets = FOUR();
    const h = await outboxHarness({ receivers: puppets });
    h.puppet('pager').answer(...always(FAILS));
    await h.enqueue(await h.incident(), 'pager', 'page');
    await h.dispatcher.start();
    await h.clock.advance(10 * SECOND);
    h.clock.setWall(h.clock.now() + stepMs);
    await h.clock.advance(15 * SECOND);
    expect(h.puppet('pager-b').got).toHaveLength(0);
    await h.clock.advance(7 * SECOND);
    expect(h.puppet('pager-b').got).toHaveLength(1);
    await h.clock.advance(5 * MINUTE);
    expect(h.puppet('pager-b').got).toHaveLength(1);
  });

  test('a clock that steps ahead right after a page was stored climbs no ladder before the page was tried', async () => {
    const h = await outboxHarness();
    await h.dispatcher.start();
    await h.enqueue(await h.incident(), 'pager', 'page', { dueAtMs: NOW + 5 * SECOND });
    await h.clock.advance(100);
    h.clock.setWall(NOW + HOUR);
    await h.clock.advance(MINUTE);
    expect(h.puppet('pager').got).toHaveLength(1);
    expect(h.puppet('pager-b').got).toHaveLength(0);
  });
});
