import { describe, expect, test } from 'vitest';
import { DAY, MINUTE, SECOND } from '../../src/domain/clock.js';
import { aPuppet, FAILS, NOW, outboxHarness, REFUSED } from './outbox-harness.js';

describe('sending', () => {
  test('what is due is sent once and recorded', async () => {
    const h = await outboxHarness();
    const id = await h.incident();
    await h.enqueue(id, 'pager', 'page');
    await h.dispatcher.start();
    await h.clock.advance(5 * SECOND);
    expect(h.puppet('pager').got).toHaveLength(1);
    expect(await h.rows()).toMatchObject([{ state: 'sent', attempts: 1, ref: 'ref' }]);
    expect(await h.story(id)).toEqual(['sent: Page accepted by pager']);
    expect(h.observed).toMatchObject([{ receiver: 'pager', purpose: 'page', outcome: 'sent' }]);
  });

  test('a page waits for its deadline and leaves within it', async () => {
    const h = await outboxHarness();
    const id = await h.incident();
    await h.dispatcher.start();
    await h.enqueue(id, 'pager', 'page', { dueAtMs: NOW + 5 * SECOND });
    await h.clock.advance(4_990);
    expect(h.puppet('pager').got).toHaveLength(0);
    await h.clock.advance(20);
    expect(h.puppet('pager').got).toHaveLength(1);
  });

  test('a verdict pulls it forward', async () => {
    const h = await outboxHarness();
    const id = await h.incident();
    await h.dispatcher.start();
    await h.enqueue(id, 'pager', 'page', { dueAtMs: NOW + 5 * SECOND });
    await h.db.transaction((tx) => h.notifications.pullForward(tx, id, h.clock.now()));
    h.dispatcher.wake();
    await h.dispatcher.drain();
    expect(h.puppet('pager').got).toHaveLength(1);
  });

  test('a Slack that hangs delays no page', async () => {
    const h = await outboxHarness();
    await h.dispatcher.start();
    h.puppet('team').answer(...Array.from({ length: 60 }, () => 'hang' as const));
    for (let i = 0; i < 60; i++) await h.enqueue(await h.incident(), 'team', 'card');
    await h.clock.advance(SECOND);
    expect(h.puppet('team').got).toHaveLength(4);

    await h.enqueue(await h.incident(), 'pager', 'page');
    await h.clock.advance(10);

    expect(h.puppet('pager').got).toHaveLength(1);
  });

  test('what waits for a busy receiver is not sent twice when its lease runs out', async () => {
    const h = await outboxHarness({ receivers: [aPuppet('team', 'slack')], concurrency: 1 });
    await h.dispatcher.start();
    h.puppet('team').answer('hang', 'hang', 'hang', 'hang');
    for (let i = 0; i < 3; i++) await h.enqueue(await h.incident(), 'team', 'card');
    // Longer than the lease; each turn is cut off at 20 s and tried again.
    await h.clock.advance(50 * SECOND);
    h.puppet('team').release();
    await h.clock.advance(5 * MINUTE);
    const rows = await h.rows();
    expect(rows.every((row) => row.state === 'sent')).toBe(true);
    expect(rows.map((row) => row.incident_id)).toEqual([1, 2, 3]);
  });

  test('the order of an incident at a receiver is kept', async () => {
    const h = await outboxHarness();
    const id = await h.incident();
    h.puppet('pager').answer(FAILS, FAILS);
    await h.enqueue(id, 'pager', 'page');
    await h.dispatcher.start();
    await h.dispatcher.drain();
    await h.setState(id, 'acknowledged');
    await h.enqueue(id, 'pager', 'page_acknowledge');
    await h.clock.advance(MINUTE);
    const purposes = h.puppet('pager').got.map((one) => one.notification.purpose);
    expect(purposes.lastIndexOf('page')).toBeLessThan(purposes.indexOf('page_acknowledge'));
  });

  test('a row for a receiver that is no longer configured is given up and said', async () => {
    const h = await outboxHarness();
    const id = await h.incident('warning');
    await h.enqueue(id, 'gone', 'card');
    await h.dispatcher.start();
    await h.dispatcher.drain();
    expect(await h.rows()).toMatchObject([{ state: 'dead' }]);
    expect(await h.story(id)).toEqual([expect.stringContaining('no receiver "gone" is configured')]);
  });

  test('a receiver that throws costs nothing but a retry', async () => {
    const h = await outboxHarness();
    const id = await h.incident();
    h.puppet('pager').answer(new Error('bug with MARKER-secret'));
    await h.enqueue(id, 'pager', 'page');
    await h.dispatcher.start();
    await h.clock.advance(10 * SECOND);
    expect(await h.rows()).toMatchObject([{ state: 'sent', attempts: 2 }]);
    expect((await h.story(id)).join()).not.toContain('MARKER');
  });
});

describe('retrying', () => {
  test('the page of a critical is tried for ever, a card is given up after a day', async () => {
    const h = await outboxHarness();
    const id = await h.incident();
    h.puppet('pager').answer(...Array.from({ length: 40 }, () => FAILS));
    h.puppet('team').answer(FAILS, FAILS, FAILS, FAILS);
    const dayAgo = NOW - DAY + 2 * SECOND;
    await h.enqueue(id, 'pager', 'page', { createdAtMs: dayAgo });
    await h.enqueue(id, 'team', 'card', { createdAtMs: dayAgo });
    await h.dispatcher.start();
    await h.clock.advance(4 * MINUTE);
    const rows = await h.rows();
    expect(rows.find((row) => row.purpose === 'page' && row.receiver === 'pager')).toMatchObject({
      state: 'sent',
      attempts: 41,
    });
    expect(rows.find((row) => row.purpose === 'card')).toMatchObject({ state: 'dead', attempts: 4 });
    const failures = (await h.story(id)).filter((text) => text.includes('Page not accepted by pager:'));
    // The 1st and the 10th.
    expect(failures).toHaveLength(2);
  });

  test('the resolve of a page is tried for ever, so that an outage leaves no page open at the pager', async () => {
    const h = await outboxHarness();
    const id = await h.incident();
    await h.enqueue(id, 'pager', 'page');
    await h.dispatcher.start();
    await h.dispatcher.drain();
    await h.setState(id, 'resolved');
    h.puppet('pager').answer(...Array.from({ length: 30 }, () => FAILS));
    await h.enqueue(id, 'pager', 'page_resolve');
    await h.clock.advance(40 * MINUTE);

    const resolve = (await h.rows()).find((row) => row.purpose === 'page_resolve');
    expect(resolve).toMatchObject({ state: 'sent', attempts: 31 });
  });

  test('a receiver that fails is asked again within four seconds, for as long as it takes', async () => {
    const h = await outboxHarness({ random: () => 0.999999 });
    h.puppet('team').answer(...Array.from({ length: 9 }, () => FAILS));
    await h.enqueue(await h.incident('warning'), 'team', 'card');
    await h.dispatcher.start();
    const at: number[] = [];
    for (let i = 0; i < 3000; i++) {
      while (at.length < h.puppet('team').got.length) at.push(h.clock.now() - NOW);
      await h.clock.advance(10);
    }
    const gaps = at.slice(1).map((time, i) => Math.round((time - (at[i] ?? 0)) / 100) / 10);
    expect(gaps).toEqual([0.1, 1, 2, 4, 4, 4, 4, 4, 4]);
  });

  test('of many that wait for a failing receiver one asks at a time; once it accepts, all follow at once', async () => {
    const h = await outboxHarness();
    h.puppet('team').answer(...Array.from({ length: 12 }, () => FAILS));
    await h.dispatcher.start();
    for (let i = 0; i < 9; i++) await h.enqueue(await h.incident('warning'), 'team', 'card');
    await h.clock.advance(20 * SECOND);
    expect(h.puppet('team').got.length).toBeLessThanOrEqual(12);
    expect((await h.rows()).some((row) => row.state === 'sent')).toBe(false);

    await h.clock.advance(10 * SECOND);

    expect((await h.rows()).every((row) => row.state === 'sent')).toBe(true);
    expect(h.puppet('team').got).toHaveLength(12 + 9);
  });

  test('one message that always fails delays no other', async () => {
    const h = await outboxHarness({ concurrency: 1 });
    const bad = await h.incident();
    const { deliver } = h.puppet('pager');
    Object.assign(h.puppet('pager'), {
      deliver: (...args: Parameters<typeof deliver>) =>
        args[0].notification.incidentId === bad ? Promise.resolve(FAILS) : deliver(...args),
    });
    await h.enqueue(bad, 'pager', 'page');
    await h.dispatcher.start();
    await h.clock.advance(40 * SECOND);
    const ids: number[] = [];
    for (let i = 0; i < 10; i++) {
      const id = await h.incident();
      ids.push(id);
      await h.enqueue(id, 'pager', 'page');
    }
    await h.clock.advance(5 * SECOND);

    expect(h.puppet('pager').got.map((one) => one.notification.incidentId)).toEqual(ids);
  });

  test("a provider's Retry-After is honoured", async () => {
    const h = await outboxHarness();
    const id = await h.incident('warning');
    h.puppet('team').answer({ kind: 'retry', reason: 'rate_limited', detail: 'HTTP 429', afterMs: 20_000 });
    await h.enqueue(id, 'team', 'card');
    await h.dispatcher.start();
    await h.clock.advance(19 * SECOND);
    expect(h.puppet('team').got).toHaveLength(1);
    await h.clock.advance(2 * SECOND);
    expect(h.puppet('team').got).toHaveLength(2);
  });

  test('a receiver that never answers is cut off and tried again', async () => {
    const h = await outboxHarness();
    const id = await h.incident();
    h.puppet('pager').answer('hang');
    await h.enqueue(id, 'pager', 'page');
    await h.dispatcher.start();
    await h.clock.advance(25 * SECOND);
    expect((await h.rows())[0]).toMatchObject({ state: 'sent', attempts: 2 });
  });
});

describe('the ladder of a critical page', () => {
  test('refused by one pager, it goes to the next at once, then to channel and log', async () => {
    const h = await outboxHarness();
    const id = await h.incident();
    h.puppet('pager').answer(REFUSED);
    h.puppet('pager-b').answer(REFUSED);
    await h.enqueue(id, 'pager', 'page');
    await h.dispatcher.start();
    await h.clock.advance(SECOND);
    expect(h.puppet('pager-b').got).toHaveLength(1);
    expect(h.puppet('team').got).toHaveLength(1);
    expect(h.puppet('journal').got).toHaveLength(1);
    expect(await h.story(id)).toEqual(
      expect.arrayContaining([
        'send_failed: Page refused by pager: HTTP 403',
        'send_failed: Page to pager refused: passed on to pager-b',
        'send_failed: Page to pager-b refused: passed on to team, journal',
      ]),
    );
    expect(h.log.lines().filter((line) => line.startsWith('error critical page not accepted'))).toHaveLength(
      2,
    );
  });

  test('not accepted within 30 s, it goes to the next as well and keeps being tried', async () => {
    const h = await outboxHarness();
    const id = await h.incident();
    h.puppet('pager').answer(...Array.from({ length: 40 }, () => FAILS));
    await h.enqueue(id, 'pager', 'page');
    await h.dispatcher.start();
    await h.clock.advance(29_900);
    expect(h.puppet('pager-b').got).toHaveLength(0);
    await h.clock.advance(200);
    expect(h.puppet('pager-b').got).toHaveLength(1);
    await h.clock.advance(10 * MINUTE);
    expect(h.puppet('pager-b').got).toHaveLength(1);
    expect((await h.rows())[0]).toMatchObject({ state: 'sent' });
  });

  test('a long Retry-After does not keep the next pager waiting', async () => {
    const h = await outboxHarness();
    const id = await h.incident();
    h.puppet('pager').answer({ kind: 'retry', reason: 'rate_limited', detail: 'HTTP 429', afterMs: 120_000 });
    await h.enqueue(id, 'pager', 'page');
    await h.dispatcher.start();
    await h.clock.advance(31 * SECOND);
    expect(h.puppet('pager-b').got).toHaveLength(1);
  });

  test('accepted in time, nobody else is woken', async () => {
    const h = await outboxHarness();
    const id = await h.incident();
    h.puppet('pager').answer(FAILS, FAILS);
    await h.enqueue(id, 'pager', 'page');
    await h.dispatcher.start();
    await h.clock.advance(5 * MINUTE);
    expect(h.puppet('pager-b').got).toHaveLength(0);
    expect(h.puppet('pager').got).toHaveLength(3);
  });
});

describe('still true', () => {
  test.each(['resolved', 'acknowledged'] as const)(
    'a page of an incident %s meanwhile is not sent',
    async (state) => {
      const h = await outboxHarness();
      const id = await h.incident();
      h.puppet('pager').answer(FAILS);
      await h.enqueue(id, 'pager', 'page');
      await h.dispatcher.start();
      await h.dispatcher.drain();
      await h.setState(id, state);
      await h.clock.advance(MINUTE);
      expect(h.puppet('pager').got).toHaveLength(1);
      expect((await h.rows())[0]).toMatchObject({ state: 'dropped' });
      expect((await h.story(id)).at(-1)).toMatch(
        /^send_dropped: Page to pager not sent: (resolved|acknowledged by mia) before/,
      );
    },
  );

  test('a page of an earlier firing period is not sent', async () => {
    const h = await outboxHarness();
    const id = await h.incident();
    h.puppet('pager').answer(FAILS);
    await h.enqueue(id, 'pager', 'page');
    await h.dispatcher.start();
    await h.dispatcher.drain();
    await h.newEpisode(id, 90);
    await h.clock.advance(MINUTE);
    expect((await h.rows())[0]).toMatchObject({
      state: 'dropped',
      last_reason: 'this firing period is over',
    });
  });

  test('a resolve follows a page that was sent, and is marked before the call', async () => {
    const h = await outboxHarness();
    const id = await h.incident();
    await h.enqueue(id, 'pager', 'page');
    await h.dispatcher.start();
    await h.dispatcher.drain();
    await h.setState(id, 'resolved');
    h.puppet('pager').answer('hang');
    await h.enqueue(id, 'pager', 'page_resolve');
    await h.clock.advance(100);
    const episode = () =>
      h.db.kysely.selectFrom('episodes').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
    expect(h.puppet('pager').got.at(-1)?.notification.purpose).toBe('page_resolve');
    expect((await episode()).resolve_attempted_at).not.toBeNull();
  });

  test('after a resolve was attempted no trigger of that episode leaves', async () => {
    const h = await outboxHarness();
    const id = await h.incident();
    await h.db.transaction((tx) => h.notifications.markResolveAttempted(tx, id, NOW));
    await h.enqueue(id, 'pager', 'page');
    await h.dispatcher.start();
    await h.dispatcher.drain();
    expect(h.puppet('pager').got).toHaveLength(0);
    expect((await h.rows())[0]).toMatchObject({ state: 'dropped' });
  });

  test('without a page there is nothing to resolve or acknowledge', async () => {
    const h = await outboxHarness();
    const id = await h.incident();
    await h.setState(id, 'acknowledged');
    await h.enqueue(id, 'pager', 'page_acknowledge');
    await h.dispatcher.start();
    await h.dispatcher.drain();
    await h.setState(id, 'resolved');
    await h.enqueue(id, 'pager', 'page_resolve');
    await h.dispatcher.drain();
    expect(h.puppet('pager').got).toHaveLength(0);
    expect(await h.rows()).toMatchObject([{ state: 'dropped' }, { state: 'dropped' }]);
  });

  test('a page that may have arrived although its answer was lost is resolved all the same', async () => {
    const h = await outboxHarness();
    const id = await h.incident();
    h.puppet('pager').answer({ kind: 'retry', reason: 'timeout', detail: 'no answer within 5 s' });
    await h.enqueue(id, 'pager', 'page');
    await h.dispatcher.start();
    await h.dispatcher.drain();
    await h.setState(id, 'resolved');
    await h.enqueue(id, 'pager', 'page_resolve');
    await h.clock.advance(MINUTE);
    expect(h.puppet('pager').got.map((one) => one.notification.purpose)).toEqual(['page', 'page_resolve']);
  });

  test('a resolve that waited while the alert fired again is not sent', async () => {
    const h = await outboxHarness();
    const id = await h.incident();
    await h.enqueue(id, 'pager', 'page');
    await h.dispatcher.start();
    await h.dispatcher.drain();
    await h.enqueue(id, 'pager', 'page_resolve', { dueAtMs: NOW + 5 * MINUTE });
    await h.clock.advance(6 * MINUTE);
    expect(h.puppet('pager').got).toHaveLength(1);
    expect((await h.rows()).at(-1)).toMatchObject({ state: 'dropped', last_reason: 'fires again' });
  });

  test('a late resolve of an earlier firing period carries its own key', async () => {
    const h = await outboxHarness();
    const id = await h.incident();
    await h.enqueue(id, 'pager', 'page');
    await h.dispatcher.start();
    await h.dispatcher.drain();
    await h.setState(id, 'resolved');
    h.puppet('pager').answer(FAILS);
    await h.enqueue(id, 'pager', 'page_resolve');
    await h.dispatcher.drain();
    await h.newEpisode(id, 90);
    await h.clock.advance(MINUTE);
    expect(h.puppet('pager').got.at(-1)).toMatchObject({
      notification: { purpose: 'page_resolve' },
      view: { episode: { dedupKey: 'dedup1' } },
    });
  });

  test('a warning never pages, whatever was stored', async () => {
    const h = await outboxHarness();
    const id = await h.incident('warning');
    await h.enqueue(id, 'pager', 'page');
    await h.dispatcher.start();
    await h.dispatcher.drain();
    expect(h.puppet('pager').got).toHaveLength(0);
  });
});

describe('cards', () => {
  test('updates by machine are three seconds apart, and show the last state', async () => {
    const h = await outboxHarness();
    const id = await h.incident();
    await h.dispatcher.start();
    for (let i = 0; i < 10; i++) {
      await h.enqueue(id, 'team', 'card');
      await h.clock.advance(500);
    }
    await h.clock.advance(10 * SECOND);
    const count = h.puppet('team').got.length;
    expect(count).toBeGreaterThanOrEqual(2);
    expect(count).toBeLessThanOrEqual(3);
    expect((await h.rows()).every((row) => row.state === 'sent' || row.state === 'dropped')).toBe(true);
  });

  test('what a human did is shown at once', async () => {
    const h = await outboxHarness();
    const id = await h.incident();
    await h.dispatcher.start();
    await h.enqueue(id, 'team', 'card');
    await h.clock.advance(500);
    await h.setState(id, 'acknowledged');
    await h.enqueue(id, 'team', 'card');
    await h.clock.advance(50);
    expect(h.puppet('team').got).toHaveLength(2);
  });

  test('a card that shows this already is dropped as unchanged, without a line in the story', async () => {
    const h = await outboxHarness();
    const id = await h.incident();
    h.puppet('team').answer({ kind: 'unchanged', reason: 'the card shows this already' });
    await h.enqueue(id, 'team', 'card');
    await h.dispatcher.start();
    await h.dispatcher.drain();
    expect(await h.rows()).toMatchObject([
      { state: 'dropped', last_reason: expect.stringContaining('unchanged') },
    ]);
    expect(await h.story(id)).toEqual([]);
  });

  test('where the card lives is kept, and its first post alone is told', async () => {
    const h = await outboxHarness();
    const id = await h.incident();
    await h.dispatcher.start();
    await h.enqueue(id, 'team', 'card');
    await h.clock.advance(5 * SECOND);
    await h.enqueue(id, 'team', 'card');
    await h.clock.advance(5 * SECOND);
    expect(h.puppet('team').got.map((one) => one.card?.messageId ?? null)).toEqual([null, 'm1']);
    expect(await h.story(id)).toEqual(['sent: Card accepted by team']);
  });
});

describe('restart', () => {
  test('what a dead process was sending is sent again within ten seconds, as was what waited for its retry', async () => {
    const h = await outboxHarness();
    const id = await h.incident();
    const other = await h.incident();
    await h.enqueue(id, 'pager', 'page');
    await h.enqueue(other, 'pager-b', 'page');
    // The first process claims both and dies; the second one's retry was an hour away.
    const claimed = await h.db.transaction((tx) =>
      h.notifications.claimDue(tx, { nowMs: NOW, leaseMs: 30_000, limit: 9 }),
    );
    const second = claimed.find((one) => one.receiver === 'pager-b');
    if (second === undefined) throw new Error('two claims expected');
    await h.db.transaction((tx) =>
      h.notifications.retry(tx, { ...second, dueAtMs: NOW + 60 * MINUTE, reason: 'x' }),
    );

    await h.dispatcher.start();
    await h.clock.advance(10 * SECOND);

    expect(h.puppet('pager').got).toMatchObject([
      { view: { episode: { dedupKey: 'dedup1' } }, notification: { attempts: 2 } },
    ]);
    expect(h.puppet('pager-b').got).toHaveLength(1);
  });

  test('a held resolve keeps its time over a restart', async () => {
    const h = await outboxHarness();
    const id = await h.incident();
    await h.enqueue(id, 'pager', 'page');
    await h.dispatcher.start();
    await h.dispatcher.drain();
    await h.setState(id, 'resolved');
    await h.enqueue(id, 'pager', 'page_resolve', { dueAtMs: NOW + 5 * MINUTE });
    await h.dispatcher.stop();
    const next = h.createOne();
    await next.start();
    await h.clock.advance(4 * MINUTE);
    expect(h.puppet('pager').got).toHaveLength(1);
    await h.clock.advance(2 * MINUTE);
    expect(h.puppet('pager').got).toHaveLength(2);
  });

  test('stop waits for what is under way and gives the rest back', async () => {
    const h = await outboxHarness({ concurrency: 1 });
    h.puppet('team').answer('hang');
    await h.enqueue(await h.incident(), 'team', 'card');
    await h.enqueue(await h.incident(), 'team', 'card');
    await h.dispatcher.start();
    await h.clock.advance(100);
    const stopping = h.dispatcher.stop();
    h.puppet('team').release();
    await stopping;
    expect((await h.rows()).map((row) => row.state)).toEqual(['sent', 'queued']);
  });

  test('a result under an older fence changes nothing', async () => {
    const h = await outboxHarness();
    const id = await h.incident();
    h.puppet('pager').answer('hang');
    await h.enqueue(id, 'pager', 'page');
    await h.dispatcher.start();
    await h.clock.advance(100);
    // Somebody else took it over meanwhile and finished it.
    await h.db.kysely
      .updateTable('notifications')
      .set((eb) => ({ fence: eb('fence', '+', 1), state: 'dropped', last_reason: 'theirs' }))
      .execute();
    h.puppet('pager').release();
    await h.clock.advance(100);
    expect((await h.rows())[0]).toMatchObject({ state: 'dropped', last_reason: 'theirs' });
    expect(h.log.lines().join()).toContain('lease was lost');
  });
});

test('a wall clock that steps back mutes no retry', async () => {
  const h = await outboxHarness();
  const id = await h.incident();
  h.puppet('pager').answer(FAILS);
  await h.enqueue(id, 'pager', 'page');
  await h.dispatcher.start();
  await h.dispatcher.drain();
  h.clock.setWall(NOW - 60 * MINUTE);
  await h.clock.advance(5 * SECOND);
  expect((await h.rows())[0]).toMatchObject({ state: 'sent', attempts: 2 });
});

test('a wall clock that leaps ahead while a page is under way sends it once', async () => {
  const h = await outboxHarness();
  const id = await h.incident();
  h.puppet('pager').answer('hang');
  await h.enqueue(id, 'pager', 'page');
  await h.dispatcher.start();
  await h.clock.advance(SECOND);
  h.clock.setWall(NOW + 60 * MINUTE);
  await h.clock.advance(3 * SECOND);
  h.puppet('pager').release();
  await h.clock.advance(SECOND);
  expect(h.puppet('pager').got).toHaveLength(1);
  expect((await h.rows())[0]).toMatchObject({ state: 'sent' });
});
