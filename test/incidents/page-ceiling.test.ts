import { describe, expect, test } from 'vitest';
import { MINUTE, SECOND } from '../../src/domain/clock.js';
import { roomUnder } from '../../src/domain/page-ceiling.js';
import { acknowledge, resolve } from '../../src/incidents/change-state.js';
import { anAlert, resolvedCopy } from '../support/build.js';
import { NO_STORM } from '../support/intake-harness.js';
import { CEILINGS, createPagingHarness, M, type PagingHarness } from '../support/paging-harness.js';

/** A critical of a place of its own. */
const problem = (n: number) => anAlert({ labels: { model: `m${n}`, cluster: `c${n}` } });

async function fires(h: PagingHarness, ...numbers: number[]): Promise<void> {
  for (const n of numbers) await h.receive(problem(n));
}

const over = async (h: PagingHarness, ...numbers: number[]) => {
  for (const n of numbers) await h.receive(resolvedCopy(problem(n), h.clock.now()));
};

/** What each page that woke somebody said, and when. */
const wakes = (h: PagingHarness) =>
  h.wakes().map(({ atMs, view }) => `${Math.round(atMs / SECOND)} s: ${named(view).join(' ')}`);

/** The ids that a page names. */
const named = (view: Awaited<ReturnType<PagingHarness['view']>>): string[] =>
  view.umbrella === null ? [`INC-${view.incident.id}`] : view.umbrella.members.map(({ id }) => `INC-${id}`);

const setup = () => createPagingHarness({ storm: NO_STORM });

describe('beyond three pages in 15 min', () => {
  test('the third page is a bundle, which reads as its one member', async () => {
    const h = await setup();
    await fires(h, 1, 2, 3);

    await h.clock.advance(10 * SECOND);

    expect(wakes(h)).toEqual(['0 s: INC-1', '0 s: INC-2', '0 s: INC-3']);
    const third = h.wakes()[2];
    expect(third?.view.incident).toMatchObject({ kind: 'problem', alertName: 'LLMHighTTFT' });
    expect((await h.view(4)).incident.kind).toBe('bundle');
    expect(third?.dedupKey).toBe((await h.view(4)).episode.dedupKey);
  });

  test('a fourth is named on the bundle within a minute, and wakes nobody', async () => {
    const h = await setup();
    await fires(h, 1, 2, 3);
    await h.clock.advance(M);
    await fires(h, 4);

    await h.clock.advance(MINUTE);

    expect(h.wakes()).toHaveLength(3);
    const last = h.calls().at(-1);
    expect(last).toMatchObject({ action: 'trigger', woke: false, dedupKey: h.wakes()[2]?.dedupKey });
    expect(last?.view.umbrella?.members.map(({ id }) => id)).toEqual([3, 5]);
  });

  test('and wakes somebody as soon as there is room, if nobody took it', async () => {
    const h = await setup();
    await fires(h, 1, 2, 3);
    await h.clock.advance(M);
    await fires(h, 4, 5);

    await h.clock.advance(15 * M);

    // Two are waited for, so they are one page.
    expect(wakes(h).slice(3)).toEqual([expect.stringMatching(/^18\d s: INC-5 INC-6$/)]);
  });

  test('not once it is taken with the bundle that named it', async () => {
    const h = await setup();
    await fires(h, 1, 2, 3);
    await h.clock.advance(M);
    await fires(h, 4);
    await h.clock.advance(MINUTE);

    await acknowledge(h.db, { incidentId: 4, actor: 'mia', nowMs: h.clock.now() });
    await h.clock.advance(20 * M);

    expect(h.wakes()).toHaveLength(3);
    expect((await h.view(5)).incident).toMatchObject({ state: 'acknowledged', acknowledgedBy: 'mia' });
    expect((await h.view(3)).incident.state).toBe('acknowledged');
    expect((await h.view(1)).incident.state).toBe('open');
  });

  test('nor once it is over', async () => {
    const h = await setup();
    await fires(h, 1, 2, 3);
    await h.clock.advance(M);
    await fires(h, 4);
    await h.clock.advance(M);

    await over(h, 4);
    await h.clock.advance(20 * M);

    expect(h.wakes()).toHaveLength(3);
  });

  test('acknowledging each member acknowledges the page that named them', async () => {
    const h = await setup();
    await fires(h, 1, 2, 3);
    await h.clock.advance(10 * SECOND);

    await acknowledge(h.db, { incidentId: 3, actor: 'mia', nowMs: h.clock.now() });
    await h.clock.advance(5 * SECOND);

    const bundle = h.wakes()[2]?.dedupKey;
    expect(
      h
        .calls()
        .filter(({ action }) => action === 'acknowledge')
        .map(({ dedupKey }) => dedupKey),
    ).toEqual([bundle]);
    expect((await h.view(4)).incident).toMatchObject({ state: 'acknowledged', acknowledgedBy: 'mia' });
  });

  test('the bundle ends with the last of its members, after their hold', async () => {
    const h = await setup();
    await fires(h, 1, 2, 3);
    await h.clock.advance(M);
    await fires(h, 4);
    await h.clock.advance(16 * M);
    await over(h, 3);
    await h.clock.advance(10 * M);
    await over(h, 1, 2, 4);
    await h.clock.advance(4 * M);
    expect(h.openAtPager().length).toBeGreaterThan(0);

    await h.clock.advance(2 * M);

    expect(h.openAtPager()).toEqual([]);
    expect(h.calls().filter(({ action }) => action === 'resolve')).toHaveLength(h.wakes().length);
  });

  test('a member that fires again within the hold is on the page that stands', async () => {
    const h = await setup();
    await fires(h, 1, 2, 3);
    await h.clock.advance(20 * M);
    await over(h, 3);
    await h.clock.advance(3 * M);
    await h.receive(anAlert({ labels: { model: 'm3', cluster: 'c3' }, startsAtMs: h.clock.now() }));

    await h.clock.advance(10 * M);

    expect(h.wakes()).toHaveLength(3);
    expect(h.openAtPager()).toContain(h.wakes()[2]?.dedupKey);
  });

  test('one that fires again after the page is closed pages anew', async () => {
    const h = await setup();
    await fires(h, 1, 2, 3);
    await h.clock.advance(16 * M);
    await over(h, 3);
    await h.clock.advance(6 * M);
    await h.receive(anAlert({ labels: { model: 'm3', cluster: 'c3' }, startsAtMs: h.clock.now() }));

    await h.clock.advance(10 * SECOND);

    expect(h.wakes()).toHaveLength(4);
  });

  test('while there is no room the bundle stays, so that whoever comes is named', async () => {
    const h = await setup();
    await fires(h, 1, 2, 3);
    await h.clock.advance(10 * SECOND);
    await over(h, 3);
    await h.clock.advance(7 * M);
    expect(h.openAtPager()).toContain(h.wakes()[2]?.dedupKey);

    await fires(h, 4);
    await h.clock.advance(10 * SECOND);

    expect(h.calls().at(-1)).toMatchObject({ woke: false, dedupKey: h.wakes()[2]?.dedupKey });
    expect(named(h.calls().at(-1)?.view ?? (await h.view(1)))).toEqual(['INC-5', 'INC-3']);
  });

  test('a person who closes the bundle hands its members over as taken; what comes then pages at once', async () => {
    const h = await setup();
    await fires(h, 1, 2, 3);
    await h.clock.advance(10 * SECOND);

    await resolve(h.db, { incidentId: 4, actor: 'mia', nowMs: h.clock.now() });
    await h.clock.advance(5 * SECOND);
    expect((await h.view(3)).incident.state).toBe('acknowledged');
    await fires(h, 4);
    await h.clock.advance(10 * SECOND);

    expect(h.wakes()).toHaveLength(4);
    expect(h.wakes()[3]?.view.incident.id).toBe(5);
  });
});

test('beyond seven in an hour the seventh is a bundle, and takes in the rest of the hour', async () => {
  const h = await setup();
  let n = 0;
  for (let quarter = 0; quarter < 3; quarter += 1) {
    await fires(h, ++n, ++n, ++n);
    await h.clock.advance(16 * M);
  }
  await fires(h, ++n);
  await h.clock.advance(M);

  expect(h.wakes()).toHaveLength(7);
  expect(h.calls().at(-1)).toMatchObject({ woke: false });
});

test('what waits for the pager counts: after its outage there is no burst', async () => {
  const h = await setup();
  h.pagerAnswers(() => ({ kind: 'retry', reason: 'server_error', detail: 'HTTP 503' }));
  await fires(h, 1, 2, 3);
  await h.clock.advance(20 * M);
  await fires(h, 4, 5, 6);
  await h.clock.advance(20 * M);

  h.pagerAnswers(() => null);
  await h.clock.advance(2 * M);

  expect(h.wakes()).toHaveLength(3);
  expect(new Set(h.calls().flatMap(({ view }) => named(view)))).toEqual(
    new Set(['INC-1', 'INC-2', 'INC-3', 'INC-5', 'INC-6', 'INC-7']),
  );
});

test('the count outlives the process', async () => {
  const h = await setup();
  await fires(h, 1, 2);
  await h.clock.advance(10 * SECOND);
  await h.restart();

  await fires(h, 3, 4);
  await h.clock.advance(MINUTE);

  expect(h.wakes()).toHaveLength(3);
  expect(named(h.calls().at(-1)?.view ?? (await h.view(1)))).toEqual(['INC-3', 'INC-4']);
});

test('a severity that rises is a new critical like any other', async () => {
  const h = await setup();
  await h.receive(anAlert({ severity: 'warning', labels: { model: 'm4', cluster: 'c4', instance: 'a' } }));
  await fires(h, 1, 2, 3);
  await h.clock.advance(10 * SECOND);

  await h.receive(anAlert({ labels: { model: 'm4', cluster: 'c4', instance: 'b' } }));
  await h.clock.advance(MINUTE);

  expect(h.wakes()).toHaveLength(3);
  expect(named(h.calls().at(-1)?.view ?? (await h.view(1)))).toContain('INC-1');
});

test('room', () => {
  const at = (...minutes: number[]) => minutes.map((minute) => minute * M);
  const room = (paged: number[], nowMinute: number) => roomUnder(CEILINGS, paged, nowMinute * M);

  expect(room([], 0)).toBe('alone');
  expect(room(at(0), 1)).toBe('alone');
  expect(room(at(0, 1), 2)).toBe('bundle');
  expect(room(at(0, 1, 2), 3)).toBe('none');
  expect(room(at(0, 1, 2), 15)).toBe('bundle');
  expect(room(at(0, 1, 2), 17)).toBe('alone');
  expect(room(at(0, 1, 2, 16, 17, 18), 34)).toBe('bundle');
  expect(room(at(0, 1, 2, 16, 17, 18, 34), 50)).toBe('none');
});
