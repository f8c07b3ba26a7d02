/** Whatever happens: at most 3 pages in 15 min and 7 an hour, and every critical is named in some page within a minute. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MINUTE, SECOND } from '../../src/domain/clock.js';
import { anAlert, resolvedCopy } from '../support/build.js';
import { CEILINGS, createPagingHarness, M, type PagingHarness } from '../support/paging-harness.js';

const SEEDS = Number(process.env.WAKEWELL_SEEDS ?? 12);

type Step =
  | {
      readonly kind: 'fire' | 'resolve';
      readonly n: number;
      readonly cluster: number;
      readonly critical: boolean;
    }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'restart' };

const place = { n: fc.integer({ min: 0, max: 11 }), cluster: fc.integer({ min: 0, max: 2 }) };
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('fire' as const), ...place, critical: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('resolve' as const), ...place, critical: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 100, max: 3 * M }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
);

const alertOf = (h: PagingHarness, { n, cluster, critical }: Extract<Step, { n: number }>) =>
  anAlert({
    severity: critical ? 'critical' : 'warning',
    startsAtMs: h.clock.now(),
    labels: { model: `m${n}`, cluster: `c${cluster}` },
  });

/** Criticals that stand untaken, whose page no accepted message has named for more than a minute. */
async function unnamed(h: PagingHarness): Promise<number[]> {
  const rows = await h.db.kysely
    .selectFrom('notifications as n')
    .innerJoin('incidents as i', 'i.id', 'n.incident_id')
    .select(['i.id'])
    .whereRef('i.episode_id', '=', 'n.episode_id')
    .where('n.purpose', '=', 'page')
    .where('i.state', '=', 'open')
    .where('n.state', '<>', 'sent')
    .where('n.listed_at', 'is', null)
    .where('n.created_at', '<', h.clock.now() - MINUTE)
    .execute();
  return rows.map((row) => row.id);
}

async function play(steps: readonly Step[]): Promise<void> {
  const h = await createPagingHarness();
  for (const one of steps) {
    if (one.kind === 'fire') await h.receive(alertOf(h, one));
    else if (one.kind === 'resolve') await h.receive(resolvedCopy(alertOf(h, one), h.clock.now()));
    else if (one.kind === 'pass') await h.clock.advance(one.ms);
    else await h.restart();
    expect(await unnamed(h)).toEqual([]);
  }
  await h.clock.advance(MINUTE + 5 * SECOND);
  expect(await unnamed(h)).toEqual([]);
  const wakes = h.wakes().map(({ atMs }) => atMs);
  for (const { pages, withinMs } of CEILINGS) {
    for (const from of wakes) {
      expect(wakes.filter((at) => at >= from && at < from + withinMs).length).toBeLessThanOrEqual(pages);
    }
  }
}

test('any sequence', async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), play), {
    numRuns: SEEDS,
    endOnFailure: true,
  });
}, 300_000);
