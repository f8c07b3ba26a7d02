import { describe, expect, test } from 'vitest';
import { readConfig } from '../../src/config/config.js';
import { HOUR, MINUTE, SECOND } from '../../src/domain/clock.js';
import type { DeliveryResult } from '../../src/domain/notification.js';
import { allowanceOf } from '../../src/outbox/allowance.js';
import { createReceivers } from '../../src/receivers/create-receivers.js';
import { keptLog } from '../receivers/receiver-setup.js';
import { temporaryDatabaseFile } from '../support/test-database.js';
import { aPuppet, FAILS, NOW, outboxHarness, type Puppet } from './outbox-harness.js';

const PAGER = { max: 60, perMs: MINUTE, reserved: 20 };
const CHANNEL = { max: 1, perMs: SECOND, reserved: 0 };

type Harness = Awaited<ReturnType<typeof outboxHarness>>;

/** Every call with its time, ms after NOW, and the most that fell into any window of `perMs`. */
function watch(h: Harness, puppets: readonly Puppet[]) {
  const at: number[] = [];
  for (const puppet of puppets) {
    const { deliver } = puppet;
    Object.assign(puppet, {
      deliver: (...args: Parameters<typeof deliver>) => {
        at.push(h.clock.now() - NOW);
        return deliver(...args);
      },
    });
  }
  return {
    at,
    mostIn: (perMs: number) =>
      Math.max(0, ...at.map((from) => at.filter((one) => one >= from && one < from + perMs).length)),
  };
}

async function resolvedPages(h: Harness, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const id = await h.incident();
    await h.db.kysely
      .insertInto('notifications')
      .values({
        incident_id: id,
        episode_id: id,
        receiver: 'pager',
        purpose: 'page',
        state: 'sent',
        due_at: NOW,
        attempts: 1,
        lease_until: null,
        last_reason: null,
        ref: null,
        created_at: NOW,
        finished_at: NOW,
        umbrella_id: null,
        carrier_id: null,
        listed_at: null,
        admitted_at: null,
        climb_at: null,
        climbed_at: null,
        on_behalf_of: null,
      })
      .execute();
    await h.setState(id, 'resolved');
    await h.enqueue(id, 'pager', 'page_resolve');
  }
}

describe('the allowance', () => {
  const calls = (count: number) => Array.from({ length: count }, (_, index) => NOW - index * 100);

  test.each([
    [0, 60, 40],
    [39, 21, 1],
    [40, 20, 0],
    [59, 1, 0],
    [60, 0, 0],
  ])(
    'after %i calls in the window %i may go, %i of them anything but new criticals',
    (made, total, others) => {
      expect(allowanceOf(PAGER, calls(made))).toMatchObject({ total, others });
    },
  );

  test('says when there will be more', () => {
    expect(allowanceOf(PAGER, calls(10)).moreAtMs).toBeNull();
    // The fortieth newest call has to leave the window.
    expect(allowanceOf(PAGER, calls(45)).moreAtMs).toBe(NOW - 39 * 100 + MINUTE);
    expect(allowanceOf(CHANNEL, [NOW - 300]).moreAtMs).toBe(NOW + 700);
  });
});

describe('a PagerDuty key', () => {
  const aPager = (name = 'pager', account?: string) =>
    aPuppet(name, 'pagerduty', { budget: PAGER, ...(account === undefined ? {} : { account }) });

  test('takes at most sixty events in any minute, and new criticals go before what may wait', async () => {
    const pager = aPager();
    const h = await outboxHarness({ receivers: [pager] });
    const watched = watch(h, [pager]);
    await resolvedPages(h, 100);
    await h.dispatcher.start();
    await h.clock.advance(5 * SECOND);
    expect(watched.at).toHaveLength(40);

    for (let i = 0; i < 15; i++) await h.enqueue(await h.incident(), 'pager', 'page');
    await h.clock.advance(SECOND);
    expect(pager.got.slice(40).map((one) => one.notification.purpose)).toEqual(Array(15).fill('page'));

    await h.clock.advance(4 * MINUTE);
    expect(watched.at).toHaveLength(115);
    expect(watched.mostIn(MINUTE)).toBeLessThanOrEqual(60);
  });

  test('is not sent more by a process that restarts', async () => {
    const pager = aPager();
    const h = await outboxHarness({ receivers: [pager], url: `file:${temporaryDatabaseFile()}` });
    const watched = watch(h, [pager]);
    await resolvedPages(h, 90);
    await h.dispatcher.start();
    await h.clock.advance(5 * SECOND);
    await h.dispatcher.stop();
    for (let i = 0; i < 5; i++) {
      const next = h.createOne();
      await next.start();
      await h.clock.advance(5 * SECOND);
      await next.stop();
    }
    expect(watched.at).toHaveLength(40);
  });

  test.each([
    ['ahead', HOUR],
    ['back', -HOUR],
  ])('is not sent more by a clock that steps %s, nor muted', async (_name, stepMs) => {
    const pager = aPager();
    const h = await outboxHarness({ receivers: [pager] });
    await resolvedPages(h, 90);
    await h.dispatcher.start();
    await h.clock.advance(5 * SECOND);
    h.clock.setWall(h.clock.now() + stepMs);
    // What the step brings before it is noticed is at most one window more.
    await h.clock.advance(2 * SECOND);
    const soon = pager.got.length;
    await h.clock.advance(30 * SECOND);
    expect(pager.got.length).toBe(soon);
    await h.clock.advance(2 * MINUTE);
    expect(pager.got).toHaveLength(90);
  });

  test('that two receivers share is counted once', async () => {
    const receivers = [aPager('pager', 'pager'), aPager('other-team', 'pager')];
    const h = await outboxHarness({ receivers });
    const watched = watch(h, receivers);
    for (let i = 0; i < 50; i++) {
      await h.enqueue(await h.incident(), 'pager', 'page');
      await h.enqueue(await h.incident(), 'other-team', 'page');
    }
    await h.dispatcher.start();
    await h.clock.advance(30 * SECOND);
    expect(watched.at).toHaveLength(60);
  });

  test('is charged nothing for what is not sent', async () => {
    const pager = aPager();
    const h = await outboxHarness({ receivers: [pager] });
    for (let i = 0; i < 100; i++) {
      const id = await h.incident();
      await h.enqueue(id, 'pager', 'page');
      await h.setState(id, 'acknowledged');
    }
    await h.enqueue(await h.incident(), 'pager', 'page');
    await h.dispatcher.start();
    await h.clock.advance(2 * SECOND);
    expect(pager.got).toHaveLength(1);
    expect((await h.rows()).filter((row) => row.state === 'dropped')).toHaveLength(100);
  });

  test('asks while it fails without spending what new criticals need when it is back', async () => {
    const pager = aPager();
    const h = await outboxHarness({ receivers: [pager] });
    const watched = watch(h, [pager]);
    pager.answer(...Array.from({ length: 40 }, () => FAILS));
    for (let i = 0; i < 30; i++) await h.enqueue(await h.incident(), 'pager', 'page');
    await h.dispatcher.start();
    await h.clock.advance(2 * MINUTE);
    // 22 in its first minute, and 38 may still follow at once.
    expect(watched.at.filter((at) => at < MINUTE).length).toBeLessThanOrEqual(24);
    await h.clock.advance(MINUTE);
    expect((await h.rows()).every((row) => row.state === 'sent')).toBe(true);
    expect(watched.mostIn(MINUTE)).toBeLessThanOrEqual(60);
  });
});

describe('a Slack channel', () => {
  const limited = (afterMs: number): DeliveryResult => ({
    kind: 'retry',
    reason: 'rate_limited',
    detail: 'HTTP 429',
    afterMs,
  });

  test('gets about one message a second, criticals first', async () => {
    const team = aPuppet('team', 'slack', { budget: CHANNEL });
    const h = await outboxHarness({ receivers: [team] });
    const watched = watch(h, [team]);
    for (let i = 0; i < 20; i++) await h.enqueue(await h.incident('warning'), 'team', 'card');
    const critical = await h.incident();
    await h.enqueue(critical, 'team', 'card');
    await h.dispatcher.start();
    await h.clock.advance(30 * SECOND);

    expect(team.got).toHaveLength(21);
    expect(team.got[0]?.notification.incidentId).toBe(critical);
    expect(watched.mostIn(SECOND)).toBe(1);
    // And no slower: the last of 21 left after 20 s.
    expect(watched.at.at(-1)).toBeLessThanOrEqual(20_200);
  });

  test('that asks for a pause is left alone for it, over a restart as well, and no other waits for it', async () => {
    const team = aPuppet('team', 'slack', { budget: CHANNEL });
    const other = aPuppet('other', 'slack', { budget: CHANNEL });
    const pager = aPuppet('pager', 'pagerduty', { budget: PAGER });
    const h = await outboxHarness({
      receivers: [team, other, pager],
      url: `file:${temporaryDatabaseFile()}`,
    });
    team.answer(limited(90_000));
    await h.enqueue(await h.incident('warning'), 'team', 'card');
    await h.dispatcher.start();
    await h.dispatcher.drain();
    await h.enqueue(await h.incident('warning'), 'team', 'card');
    await h.enqueue(await h.incident('warning'), 'other', 'card');
    await h.enqueue(await h.incident(), 'pager', 'page');
    await h.clock.advance(50);
    expect([team.got.length, other.got.length, pager.got.length]).toEqual([1, 1, 1]);
    expect(h.dispatcher.troubles()).toMatchObject([{ account: 'team', failing: { reason: 'rate_limited' } }]);

    await h.clock.advance(20 * SECOND);
    await h.dispatcher.stop();
    const next = h.createOne();
    await next.start();
    await h.clock.advance(69 * SECOND);
    expect(team.got).toHaveLength(1);
    await h.clock.advance(5 * SECOND);
    expect(team.got).toHaveLength(3);
    expect(next.troubles()).toEqual([]);
  });

  test('can ask for two minutes at most', async () => {
    const team = aPuppet('team', 'slack');
    const h = await outboxHarness({ receivers: [team] });
    team.answer(limited(HOUR));
    await h.enqueue(await h.incident('warning'), 'team', 'card');
    await h.dispatcher.start();
    await h.clock.advance(125 * SECOND);
    expect(team.got).toHaveLength(2);
  });
});

test('receivers with one key or channel share an account; others do not', () => {
  const key = '0123456789abcdef0123456789abcdef';
  const read = readConfig({
    yamlText: JSON.stringify({
      receivers: [
        { kind: 'pagerduty', name: 'a', routing_key: key, events_per_minute: 90 },
        { kind: 'pagerduty', name: 'b', routing_key: key, ladder: ['a'] },
        { kind: 'pagerduty', name: 'c', routing_key: 'f'.repeat(32) },
        { kind: 'slack', name: 'd', bot_token: 'xoxb-12345', channel: 'C1' },
        { kind: 'slack', name: 'e', bot_token: 'xoxb-12345', channel: 'C2' },
        { kind: 'slack', name: 'f', bot_token: 'xoxb-12345', channel: 'C2' },
        { kind: 'log', name: 'g' },
      ],
    }),
    env: {},
  });
  if (read.kind === 'faulty') throw new Error(read.faults.join('\n'));
  const receivers = createReceivers(read.config.receivers, {
    publicUrl: null,
    silenceSource: null,
    fetch: globalThis.fetch,
    clock: { now: () => 0, monotonic: () => 0, after: () => () => {} },
    logger: keptLog(),
  });
  expect([...receivers.values()].map((one) => [one.name, one.account ?? one.name])).toEqual([
    ['a', 'a'],
    ['b', 'a'],
    ['c', 'c'],
    ['d', 'd'],
    ['e', 'e'],
    ['f', 'e'],
    ['g', 'g'],
  ]);
  expect(receivers.get('a')?.budget).toEqual({ max: 90, perMs: MINUTE, reserved: 30 });
  expect(receivers.get('b')).toMatchObject({ budget: PAGER, ladder: ['a'] });
  expect(receivers.get('d')?.budget).toEqual(CHANNEL);
});
