import { describe, expect, test } from 'vitest';
import { MINUTE, SECOND } from '../../src/domain/clock.js';
import type { Severity } from '../../src/domain/severity.js';
import { acknowledge, resolve } from '../../src/incidents/change-state.js';
import { renderPagerDutyTrigger } from '../../src/render/page.js';
import { renderSlackCard } from '../../src/render/slack-card.js';
import { anAlert, resolvedCopy } from '../support/build.js';
import { createPagingHarness, M, type PagingHarness } from '../support/paging-harness.js';

/** A problem of a model of its own, all in one cluster. */
const problem = (n: number, severity: Severity = 'critical', labels: Record<string, string> = {}) =>
  anAlert({ severity, labels: { model: `m${n}`, ...labels } });

async function fires(
  h: PagingHarness,
  from: number,
  to: number,
  severity: Severity = 'critical',
): Promise<void> {
  for (let n = from; n <= to; n += 1) await h.receive(problem(n, severity));
}

async function over(h: PagingHarness, from: number, to: number): Promise<void> {
  for (let n = from; n <= to; n += 1) await h.receive(resolvedCopy(problem(n), h.clock.now()));
}

const seconds = (h: PagingHarness) => h.wakes().map(({ atMs }) => Math.round(atMs / SECOND));
const umbrellaOf = async (h: PagingHarness) => {
  const row = await h.db.kysely
    .selectFrom('incidents')
    .select('id')
    .where('kind', '=', 'storm')
    .executeTakeFirstOrThrow();
  return h.view(row.id);
};
const page = (h: PagingHarness, n: number) => {
  const call = h.calls()[n];
  if (call === undefined) throw new Error(`there is no call ${n}`);
  return renderPagerDutyTrigger(call.view, { routingKey: 'r'.repeat(32), publicUrl: null });
};

describe('more than five new incidents of one cluster within two minutes', () => {
  test('in one body: one page within 5 s names all of them, one card, nothing else', async () => {
    const h = await createPagingHarness();
    await h.receive(...Array.from({ length: 12 }, (_, n) => problem(n)));

    await h.clock.advance(20 * SECOND);

    expect(h.calls()).toHaveLength(1);
    expect(h.calls()[0]?.atMs).toBeLessThanOrEqual(5 * SECOND);
    expect(page(h, 0).payload).toMatchObject({
      summary: 'CRIT 12 incidents prod-us. LLMHighTTFT × 12. INC-1',
      custom_details: {
        alerts: '12 incidents, 12 of them stand, 12 critical: LLMHighTTFT × 12',
        'LLMHighTTFT (12)': 'INC-2 to INC-13',
      },
    });
    expect(new Set(h.cards().map(({ incidentId }) => incidentId))).toEqual(new Set([1]));
    expect((await h.view(5)).incident).toMatchObject({ stormId: 1, flags: { inStorm: true } });
    expect((await h.view(5)).pagedReceivers).toEqual(['pager']);
    expect((await h.view(5)).timeline.map(({ text }) => text)).toContain(
      'Page to pager: named in the page of INC-1',
    );
  });

  test('one after the other: the first are paged, the sixth begins the storm, which names the paged ones too', async () => {
    const h = await createPagingHarness();
    for (let n = 1; n <= 7; n += 1) {
      await fires(h, n, n);
      await h.clock.advance(SECOND);
    }
    await h.clock.advance(MINUTE);

    const umbrella = await umbrellaOf(h);
    expect(umbrella.umbrella).toMatchObject({ memberCount: 7, criticalCount: 7 });
    // Three pages in all: two by themselves, the third a bundle, which takes in what the ceiling leaves no room for.
    expect(h.wakes()).toHaveLength(3);
    const said = h.calls().at(-1)?.view;
    expect(said?.umbrella?.groups[0]?.ids).toBe('INC-1 to INC-3, INC-5, INC-6, INC-8, INC-9');
  });

  test('warnings only: one card and no page; the first critical of the storm is paged within 5 s', async () => {
    const h = await createPagingHarness();
    await fires(h, 1, 8, 'warning');
    await h.clock.advance(10 * SECOND);
    expect(h.calls()).toEqual([]);

    await fires(h, 9, 9);
    await h.clock.advance(5 * SECOND);

    expect(h.wakes()).toHaveLength(1);
    expect(h.wakes()[0]?.view.umbrella?.members[0]).toMatchObject({
      alertName: 'LLMHighTTFT',
      severity: 'critical',
    });
  });

  test('five are no storm, nor six in two clusters, nor infos', async () => {
    const h = await createPagingHarness();
    await fires(h, 1, 5, 'warning');
    for (let n = 0; n < 5; n += 1) await h.receive(problem(n, 'warning', { cluster: 'other' }));
    for (let n = 0; n < 9; n += 1) await h.receive(problem(n, 'info', { cluster: 'third' }));

    expect(await h.db.kysely.selectFrom('storms').selectAll().execute()).toEqual([]);
  });

  test('nor six in more than two minutes', async () => {
    const h = await createPagingHarness();
    for (let n = 1; n <= 9; n += 1) {
      await fires(h, n, n, 'warning');
      await h.clock.advance(M / 2);
    }

    expect(await h.db.kysely.selectFrom('storms').selectAll().execute()).toEqual([]);
  });

  test('where no cluster is named, it is one a source', async () => {
    const h = await createPagingHarness();
    for (let n = 1; n <= 6; n += 1) await h.receive(problem(n, 'warning', { cluster: '' }));

    expect((await umbrellaOf(h)).umbrella?.memberCount).toBe(6);
  });
});

describe('while a storm is on', () => {
  async function storm(): Promise<PagingHarness> {
    const h = await createPagingHarness();
    await h.receive(...Array.from({ length: 6 }, (_, n) => problem(n + 1)));
    await h.clock.advance(10 * SECOND);
    return h;
  }

  test('what joins is named within a minute and wakes nobody', async () => {
    const h = await storm();
    await fires(h, 7, 9);

    await h.clock.advance(MINUTE);

    expect(seconds(h)).toEqual([2]);
    expect(h.calls()).toHaveLength(2);
    expect(page(h, 1).payload.custom_details).toMatchObject({ 'LLMHighTTFT (9)': 'INC-2 to INC-10' });
  });

  test('and after 15 min it pages again, under a new key, the old page being closed', async () => {
    const h = await storm();
    await fires(h, 7, 9);

    await h.clock.advance(16 * M);

    const [first, second] = h.wakes();
    expect(h.wakes()).toHaveLength(2);
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(15 * M);
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeLessThanOrEqual(15 * M + 5 * SECOND);
    expect(second?.dedupKey).not.toBe(first?.dedupKey);
    expect(h.openAtPager()).toEqual([second?.dedupKey]);
  });

  test('not where nothing joined, however long it burns', async () => {
    const h = await storm();

    await h.clock.advance(40 * M);

    expect(h.wakes()).toHaveLength(1);
  });

  test('nor where what joined was taken with the umbrella', async () => {
    const h = await storm();
    await fires(h, 7, 9);
    await h.clock.advance(MINUTE);
    const { incident } = await umbrellaOf(h);
    await acknowledge(h.db, {
      incidentId: incident.id,
      actor: 'mia',
      via: 'PagerDuty',
      nowMs: h.clock.now(),
    });

    await h.clock.advance(30 * M);

    expect(h.wakes()).toHaveLength(1);
    expect((await h.view(10)).incident).toMatchObject({ state: 'acknowledged', acknowledgedBy: 'mia' });
    expect((await h.view(10)).timeline.findLast(({ kind }) => kind === 'acknowledged')).toMatchObject({
      text: `Acknowledged with INC-${incident.id}`,
      via: 'PagerDuty',
    });
  });

  test('what joins after it was taken is not taken, and wakes somebody', async () => {
    const h = await storm();
    const { incident } = await umbrellaOf(h);
    await acknowledge(h.db, { incidentId: incident.id, actor: 'mia', nowMs: h.clock.now() });
    await fires(h, 7, 7);

    await h.clock.advance(16 * M);

    expect((await h.view(8)).incident.state).toBe('open');
    expect(h.wakes()).toHaveLength(2);
  });

  test('its card is brought up to date once a minute', async () => {
    const h = await storm();
    const before = h.cards().length;

    for (let n = 7; n < 37; n += 1) {
      await fires(h, n, n);
      await h.clock.advance(2 * SECOND);
    }

    expect(h.cards().length - before).toBeLessThanOrEqual((60 * SECOND) / M + 1);
    expect(new Set(h.cards().map(({ incidentId }) => incidentId))).toEqual(new Set([1]));
  });

  test('a critical of another cluster is paged as ever', async () => {
    const h = await storm();

    await h.receive(problem(1, 'critical', { cluster: 'other' }));
    await h.clock.advance(5 * SECOND);

    expect(h.wakes()).toHaveLength(2);
    expect(h.wakes()[1]?.view.incident.scope).toMatchObject({ cluster: 'other' });
  });

  test('the process dies in the middle: everybody is named once it is back, nobody is woken twice', async () => {
    const h = await createPagingHarness();
    await h.receive(...Array.from({ length: 8 }, (_, n) => problem(n + 1)));
    await h.restart();
    await h.clock.advance(5 * SECOND);
    await fires(h, 9, 12);
    await h.restart();
    await h.clock.advance(MINUTE);

    expect(h.wakes()).toHaveLength(1);
    expect(h.calls().at(-1)?.view.umbrella?.groups[0]?.ids).toBe('INC-2 to INC-13');
    const unnamed = await h.db.kysely
      .selectFrom('notifications')
      .selectAll()
      .where('purpose', '=', 'page')
      .where('state', '=', 'withheld')
      .where('listed_at', 'is', null)
      .execute();
    expect(unnamed).toEqual([]);
  });

  test('the pager fails: the umbrella is tried again, and nobody goes unnamed', async () => {
    const h = await createPagingHarness();
    h.pagerAnswers(() => ({ kind: 'retry', reason: 'server_error', detail: 'HTTP 503' }));
    await h.receive(...Array.from({ length: 6 }, (_, n) => problem(n + 1)));
    await h.clock.advance(MINUTE);
    await fires(h, 7, 9);
    await h.clock.advance(MINUTE);

    h.pagerAnswers(() => null);
    await h.clock.advance(2 * MINUTE);

    expect(h.wakes()).toHaveLength(1);
    expect(h.wakes()[0]?.view.umbrella?.groups[0]?.ids).toBe('INC-2 to INC-10');
  });

  test('a severity that rises in it is named like what joins', async () => {
    const h = await storm();
    await h.receive(problem(20, 'warning', { instance: 'a' }));
    await h.clock.advance(MINUTE);

    await h.receive(problem(20, 'critical', { instance: 'b' }));
    await h.clock.advance(MINUTE);

    expect(h.wakes()).toHaveLength(1);
    expect(h.calls().at(-1)?.view.umbrella?.criticalCount).toBe(7);
  });

  test('beyond the page ceiling its page is named in the bundle that stands, with all it speaks for', async () => {
    const h = await createPagingHarness();
    for (const cluster of ['a', 'b', 'c']) await h.receive(problem(1, 'critical', { cluster }));
    await h.clock.advance(SECOND);
    await h.receive(...Array.from({ length: 6 }, (_, n) => problem(n + 1)));

    await h.clock.advance(MINUTE);

    expect(h.wakes()).toHaveLength(3);
    const groups = h.calls().at(-1)?.view.umbrella?.groups ?? [];
    expect(groups.map(({ ids }) => ids)).toEqual(['INC-3, INC-6 to INC-11']);
  });
});

describe('when a storm has passed', () => {
  test('10 quiet minutes end it; what stands gets a card of its own and is paged no second time', async () => {
    const h = await createPagingHarness();
    await h.receive(...Array.from({ length: 6 }, (_, n) => problem(n + 1)));
    await h.clock.advance(M);
    await over(h, 1, 4);

    await h.clock.advance(11 * M);

    expect(h.wakes()).toHaveLength(1);
    expect((await h.view(6)).incident.flags.inStorm).toBe(false);
    expect([...new Set(h.cards().map(({ incidentId }) => incidentId))]).toEqual([1, 6, 7]);
    expect((await umbrellaOf(h)).timeline.map(({ text }) => text)).toContain(
      'The storm is over: nothing new for 2m',
    );
    expect(h.openAtPager()).toHaveLength(1);
  });

  test('its page is closed when all it spoke for is over, after the hold', async () => {
    const h = await createPagingHarness();
    await h.receive(...Array.from({ length: 6 }, (_, n) => problem(n + 1)));
    await h.clock.advance(12 * M);
    await over(h, 1, 6);
    await h.clock.advance(4 * M);
    expect(h.openAtPager()).toHaveLength(1);

    await h.clock.advance(2 * M);

    expect(h.openAtPager()).toEqual([]);
    expect((await umbrellaOf(h)).incident.state).toBe('resolved');
    expect(h.calls().map(({ action }) => action)).toEqual(['trigger', 'resolve']);
  });

  test('what fires again later pages by itself', async () => {
    const h = await createPagingHarness();
    await h.receive(...Array.from({ length: 6 }, (_, n) => problem(n + 1)));
    await h.clock.advance(12 * M);
    await over(h, 1, 6);
    await h.clock.advance(7 * M);

    await h.receive(anAlert({ labels: { model: 'm3' }, startsAtMs: h.clock.now() }));
    await h.clock.advance(10 * SECOND);

    expect(h.wakes()).toHaveLength(2);
    expect(h.wakes()[1]?.view.incident).toMatchObject({ id: 4, kind: 'problem' });
  });

  test('a person who closes the umbrella ends it: what stood is theirs, what comes begins anew', async () => {
    const h = await createPagingHarness();
    await h.receive(...Array.from({ length: 6 }, (_, n) => problem(n + 1)));
    await h.clock.advance(10 * SECOND);
    await resolve(h.db, { incidentId: 1, actor: 'mia', nowMs: h.clock.now() });
    await h.clock.advance(3 * SECOND);

    expect((await h.view(3)).incident).toMatchObject({ state: 'acknowledged', flags: { inStorm: false } });
    await h.clock.advance(3 * M);
    await fires(h, 9, 9);
    await h.clock.advance(5 * SECOND);
    expect(h.wakes()).toHaveLength(2);
    expect(h.wakes()[1]?.view.incident.kind).toBe('problem');
  });

  test('a clock set back ends it rather than keeping it for ever', async () => {
    const h = await createPagingHarness();
    await h.receive(...Array.from({ length: 6 }, (_, n) => problem(n + 1)));
    await h.clock.advance(10 * SECOND);

    h.clock.setWall(h.clock.now() - 60 * MINUTE);
    await h.clock.advance(3 * SECOND);

    expect((await h.view(3)).incident.flags.inStorm).toBe(false);
  });
});

describe('what most of a storm share', () => {
  test('a node, since it is upstream of everything on it', async () => {
    const h = await createPagingHarness();
    await h.receive(
      ...Array.from({ length: 7 }, (_, n) => problem(n, 'critical', { node: 'gpu-17' })),
      ...Array.from({ length: 2 }, (_, n) => problem(n + 7, 'critical', { node: `gpu-${n}` })),
    );
    await h.clock.advance(5 * SECOND);

    expect(page(h, 0).payload).toMatchObject({
      summary: 'CRIT 9 incidents prod-us. node gpu-17: 7 of 9. INC-1',
      custom_details: { verdict: 'Shared by most: node gpu-17 (explains 7 of 9)' },
    });
  });

  test('a diagnosed cause, counting whom it explains', async () => {
    const h = await createPagingHarness({
      verdict: ({ incident }) =>
        incident.alertName === 'LLMHighTTFT'
          ? {
              cause: 'router',
              says: 'The router lost its workers',
              explains: ['LLMHighTTFT', 'LLMHighErrorRate'],
            }
          : { cause: null, confidence: 'none', explains: [] },
    });
    await h.receive(
      ...Array.from({ length: 5 }, (_, n) => problem(n)),
      ...Array.from({ length: 2 }, (_, n) => problem(n + 10, 'critical', { alertname: 'LLMHighErrorRate' })),
      ...Array.from({ length: 3 }, (_, n) => problem(n + 20, 'critical', { alertname: 'DiskFull' })),
    );
    await h.clock.advance(M);

    const { umbrella } = await umbrellaOf(h);
    expect(umbrella?.shared).toEqual({ says: 'The router lost its workers', count: 7, of: 10 });
    expect(JSON.stringify(renderSlackCard(await umbrellaOf(h), { publicUrl: null }).blocks)).toContain(
      'Shared by most: The router lost its workers',
    );
  });

  test('nothing, and says so', async () => {
    const h = await createPagingHarness();
    await h.receive(
      ...Array.from({ length: 6 }, (_, n) => problem(n, 'critical', { alertname: `Alert${n}` })),
    );
    await h.clock.advance(5 * SECOND);

    expect(page(h, 0).payload.custom_details).toMatchObject({
      verdict: 'Cause unclear: nothing was seen that most of them share (6 alert names)',
    });
  });
});
