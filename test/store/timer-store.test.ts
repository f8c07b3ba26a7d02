import { describe, expect, test } from 'vitest';
import { HOUR, MINUTE } from '../../src/domain/clock.js';
import { createTimerStore, type NewTimer } from '../../src/store/timer-store.js';
import { anAlert } from '../support/build.js';
import { createIntakeHarness } from '../support/intake-harness.js';
import { TEST_NOW_MS } from '../support/test-database.js';

const store = createTimerStore();
const claim = { leaseMs: MINUTE, limit: 10 };

/** A database with incident 1, and no timer. */
async function withIncident() {
  const h = createIntakeHarness();
  await h.receive(anAlert());
  await h.db.kysely.deleteFrom('timers').execute();
  return h.db.kysely;
}

function aTimer(overrides: Partial<NewTimer> = {}): NewTimer {
  return {
    incidentId: 1,
    episodeId: 1,
    kind: 'reminder',
    key: 'critical',
    payload: {},
    dueAtMs: TEST_NOW_MS + 15 * MINUTE,
    createdAtMs: TEST_NOW_MS,
    ...overrides,
  };
}

test('a timer is taken once, when it is due, and stands once however often it is planned', async () => {
  const kysely = await withIncident();
  await store.planTimers(kysely, [aTimer(), aTimer({ key: 'warning', dueAtMs: TEST_NOW_MS + HOUR })]);
  await store.planTimers(kysely, [aTimer({ dueAtMs: TEST_NOW_MS })]);

  const early = await store.claimTimers(kysely, { ...claim, nowMs: TEST_NOW_MS + 14 * MINUTE });
  const due = await store.claimTimers(kysely, { ...claim, nowMs: TEST_NOW_MS + 15 * MINUTE });
  const again = await store.claimTimers(kysely, { ...claim, nowMs: TEST_NOW_MS + 15 * MINUTE });

  expect(early).toEqual([]);
  expect(due).toMatchObject([{ key: 'critical', attempts: 1, fence: 1 }]);
  expect(again).toEqual([]);
});

test('what fired is never planned again, what was dropped is', async () => {
  const kysely = await withIncident();
  await store.planTimers(kysely, [aTimer(), aTimer({ key: 'warning' })]);
  const [fired, dropped] = await store.claimTimers(kysely, { ...claim, nowMs: TEST_NOW_MS + HOUR });
  const at = { nowMs: TEST_NOW_MS + HOUR, reason: 'because' };
  await store.finishTimer(kysely, { id: fired?.id ?? 0, fence: 1, state: 'fired', ...at });
  await store.finishTimer(kysely, { id: dropped?.id ?? 0, fence: 1, state: 'dropped', ...at });

  await store.planTimers(kysely, [aTimer({ dueAtMs: 1 }), aTimer({ key: 'warning', dueAtMs: 2 })]);

  const waiting = await store.claimTimers(kysely, { ...claim, nowMs: TEST_NOW_MS + HOUR });
  expect(waiting.map((one) => one.key)).toEqual(['warning']);
});

test('a lease that ran out is taken by another, and the first may not finish any more', async () => {
  const kysely = await withIncident();
  await store.planTimers(kysely, [aTimer({ dueAtMs: TEST_NOW_MS })]);
  await store.claimTimers(kysely, { ...claim, nowMs: TEST_NOW_MS });
  const [second] = await store.claimTimers(kysely, { ...claim, nowMs: TEST_NOW_MS + MINUTE });
  const result = { id: second?.id ?? 0, state: 'fired', reason: null, nowMs: TEST_NOW_MS } as const;

  expect(await store.finishTimer(kysely, { ...result, fence: 1 })).toBe(false);
  expect(await store.finishTimer(kysely, { ...result, fence: 2 })).toBe(true);
});

test('a timer of no incident is moved by every plan, and a claim of its old plan is worth nothing', async () => {
  const kysely = await withIncident();
  const watchdog = { kind: 'climb', key: 'am', payload: {}, createdAtMs: TEST_NOW_MS } as const;
  await store.replanTimer(kysely, { ...watchdog, dueAtMs: TEST_NOW_MS });
  const [claimed] = await store.claimTimers(kysely, { ...claim, nowMs: TEST_NOW_MS });
  await store.replanTimer(kysely, { ...watchdog, dueAtMs: TEST_NOW_MS + MINUTE });
  const stale = { id: claimed?.id ?? 0, fence: claimed?.fence ?? 0, reason: null, nowMs: TEST_NOW_MS };

  expect(await store.finishTimer(kysely, { ...stale, state: 'fired' })).toBe(false);
  expect(await store.claimTimers(kysely, { ...claim, nowMs: TEST_NOW_MS + MINUTE })).toHaveLength(1);
});

describe('a step of the wall clock leaves as much time as before', () => {
  test.each([
    ['an hour forward', HOUR],
    ['ten years forward', 87_600 * HOUR],
    ['an hour back', -HOUR],
    ['ten years back', -87_600 * HOUR],
  ])('%s', async (_, steppedMs) => {
    const kysely = await withIncident();
    await store.planTimers(kysely, [aTimer()]);
    await store.replanTimer(kysely, { ...aTimer({ kind: 'climb', key: 'am' }) });
    const upToId = await store.newestTimerId(kysely);
    const afterMs = TEST_NOW_MS + 5000 + steppedMs;
    await store.planTimers(kysely, [
      aTimer({ key: 'warning', createdAtMs: afterMs, dueAtMs: afterMs + HOUR }),
    ]);

    await store.moveTimers(kysely, { nowMs: afterMs, steppedMs, upToId });

    const left = await kysely.selectFrom('timers').select(['key', 'due_at']).orderBy('id').execute();
    expect(left.map((row) => [row.key, row.due_at - afterMs])).toEqual([
      ['critical', 15 * MINUTE - 5000],
      ['am', 15 * MINUTE - 5000],
      ['warning', HOUR],
    ]);
  });
});

test('after a start what was planned in the future waits its time, and what was claimed is taken again', async () => {
  const kysely = await withIncident();
  await store.planTimers(kysely, [aTimer(), aTimer({ key: 'warning' })]);
  await store.claimTimers(kysely, { ...claim, nowMs: TEST_NOW_MS + 15 * MINUTE, limit: 1 });
  const nowMs = TEST_NOW_MS - 10 * HOUR;

  await store.takeBackTimers(kysely, { nowMs });

  expect(await store.claimTimers(kysely, { ...claim, nowMs })).toEqual([]);
  expect(await store.claimTimers(kysely, { ...claim, nowMs: nowMs + 15 * MINUTE })).toHaveLength(2);
});
