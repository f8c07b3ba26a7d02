import { expect, test } from 'vitest';
import type { DirectPage } from '../../src/domain/bare-facts.js';
import { HOUR, SECOND } from '../../src/domain/clock.js';
import { labelsFrom } from '../../src/domain/labels.js';
import { createBreakGlass } from '../../src/outbox/break-glass.js';
import { readUnclaimedPages } from '../../src/outbox/unclaimed-pages.js';
import { chooseReceivers } from '../../src/routing/route-table.js';
import { createAccountStore } from '../../src/store/account-store.js';
import { createTimelineStore } from '../../src/store/timeline-store.js';
import { keptLog } from '../receivers/receiver-setup.js';
import { createManualClock } from '../support/manual-clock.js';
import { aPuppet, FAILS, NOW, outboxHarness, type Puppet, REFUSED } from './outbox-harness.js';

function aPage(key: string, over: Partial<DirectPage> = {}): DirectPage {
  return {
    labels: labelsFrom([['alertname', 'LLMHighTTFT']]),
    facts: {
      dedupKey: key,
      alertName: 'LLMHighTTFT',
      severity: 'critical',
      scope: labelsFrom([['model', 'llama-70b']]),
      state: 'open',
      incidentId: null,
      why: 'the disk is full',
    },
    ...over,
  };
}

function setup(
  puppets: Puppet[] = [
    aPuppet('pager', 'pagerduty'),
    aPuppet('pager-b', 'pagerduty'),
    aPuppet('team', 'slack'),
  ],
) {
  const clock = createManualClock({ nowMs: NOW });
  const log = keptLog();
  const counted: string[] = [];
  const breakGlass = createBreakGlass({
    receivers: new Map(puppets.map((one) => [one.name, one])),
    // Routed to the first pager alone, where there is one.
    route: (labels) =>
      chooseReceivers(
        [{ matchers: [], receivers: puppets.filter((one) => one.name !== 'pager-b').map((one) => one.name) }],
        labelsFrom([...Object.entries(labels), ['severity', 'critical']]),
        puppets,
      ),
    clock,
    logger: log,
    metrics: { direct: (receiver, outcome) => void counted.push(`${receiver} ${outcome}`) },
  });
  const keysAt = (name: string) =>
    puppets.find((one) => one.name === name)?.gotBare.map((one) => one.facts.dedupKey) ?? [];
  return { breakGlass, clock, log, counted, puppets, keysAt };
}

test('the pagers of the route are told, once a key however often it is delivered again', async () => {
  const h = setup();
  await Promise.all([h.breakGlass.page([aPage('a')]), h.breakGlass.page([aPage('a'), aPage('b')])]);
  await h.breakGlass.page([aPage('a')]);

  expect(h.keysAt('pager')).toEqual(['a', 'b']);
  expect(h.keysAt('pager-b')).toEqual([]);
  expect(h.keysAt('team')).toEqual([]);
  expect(h.counted).toEqual(['pager accepted', 'pager accepted']);
});

test('a pager that does not take it passes it on at once, rung by rung', async () => {
  const h = setup();
  h.puppets[0]?.answer(FAILS);
  h.puppets[1]?.answer(REFUSED);
  await h.breakGlass.page([aPage('a')]);

  expect([h.keysAt('pager'), h.keysAt('pager-b'), h.keysAt('team')]).toEqual([['a'], ['a'], ['a']]);
  expect(h.counted).toEqual(['pager failed', 'pager-b failed', 'team accepted']);
});

test('what nobody took is tried again with the redelivery, and said loudly', async () => {
  const h = setup();
  for (const puppet of h.puppets) puppet.answer(FAILS);
  await h.breakGlass.page([aPage('a')]);
  expect(h.log.lines().join('\n')).toContain(
    'error a critical could neither be committed nor paged directly',
  );

  await h.breakGlass.page([aPage('a')]);
  expect(h.keysAt('pager')).toEqual(['a', 'a']);
});

test('a receiver that throws costs the others nothing', async () => {
  const h = setup();
  h.puppets[0]?.answer(new Error('bug'));
  await h.breakGlass.page([aPage('a')]);
  expect(h.keysAt('pager-b')).toEqual(['a']);
});

test('without a pager the channel of the route is told, and without anybody the log is', async () => {
  const channel = setup([aPuppet('team', 'slack')]);
  await channel.breakGlass.page([aPage('a')]);
  expect(channel.keysAt('team')).toEqual(['a']);

  const nobody = setup([]);
  await nobody.breakGlass.page([aPage('a')]);
  expect(nobody.log.lines().filter((line) => line.startsWith('error'))).toEqual([
    expect.stringContaining('critical is paged without the database'),
    expect.stringContaining('CRIT LLMHighTTFT llama-70b. No details: the disk is full'),
  ]);
});

test('beyond seven in an hour one page speaks for all that follow', async () => {
  const h = setup();
  for (let i = 0; i < 20; i++) await h.breakGlass.page([aPage(`k${i}`)]);

  expect(h.keysAt('pager')).toHaveLength(8);
  expect(h.puppets[0]?.gotBare.at(-1)?.facts).toMatchObject({
    alertName: 'LLMHighTTFT and more criticals',
    why: expect.stringContaining('look at Alertmanager'),
  });
  expect(h.counted.filter((one) => one === ' bundled')).toHaveLength(12);

  await h.clock.advance(HOUR + SECOND);
  await h.breakGlass.page([aPage('later')]);
  expect(h.keysAt('pager').at(-1)).toBe('later');
});

test('a page that hangs is given up after ten seconds, so that the 503 is not kept waiting', async () => {
  const h = setup();
  h.puppets[0]?.answer('hang');
  let aborted = false;
  const { deliverBare } = h.puppets[0] as Puppet;
  Object.assign(h.puppets[0] as Puppet, {
    deliverBare: async (...args: Parameters<typeof deliverBare>) => {
      await new Promise<void>((resolve) => args[1].addEventListener('abort', () => resolve()));
      aborted = true;
      return FAILS;
    },
  });
  const paging = h.breakGlass.page([aPage('a')]);
  await h.clock.advance(10 * SECOND);
  await paging;
  expect(aborted).toBe(true);
});

test('stored pages that are due and can not be claimed are read, as far as they are still true', async () => {
  const h = await outboxHarness();
  const due = await h.incident();
  const later = await h.incident();
  const acknowledged = await h.incident();
  await h.enqueue(due, 'pager-b', 'page');
  await h.enqueue(later, 'pager', 'page', { dueAtMs: NOW + 5 * SECOND });
  await h.enqueue(acknowledged, 'pager', 'page');
  await h.setState(acknowledged, 'acknowledged');
  const stores = {
    notifications: h.notifications,
    accounts: createAccountStore(),
    timeline: createTimelineStore(),
  };

  expect(await readUnclaimedPages({ db: h.db, stores, clock: h.clock })).toMatchObject([
    { receiver: 'pager-b', facts: { dedupKey: 'dedup1', incidentId: due } },
  ]);
});

test('a dispatcher that can claim nothing says so after two seconds, every second, until it can again', async () => {
  let stuck = 0;
  const h = await outboxHarness({ onStuck: () => void stuck++ });
  await h.enqueue(await h.incident(), 'pager', 'page', { dueAtMs: NOW + 500 });
  await h.dispatcher.start();
  const { claimDue } = h.notifications;
  const broken = Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
  h.notifications.claimDue = () => Promise.reject(broken);

  await h.clock.advance(1_900);
  expect(stuck).toBe(0);
  await h.clock.advance(3 * SECOND);
  expect(stuck).toBeGreaterThanOrEqual(2);

  h.notifications.claimDue = claimDue;
  await h.clock.advance(2 * SECOND);
  const before = stuck;
  await h.clock.advance(5 * SECOND);
  expect(stuck).toBe(before);
  expect(h.puppet('pager').got).toHaveLength(1);
});
