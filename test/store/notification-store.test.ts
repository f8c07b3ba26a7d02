import { expect, test } from 'vitest';
import type { NewNotification, Purpose } from '../../src/domain/notification.js';
import { createNotificationStore } from '../../src/store/notification-store.js';
import { anAlert } from '../support/build.js';
import { createIntakeHarness } from '../support/intake-harness.js';
import { TEST_NOW_MS } from '../support/test-database.js';

const store = createNotificationStore();
const claim = { nowMs: TEST_NOW_MS, leaseMs: 30_000, limit: 10 };

/** Two incidents that nobody was told of yet. */
async function emptyOutbox() {
  const h = createIntakeHarness({ route: () => [] });
  await h.receive(anAlert({ labels: { model: 'a' } }), anAlert({ labels: { model: 'b' } }));
  const { kysely } = h.db;
  const add = (purpose: Purpose, overrides: Partial<NewNotification> = {}) =>
    store.enqueue(kysely, [
      {
        incidentId: 1,
        episodeId: 1,
        receiver: 'pager',
        purpose,
        dueAtMs: TEST_NOW_MS,
        createdAtMs: TEST_NOW_MS,
        ...overrides,
      },
    ]);
  return { h, kysely, add };
}

test('a claim takes due rows, pages first, and counts the attempt', async () => {
  const { kysely, add } = await emptyOutbox();
  await add('card', { receiver: 'slack' });
  await add('page');
  await add('card', { incidentId: 2, episodeId: 2, receiver: 'slack', dueAtMs: TEST_NOW_MS + 1 });

  const claimed = await store.claimDue(kysely, claim);

  expect(claimed.map((one) => [one.purpose, one.state, one.attempts, one.fence])).toEqual([
    ['page', 'sending', 1, 1],
    ['card', 'sending', 1, 1],
  ]);
  expect(await store.claimDue(kysely, claim)).toEqual([]);
});

test('a row waits for the older unfinished one of its incident and receiver, and for no other', async () => {
  const { kysely, add } = await emptyOutbox();
  await add('page', { dueAtMs: TEST_NOW_MS + 1000 });
  await add('page_acknowledge');
  await add('page', { incidentId: 2, episodeId: 2 });

  expect((await store.claimDue(kysely, claim)).map((one) => one.incidentId)).toEqual([2]);

  const [page] = await store.claimDue(kysely, { ...claim, nowMs: TEST_NOW_MS + 1000 });
  expect(page?.purpose).toBe('page');
  await store.finish(kysely, {
    id: page?.id ?? 0,
    fence: 1,
    state: 'sent',
    reason: null,
    ref: 'x',
    nowMs: 0,
  });
  expect((await store.claimDue(kysely, claim)).map((one) => one.purpose)).toEqual(['page_acknowledge']);
});

test('a new page does not wait for the resolve of an earlier episode', async () => {
  const { kysely, add } = await emptyOutbox();
  await add('page_resolve', { dueAtMs: TEST_NOW_MS + 60_000 });
  await add('page', { episodeId: 2 });

  expect((await store.claimDue(kysely, claim)).map((one) => one.purpose)).toEqual(['page']);
});

test('a lease that ran out is taken by somebody else, and the first is then refused', async () => {
  const { kysely, add } = await emptyOutbox();
  await add('page');
  const [first] = await store.claimDue(kysely, claim);

  const [second] = await store.claimDue(kysely, { ...claim, nowMs: TEST_NOW_MS + 30_000 });

  expect(second).toMatchObject({ id: first?.id, fence: 2, attempts: 2 });
  const result = { id: first?.id ?? 0, state: 'sent', reason: null, ref: null, nowMs: 0 } as const;
  expect(await store.finish(kysely, { ...result, fence: 1 })).toBe(false);
  expect(await store.finish(kysely, { ...result, fence: 2 })).toBe(true);
});

test('a page is stored once an episode and receiver, a waiting card once an incident and receiver', async () => {
  const { h, add } = await emptyOutbox();
  await add('page');
  await add('page', { dueAtMs: TEST_NOW_MS + 5 });
  await add('card', { receiver: 'slack', dueAtMs: TEST_NOW_MS + 5000 });
  await add('card', { receiver: 'slack', dueAtMs: TEST_NOW_MS + 100 });
  await add('card', { receiver: 'slack', dueAtMs: TEST_NOW_MS + 9000 });

  expect(await h.outbox()).toEqual(['page pager queued +0', 'card slack queued +100']);
});

test('a follow-up that was dropped may be stored again', async () => {
  const { h, kysely, add } = await emptyOutbox();
  await add('page_resolve');
  await add('page_resolve');
  await store.dropHeldResolves(kysely, { episodeId: 1, reason: 'fires again', nowMs: TEST_NOW_MS });

  await add('page_resolve');

  expect(await h.outbox()).toEqual(['page_resolve pager dropped +0', 'page_resolve pager queued +0']);
});

test('pulling forward moves first tries, not held resolves and not retries', async () => {
  const { h, kysely, add } = await emptyOutbox();
  await add('page', { dueAtMs: TEST_NOW_MS });
  const [page] = await store.claimDue(kysely, claim);
  await store.retry(kysely, { id: page?.id ?? 0, fence: 1, dueAtMs: TEST_NOW_MS + 2000, reason: 'timeout' });
  await add('page_resolve', { dueAtMs: TEST_NOW_MS + 3000 });
  await add('card', { receiver: 'slack', dueAtMs: TEST_NOW_MS + 5000 });

  await store.pullForward(kysely, 1, TEST_NOW_MS);

  expect(await h.outbox()).toEqual([
    'page pager queued +2000',
    'page_resolve pager queued +3000',
    'card slack queued +0',
  ]);
});

test('a card that failed while a newer one waits gives way to it, with its delay', async () => {
  const { h, kysely, add } = await emptyOutbox();
  await add('card', { receiver: 'slack' });
  const [card] = await store.claimDue(kysely, claim);
  await add('card', { receiver: 'slack' });

  expect(
    await store.retry(kysely, {
      id: card?.id ?? 0,
      fence: 1,
      dueAtMs: TEST_NOW_MS + 8000,
      reason: 'rate_limited',
    }),
  ).toBe(true);

  expect(await h.outbox()).toEqual(['card slack dropped +0', 'card slack queued +8000']);
});

test('after a restart every claim is given back', async () => {
  const { h, kysely, add } = await emptyOutbox();
  await add('page');
  await add('card', { receiver: 'slack' });
  await store.claimDue(kysely, claim);
  await add('card', { receiver: 'slack', dueAtMs: TEST_NOW_MS + 50 });

  await store.releaseLeases(kysely, { nowMs: TEST_NOW_MS + 10 });

  expect(await h.outbox()).toEqual([
    'page pager queued +10',
    'card slack dropped +0',
    'card slack queued +50',
  ]);
});

test('the next due time is the first one ahead, of the receivers asked for', async () => {
  const { kysely, add } = await emptyOutbox();
  const next = () => store.nextDueMs(kysely, ['pager'], TEST_NOW_MS);
  expect(await next()).toBeNull();
  await add('page', { dueAtMs: TEST_NOW_MS + 500 });
  await add('page_acknowledge', { dueAtMs: TEST_NOW_MS - 500 });
  await add('card', { receiver: 'slack', dueAtMs: TEST_NOW_MS + 100 });

  expect(await next()).toBe(TEST_NOW_MS + 500);
});

test('the resolve of an episode is marked once', async () => {
  const { h, kysely } = await emptyOutbox();
  await store.markResolveAttempted(kysely, 1, 111);
  await store.markResolveAttempted(kysely, 1, 222);

  expect((await h.view()).episode.resolveAttemptedAtMs).toBe(111);
});

test('a card is remembered where it was posted and forgotten nowhere', async () => {
  const { kysely, add } = await emptyOutbox();
  const key = { incidentId: 1, receiver: 'slack' };
  await add('card', { receiver: 'other' });
  expect(await store.readCard(kysely, key)).toBeNull();

  const card = { channel: 'C1', messageId: '17.5', contentHash: 'a' };
  await store.saveCard(kysely, { ...key, card, nowMs: 1 });
  await store.saveCard(kysely, { ...key, card: { ...card, contentHash: 'b' }, nowMs: 2 });

  expect(await store.readCard(kysely, key)).toEqual({ ...card, contentHash: 'b' });
  expect(await store.cardReceivers(kysely, 1)).toEqual({ posted: ['slack'], waiting: ['other'] });
});

test('the outbox lists the newest first, with what it is about', async () => {
  const { kysely, add } = await emptyOutbox();
  await add('page');
  await add('card', { receiver: 'slack' });

  expect(
    (await store.listOutbox(kysely, { limit: 1 })).map((one) => [one.purpose, one.alertName, one.severity]),
  ).toEqual([['card', 'LLMHighTTFT', 'critical']]);
});
