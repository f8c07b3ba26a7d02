import { describe, expect, test } from 'vitest';
import { HOUR, MINUTE, SECOND } from '../../src/domain/clock.js';
import { begun, ended, flaps, isQuiet, lastChangeMs, settled } from '../../src/domain/cycles.js';
import { anAlert, resolvedCopy } from '../support/build.js';
import { createPagingHarness, M, type PagingHarness } from '../support/paging-harness.js';

const fires = (h: PagingHarness) => h.receive(anAlert({ startsAtMs: h.clock.now() }));
const resolves = (h: PagingHarness) => h.receive(resolvedCopy(anAlert({ startsAtMs: null }), h.clock.now()));

/** Fires for a while, resolves, and is quiet for a while. */
async function cycle(h: PagingHarness, firingMs: number, quietMs: number): Promise<void> {
  await fires(h);
  await h.clock.advance(firingMs);
  await resolves(h);
  await h.clock.advance(quietMs);
}

const wakes = (h: PagingHarness) => h.wakes().map(({ atMs }) => Math.round(atMs / M));
const resolvesSent = (h: PagingHarness) => h.calls().filter(({ action }) => action === 'resolve').length;

describe('an outage that comes back', () => {
  test('6 min after its resolve pages again: a new episode', async () => {
    const h = await createPagingHarness();
    await cycle(h, 4 * M, 6 * M);

    await fires(h);
    await h.clock.advance(10 * SECOND);

    expect(wakes(h)).toEqual([0, 10]);
    expect(resolvesSent(h)).toBe(1);
  });

  test('within the hold pages nobody, and the pager is told of the end once', async () => {
    const h = await createPagingHarness();
    await cycle(h, 4 * M, 3 * M);
    await cycle(h, 4 * M, 10 * M);

    expect(wakes(h)).toEqual([0]);
    expect(resolvesSent(h)).toBe(1);
    expect(h.openAtPager()).toEqual([]);
  });

  test('for the third time in half an hour it flaps: it stays open and pages no more', async () => {
    const h = await createPagingHarness();
    for (let n = 0; n < 3; n += 1) await cycle(h, 4 * M, 6 * M);
    expect((await h.view(1)).incident).toMatchObject({ state: 'open', flags: { flapping: true } });

    await cycle(h, 4 * M, 6 * M);
    await cycle(h, 4 * M, 6 * M);

    expect(wakes(h)).toEqual([0, 10, 20]);
    expect(h.openAtPager()).toHaveLength(1);
    expect(
      (await h.view(1)).timeline.filter(({ kind }) => kind === 'flapping').map(({ text }) => text),
    ).toEqual([
      'Flapping: it fired and resolved 3 times in 4m. It stays open until it was quiet for 3m, and wakes nobody again',
    ]);
  });
});

describe('while it flaps', () => {
  async function flapping(): Promise<PagingHarness> {
    const h = await createPagingHarness();
    for (let n = 0; n < 4; n += 1) await cycle(h, M, M);
    return h;
  }

  test('15 quiet minutes end it: resolved, the pager told at once', async () => {
    const h = await flapping();
    await h.clock.advance(13 * M);
    expect((await h.view(1)).incident.state).toBe('open');

    await h.clock.advance(M + 2 * SECOND);

    expect((await h.view(1)).incident).toMatchObject({ state: 'resolved', flags: { flapping: false } });
    expect(h.openAtPager()).toEqual([]);
    expect(wakes(h)).toEqual([0]);
    expect(resolvesSent(h)).toBe(1);
  });

  test('15 minutes of firing end it as well: it goes on as any other', async () => {
    const h = await flapping();
    await fires(h);

    await h.clock.advance(16 * M);

    expect((await h.view(1)).incident).toMatchObject({ state: 'open', flags: { flapping: false } });
    await resolves(h);
    expect((await h.view(1)).incident.state).toBe('resolved');
    await h.clock.advance(5 * M + SECOND);
    expect(h.openAtPager()).toEqual([]);
    expect(wakes(h)).toEqual([0]);
  });

  test('a person who resolves it has the last word, and what fires then pages', async () => {
    const h = await flapping();
    await h.db.kysely
      .updateTable('incidents')
      .set({ state: 'resolved', resolved_at: h.clock.now(), resolved_by: 'mia' })
      .execute();
    await h.db.kysely
      .updateTable('episodes')
      .set({ ended_at: h.clock.now(), resolve_attempted_at: 1 })
      .execute();
    await h.clock.advance(2 * SECOND);
    expect((await h.view(1)).incident.flags.flapping).toBe(false);

    await fires(h);
    await h.clock.advance(10 * SECOND);

    expect(wakes(h)).toEqual([0, 8]);
  });

  test('and the process dies, the quiet is counted on', async () => {
    const h = await flapping();
    await h.clock.advance(7 * M);
    await h.restart();

    await h.clock.advance(7 * M + 2 * SECOND);

    expect((await h.view(1)).incident.state).toBe('resolved');
    expect(h.openAtPager()).toEqual([]);
  });

  test('a clock set back does not keep it open for ever', async () => {
    const h = await flapping();
    h.clock.setWall(h.clock.now() - 3 * HOUR);

    await h.clock.advance(2 * SECOND);

    expect((await h.view(1)).incident.state).toBe('resolved');
  });
});

/** What ships, where the other tests have everything five times shorter. */
const SHIPPED = {
  flapping: { cycles: 3, withinMs: 30 * MINUTE, quietMs: 15 * MINUTE },
  ceilings: [
    { pages: 3, withinMs: 15 * MINUTE },
    { pages: 7, withinMs: HOUR },
  ],
  resolveHoldMs: 5 * MINUTE,
  reopenWindowMs: 30 * MINUTE,
};

test.each([
  ['3.6 s for an hour, with the windows that ship', 1000, 1800, 1800, SHIPPED, MINUTE],
  ['3.6 s, hardly firing', 150, 100, 3500, {}, M],
  ['24 s', 30, 12_000, 12_000, {}, M],
])(
  'flaps of one every %s, %i of them: somebody is woken, at most four times, and the end is right',
  async (_each, count, firingMs, quietMs, options, minuteMs) => {
    const h = await createPagingHarness({ diagnosisMs: 400, ...options });

    for (let n = 0; n < count; n += 1) await cycle(h, firingMs, quietMs);
    await h.clock.advance(16 * minuteMs);

    expect(h.wakes().length).toBeGreaterThanOrEqual(1);
    expect(h.wakes().length).toBeLessThanOrEqual(4);
    expect(h.openAtPager()).toEqual([]);
    expect((await h.view(1)).incident.state).toBe('resolved');
    expect((await h.view(1)).timeline.length).toBeLessThan(60);
    // Once a minute, and at once what the first cycles and the end change.
    expect(h.cards().length).toBeLessThanOrEqual((count * (firingMs + quietMs)) / M + 30);
  },
  180_000,
);

test('an outage that comes back 6 min after its resolve pages, with the windows that ship', async () => {
  const h = await createPagingHarness(SHIPPED);
  await cycle(h, 10 * MINUTE, 6 * MINUTE);

  await fires(h);
  await h.clock.advance(10 * SECOND);

  expect(h.wakes().map(({ atMs }) => Math.round(atMs / MINUTE))).toEqual([0, 16]);
});

describe('cycles', () => {
  const rule = { cycles: 3, withinMs: 30 * MINUTE, quietMs: 15 * MINUTE };

  test('count ends of firing within the window, and only those', () => {
    let cycles = begun([], 0);
    cycles = ended(cycles, MINUTE);
    cycles = ended(begun(cycles, 2 * MINUTE), 3 * MINUTE);
    cycles = begun(cycles, 4 * MINUTE);
    expect(flaps(cycles, rule, 5 * MINUTE)).toBe(false);

    cycles = ended(cycles, 5 * MINUTE);

    expect(flaps(cycles, rule, 5 * MINUTE)).toBe(true);
    expect(flaps(cycles, rule, 31 * MINUTE)).toBe(false);
  });

  test('an end without a beginning changes nothing', () => {
    expect(ended([], 1)).toEqual([]);
    expect(isQuiet([])).toBe(false);
    expect(lastChangeMs([])).toBeNull();
  });

  test('settling keeps the firing period that runs', () => {
    const cycles = begun(ended(begun([], 1), 2), 3);

    expect(settled(cycles)).toEqual([{ firedAtMs: 3, resolvedAtMs: null }]);
    expect(settled(ended(cycles, 4))).toEqual([]);
  });

  test('stay few, however often it flaps', () => {
    let cycles = begun([], 0);
    for (let n = 1; n < 1000; n += 1) cycles = begun(ended(cycles, n), n);

    expect(cycles.length).toBe(40);
  });
});
