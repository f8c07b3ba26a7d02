import { expect, test } from 'vitest';
import { createWorkStore, type NewWork } from '../../src/store/work-store.js';
import { anAlert } from '../support/build.js';
import { createIntakeHarness } from '../support/intake-harness.js';
import { TEST_NOW_MS } from '../support/test-database.js';

const store = createWorkStore();
const claim = { nowMs: TEST_NOW_MS, leaseMs: 60_000 };

/** Opening an incident stores its first work. */
async function withOneWork() {
  const h = createIntakeHarness();
  await h.receive(anAlert());
  const more = (trigger: NewWork['trigger'], dueAtMs = TEST_NOW_MS) =>
    store.addWork(h.db.kysely, [{ incidentId: 1, episodeId: 1, trigger, dueAtMs, createdAtMs: TEST_NOW_MS }]);
  return { h, kysely: h.db.kysely, more };
}

test('work is taken once, oldest due first, and only when due', async () => {
  const { kysely, more } = await withOneWork();
  await more('asked', TEST_NOW_MS - 1);
  await more('resolved', TEST_NOW_MS + 1);

  expect((await store.claimWork(kysely, claim))?.trigger).toBe('asked');
  expect(await store.claimWork(kysely, claim)).toMatchObject({ trigger: 'opened', attempts: 1, fence: 1 });
  expect(await store.claimWork(kysely, claim)).toBeNull();
});

test('finished work is gone, put back work comes again with its reason', async () => {
  const { kysely } = await withOneWork();
  const first = await store.claimWork(kysely, claim);
  await store.retryWork(kysely, { id: first?.id ?? 0, fence: 1, dueAtMs: TEST_NOW_MS + 5, error: 'boom' });

  expect(await store.claimWork(kysely, claim)).toBeNull();
  const again = await store.claimWork(kysely, { ...claim, nowMs: TEST_NOW_MS + 5 });
  expect(again).toMatchObject({ attempts: 2, lastError: 'boom' });

  await store.finishWork(kysely, { id: again?.id ?? 0, fence: again?.fence ?? 0 });
  expect(await store.nextWorkDueMs(kysely)).toBeNull();
});

test('a lost lease is taken again and the old fence finishes nothing', async () => {
  const { h, kysely } = await withOneWork();
  const first = await store.claimWork(kysely, claim);
  await store.claimWork(kysely, { ...claim, nowMs: TEST_NOW_MS + 60_000 });

  await store.finishWork(kysely, { id: first?.id ?? 0, fence: 1 });

  expect(await h.work()).toEqual(['opened INC-1 running']);
});

test('a restart gives every claim back', async () => {
  const { h, kysely } = await withOneWork();
  await store.claimWork(kysely, claim);

  await store.releaseWork(kysely, { nowMs: TEST_NOW_MS });

  expect(await h.work()).toEqual(['opened INC-1 queued']);
});

test('work that was set aside is never taken again', async () => {
  const { kysely } = await withOneWork();
  const work = await store.claimWork(kysely, claim);

  await store.quarantineWork(kysely, { id: work?.id ?? 0, fence: 1 });

  expect(await store.claimWork(kysely, { ...claim, nowMs: TEST_NOW_MS + 999_999 })).toBeNull();
});

test('news of an incident whose diagnosis waits anyway adds none', async () => {
  const { h, more } = await withOneWork();

  await more('joined');
  await more('asked');

  expect(await h.work()).toEqual(['opened INC-1 queued', 'asked INC-1 queued']);
});
