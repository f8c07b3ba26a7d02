import { describe, expect, test } from 'vitest';
import { MINUTE, SECOND } from '../../src/domain/clock.js';
import type { DeliveryResult } from '../../src/domain/notification.js';
import { temporaryDatabaseFile } from '../support/test-database.js';
import { aPuppet, outboxHarness } from './outbox-harness.js';

const REJECTED: DeliveryResult = { kind: 'rejected', detail: 'HTTP 400: invalid event' };
const bug = () => new Error('Cannot read properties of undefined');
const times = <T>(count: number, make: () => T) => Array.from({ length: count }, make);

describe('what cannot be drawn', () => {
  test('a page is sent from bare facts after five tries, within seconds, and it is said everywhere', async () => {
    const h = await outboxHarness();
    const id = await h.incident();
    h.puppet('pager').answer(...times(5, bug));
    await h.enqueue(id, 'pager', 'page');
    await h.dispatcher.start();
    await h.clock.advance(2 * SECOND);

    expect(h.puppet('pager').got).toHaveLength(5);
    expect(h.puppet('pager').gotBare).toMatchObject([
      {
        purpose: 'page',
        facts: { dedupKey: 'dedup1', alertName: 'LLMHighTTFT', incidentId: id, state: 'open' },
      },
    ]);
    expect(await h.rows()).toMatchObject([{ state: 'sent', bare: 1, faults: 4, attempts: 6 }]);
    expect(await h.story(id)).toEqual([
      'send_failed: Page could not be drawn 5 times (the log says why): it is sent from bare facts',
      'sent: Page accepted by pager in its bare form at attempt 6',
    ]);
    expect(h.log.lines().filter((line) => line.includes('message failed unexpectedly'))).toHaveLength(5);
    expect(h.log.lines().join()).toContain('error message set aside, sent in its bare form');
    expect(h.observed.map((one) => one.outcome)).toEqual([
      'fault',
      'fault',
      'fault',
      'fault',
      'fault',
      'sent',
    ]);
    // The provider had no part in it: nobody else is woken, and it is not in trouble.
    expect(h.puppet('pager-b').got).toHaveLength(0);
    expect(h.dispatcher.troubles()).toEqual([]);
  });

  test('a card is, too; its next update is drawn in full again', async () => {
    const h = await outboxHarness();
    const id = await h.incident('warning');
    h.puppet('team').answer(...times(5, bug));
    await h.enqueue(id, 'team', 'card');
    await h.dispatcher.start();
    await h.clock.advance(5 * SECOND);
    expect(h.puppet('team').gotBare).toMatchObject([{ purpose: 'card', card: null }]);

    await h.enqueue(id, 'team', 'card');
    await h.clock.advance(5 * SECOND);
    expect(h.puppet('team').got).toHaveLength(6);
  });

  test('a page whose incident cannot even be read is sent from single columns', async () => {
    const h = await outboxHarness();
    const id = await h.incident();
    await h.db.kysely.updateTable('incidents').set({ scope: 'no JSON {' }).where('id', '=', id).execute();
    await h.enqueue(id, 'pager', 'page');
    await h.dispatcher.start();
    await h.clock.advance(5 * SECOND);

    expect(h.puppet('pager').got).toHaveLength(0);
    expect(h.puppet('pager').gotBare).toMatchObject([
      { facts: { dedupKey: 'dedup1', scope: {}, alertName: 'LLMHighTTFT' } },
    ]);
  });

  test('and is not sent when it is no longer true', async () => {
    const h = await outboxHarness();
    const id = await h.incident();
    h.puppet('pager').answer(...times(4, bug));
    await h.enqueue(id, 'pager', 'page');
    await h.dispatcher.start();
    await h.clock.advance(650);
    await h.db.kysely.updateTable('incidents').set({ scope: 'no JSON {' }).where('id', '=', id).execute();
    await h.setState(id, 'acknowledged');
    await h.clock.advance(10 * SECOND);

    expect(h.puppet('pager').gotBare).toHaveLength(0);
    expect((await h.rows())[0]).toMatchObject({ state: 'dropped' });
  });

  test('a page that fails even in its bare form goes to the next rung, and the rest of the queue goes on', async () => {
    const h = await outboxHarness({ concurrency: 1 });
    const poison = await h.incident();
    const healthy = await h.incident();
    h.puppet('pager').answer(...times(5, bug));
    const { deliverBare } = h.puppet('pager');
    Object.assign(h.puppet('pager'), { deliverBare: () => Promise.reject(bug()) });
    await h.enqueue(poison, 'pager', 'page');
    await h.dispatcher.start();
    await h.clock.advance(3 * SECOND);
    Object.assign(h.puppet('pager'), { deliverBare });
    await h.enqueue(healthy, 'pager', 'page');
    await h.clock.advance(SECOND);

    const rows = await h.rows();
    expect(rows.find((row) => row.incident_id === poison && row.receiver === 'pager')).toMatchObject({
      state: 'dead',
      last_reason: 'Page to pager failed even in its bare form',
    });
    expect(h.puppet('pager-b').got.map((one) => one.notification.incidentId)).toEqual([poison]);
    expect(rows.find((row) => row.incident_id === healthy)).toMatchObject({ state: 'sent' });
  });

  test('five bad incidents among forty delay the others by no more than their own tries', async () => {
    const h = await outboxHarness();
    const bad = new Set<number>();
    const { deliver } = h.puppet('team');
    Object.assign(h.puppet('team'), {
      deliver: (...args: Parameters<typeof deliver>) =>
        bad.has(args[0].notification.incidentId) ? Promise.reject(bug()) : deliver(...args),
    });
    for (let i = 0; i < 40; i++) {
      const id = await h.incident('warning');
      if (i % 8 === 0) bad.add(id);
      await h.enqueue(id, 'team', 'card');
    }
    await h.dispatcher.start();
    await h.clock.advance(10 * SECOND);
    const rows = await h.rows();
    expect(rows.every((row) => row.state === 'sent')).toBe(true);
    expect(rows.filter((row) => row.bare === 1).map((row) => row.incident_id)).toEqual([...bad]);
  });
});

describe('what is refused for its content', () => {
  test('a page goes again at once and once, bare', async () => {
    const h = await outboxHarness();
    const id = await h.incident();
    h.puppet('pager').answer(REJECTED);
    await h.enqueue(id, 'pager', 'page');
    await h.dispatcher.start();
    await h.clock.advance(50);

    expect(h.puppet('pager').got).toHaveLength(1);
    expect(h.puppet('pager').gotBare).toHaveLength(1);
    expect(await h.story(id)).toEqual([
      'send_failed: Page was refused by pager for its content (HTTP 400: invalid event): it is sent from bare facts',
      'sent: Page accepted by pager in its bare form at attempt 2',
    ]);
    expect(h.observed.map((one) => one.outcome)).toEqual(['rejected', 'sent']);
  });

  test('refused bare as well, it is given up there and goes to the next rung at once', async () => {
    const h = await outboxHarness();
    const id = await h.incident();
    h.puppet('pager').answer(REJECTED, REJECTED);
    await h.enqueue(id, 'pager', 'page');
    await h.dispatcher.start();
    await h.clock.advance(50);

    expect([h.puppet('pager').got.length, h.puppet('pager').gotBare.length]).toEqual([1, 1]);
    expect(h.puppet('pager-b').got).toHaveLength(1);
    await h.clock.advance(5 * MINUTE);
    expect(h.puppet('pager').gotBare).toHaveLength(1);
  });
});

test('what was under way at three deaths of the process is sent bare at the fourth start', async () => {
  const h = await outboxHarness({
    url: `file:${temporaryDatabaseFile()}`,
    receivers: [aPuppet('pager', 'pagerduty')],
  });
  const id = await h.incident();
  await h.enqueue(id, 'pager', 'page');
  for (let death = 0; death < 3; death++) {
    // The claim is committed, and the process is gone before anything else is.
    const died = await h.db.transaction((tx) =>
      h.notifications.claimDue(tx, { nowMs: h.clock.now(), leaseMs: 30_000, limit: 1 }),
    );
    expect(died).toHaveLength(1);
    await h.db.transaction((tx) => h.notifications.releaseLeases(tx, { nowMs: h.clock.now(), faults: 2 }));
  }
  await h.dispatcher.start();
  await h.clock.advance(SECOND);

  expect(h.puppet('pager').got).toHaveLength(0);
  expect(h.puppet('pager').gotBare).toHaveLength(1);
  expect(await h.story(id)).toEqual([
    'send_failed: Page was under way each time that the process died: it is sent from bare facts',
    expect.stringContaining('sent: Page accepted by pager in its bare form'),
  ]);
});

test('a start after an orderly stop blames nothing', async () => {
  const h = await outboxHarness({ url: `file:${temporaryDatabaseFile()}` });
  h.puppet('pager').answer('hang');
  await h.enqueue(await h.incident(), 'pager', 'page');
  await h.dispatcher.start();
  await h.clock.advance(10);
  const stopping = h.dispatcher.stop();
  await h.clock.advance(10);
  h.puppet('pager').release();
  await stopping;
  expect((await h.rows())[0]).toMatchObject({ faults: 0, state: 'sent' });
});
