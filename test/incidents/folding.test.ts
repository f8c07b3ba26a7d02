import { describe, expect, test } from 'vitest';
import { MINUTE, SECOND } from '../../src/domain/clock.js';
import type { Severity } from '../../src/domain/severity.js';
import { reopen } from '../../src/incidents/change-state.js';
import { anAlert, resolvedCopy } from '../support/build.js';
import { createIntakeHarness, type IntakeHarness } from '../support/intake-harness.js';

const errors = (severity: Severity = 'critical') => anAlert({ name: 'LLMHighErrorRate', severity });
const kv = (severity: Severity = 'warning') => anAlert({ name: 'LLMKVCachePressure', severity });
const gpu = (severity: Severity = 'critical') => anAlert({ name: 'GPUFellOffTheBus', severity });

const GPU_LOST = {
  cause: 'gpu_lost',
  says: 'A GPU fell off the bus',
  explains: ['LLMHighErrorRate', 'LLMHighTTFT'],
};
const ALONE = { cause: 'bad_input', says: 'Requests are malformed', explains: ['LLMHighErrorRate'] };

/** Pages that were sent or will be: what somebody is woken by. */
async function pages(h: IntakeHarness): Promise<string[]> {
  const rows = await h.db.kysely
    .selectFrom('notifications')
    .select(['incident_id', 'purpose', 'receiver', 'state'])
    .where('purpose', 'in', ['page', 'page_resolve'])
    .where('state', '<>', 'dropped')
    .orderBy('id')
    .execute();
  return rows.map((row) => `${row.purpose} INC-${row.incident_id} ${row.state}`);
}

const states = async (h: IntakeHarness) => {
  const rows = await h.db.kysely.selectFrom('incidents').selectAll().orderBy('id').execute();
  return rows.map((row) => `${row.state}${row.folded_into === null ? '' : ` in INC-${row.folded_into}`}`);
};

const firing = async (h: IntakeHarness, id: number) =>
  (await h.view(id)).alerts.filter(({ status }) => status === 'firing').map(({ name }) => name);

describe('a diagnosed cause that explains another incident', () => {
  test('folds the new one into the one that woke somebody: its own page never leaves', async () => {
    const h = createIntakeHarness();
    await h.receive(errors());
    await h.clock.advance(MINUTE);
    await h.deliverDue();
    await h.receive(gpu());

    await h.conclude(2, GPU_LOST);

    expect(await states(h)).toEqual(['open', 'resolved in INC-1']);
    expect(await firing(h, 1)).toEqual(['LLMHighErrorRate', 'GPUFellOffTheBus']);
    expect(await pages(h)).toEqual(['page INC-1 sent']);
    expect((await h.view(1)).diagnosis?.verdict.cause).toBe('gpu_lost');
    expect(await h.story(1)).toContain(
      'folded: INC-2 folded in (GPUFellOffTheBus, 1 alert): A GPU fell off the bus explains it',
    );
    expect(await h.story(2)).toContain('folded: Folded into INC-1: A GPU fell off the bus explains it');
  });

  test('with both pages out, that of the folded one is closed at once and the other stands', async () => {
    const h = createIntakeHarness();
    await h.receive(errors());
    await h.receive(gpu());
    await h.clock.advance(MINUTE);
    await h.deliverDue();

    await h.conclude(2, GPU_LOST);

    expect(await pages(h)).toEqual(['page INC-1 sent', 'page INC-2 sent', 'page_resolve INC-2 queued']);
    expect(await h.outbox()).toContain('page_resolve pager queued +0');
  });

  test('a warning that explains a critical whose page waits: one page, of the critical, goes at once', async () => {
    const h = createIntakeHarness();
    await h.receive(gpu('warning'));
    await h.receive(errors());

    await h.conclude(1, GPU_LOST);

    expect(await states(h)).toEqual(['resolved in INC-2', 'open']);
    expect(await pages(h)).toEqual(['page INC-2 queued']);
    expect(await h.outbox()).toContain('page pager queued +0');
  });

  test('a warning that somebody took and a critical that is folded into it: the critical pages', async () => {
    const h = createIntakeHarness();
    await h.receive(gpu('warning'));
    await h.receive(errors('warning'));
    await h.clock.advance(MINUTE);
    await h.deliverDue();
    await h.db.kysely
      .updateTable('incidents')
      .set({ state: 'acknowledged', acknowledged_at: h.clock.now(), acknowledged_by: 'mia' })
      .where('id', '=', 1)
      .execute();
    await h.receive(anAlert({ name: 'LLMHighErrorRate', labels: { instance: 'b' } }));
    await h.db.kysely
      .updateTable('notifications')
      .set({ state: 'dropped' })
      .where('purpose', '=', 'page')
      .execute();

    await h.conclude(1, GPU_LOST);

    expect(await states(h)).toEqual(['open', 'resolved in INC-1']);
    expect((await h.view(1)).incident).toMatchObject({ severity: 'critical', acknowledgedBy: null });
    expect(await pages(h)).toEqual(['page INC-1 queued']);
  });

  test('what is taken stays taken: folding wakes nobody', async () => {
    const h = createIntakeHarness();
    await h.receive(errors());
    await h.clock.advance(MINUTE);
    await h.deliverDue();
    await h.db.kysely.updateTable('incidents').set({ state: 'acknowledged', acknowledged_at: 1 }).execute();
    await h.receive(gpu());

    await h.conclude(2, GPU_LOST);

    expect(await states(h)).toEqual(['acknowledged', 'resolved in INC-1']);
    expect(await pages(h)).toEqual(['page INC-1 sent']);
  });

  test('an incident that could not be explained is folded into the one that explains it', async () => {
    const h = createIntakeHarness();
    await h.receive(gpu());
    await h.conclude(1, { ...GPU_LOST, explains: ['GPUFellOffTheBus'] });
    await h.receive(errors());
    await h.db.kysely
      .updateTable('incidents')
      .set({ sure_verdict: JSON.stringify({ ...GPU_LOST, confidence: 'high' }) })
      .where('id', '=', 1)
      .execute();

    await h.conclude(2, { cause: null, confidence: 'none', explains: [] });

    expect(await states(h)).toEqual(['open', 'resolved in INC-1']);
  });

  test('later alerts of both go to the one that goes on, and its end is the end', async () => {
    const h = createIntakeHarness();
    await h.receive(errors());
    await h.receive(gpu());
    await h.conclude(2, GPU_LOST);
    await h.clock.advance(MINUTE);

    expect(await h.receive(errors(), gpu())).toMatchObject({ repeated: 2, incidentIds: [1] });
    await h.receive(resolvedCopy(errors(), h.clock.now()));
    expect((await h.view(1)).incident.state).toBe('open');
    await h.receive(resolvedCopy(gpu(), h.clock.now()));

    expect(await states(h)).toEqual(['resolved', 'resolved in INC-1']);
  });

  test('and when they fire again it is the one that went on which is reopened', async () => {
    const h = createIntakeHarness();
    await h.receive(errors());
    await h.receive(gpu());
    await h.conclude(2, GPU_LOST);
    await h.clock.advance(MINUTE);
    await h.receive(resolvedCopy(errors(), h.clock.now()), resolvedCopy(gpu(), h.clock.now()));
    await h.clock.advance(10 * MINUTE);

    const outcome = await h.receive(anAlert({ name: 'GPUFellOffTheBus', startsAtMs: h.clock.now() }));

    expect(outcome).toMatchObject({ incidentIds: [1], opened: 1 });
  });

  test('a person cannot reopen what goes on elsewhere, and is told where', async () => {
    const h = createIntakeHarness();
    await h.receive(errors());
    await h.receive(gpu());
    await h.conclude(2, GPU_LOST);

    const result = await reopen(
      h.db,
      { incidentId: 2, actor: 'mia', nowMs: h.clock.now() },
      { pageDeadlineMs: 5 * SECOND },
    );

    expect(result).toMatchObject({ kind: 'illegal', message: 'it goes on as INC-1: reopen that one' });
  });
});

describe('nothing is folded', () => {
  test.each([
    ['on one signal only', { ...GPU_LOST, confidence: 'low' as const }],
    ['by a cause that is unclear', { ...GPU_LOST, cause: null }],
    ['where only some of what fires is explained', { ...GPU_LOST, explains: ['LLMHighTTFT'] }],
  ])('%s', async (_why, verdict) => {
    const h = createIntakeHarness();
    await h.receive(errors());
    await h.receive(gpu());

    await h.conclude(2, verdict);

    expect(await states(h)).toEqual(['open', 'open']);
  });

  test('where the other has a cause of its own, found as surely', async () => {
    const h = createIntakeHarness();
    await h.receive(errors());
    await h.conclude(1, ALONE);
    await h.receive(gpu());

    await h.conclude(2, GPU_LOST);

    expect(await states(h)).toEqual(['open', 'open']);
  });

  test('of another model, or of two places at once', async () => {
    const h = createIntakeHarness();
    const everywhere = { cluster: '', namespace: '' };
    await h.receive(anAlert({ name: 'LLMHighErrorRate', labels: { model: 'mixtral' } }));
    await h.receive(anAlert({ name: 'LLMHighErrorRate', labels: { cluster: 'a' } }));
    await h.receive(anAlert({ name: 'LLMHighErrorRate', labels: { cluster: 'b' } }));
    await h.receive(anAlert({ name: 'GPUFellOffTheBus', labels: everywhere }));

    await h.conclude(4, GPU_LOST);

    expect(await states(h)).toEqual(['open', 'open', 'open', 'open']);
  });

  test('into what is silenced, nor out of it', async () => {
    const h = createIntakeHarness();
    await h.receive(errors());
    await h.receive(gpu());
    await h.db.kysely.updateTable('incidents').set({ silenced: 1 }).where('id', '=', 1).execute();

    await h.conclude(2, GPU_LOST);

    expect(await states(h)).toEqual(['open', 'open']);
  });
});

describe('a later diagnosis that refutes the cause', () => {
  const queue = (severity: Severity = 'critical') => anAlert({ name: 'LLMQueueBuildup', severity });
  const KV_FULL = { cause: 'kv_full', confidence: 'medium' as const, explains: ['LLMQueueBuildup'] };
  const HOT = { cause: 'hot_worker', says: 'One worker is hot', explains: ['LLMKVCachePressure'] };

  test('gives what it does not explain an incident of its own, which pages if it is critical', async () => {
    const h = createIntakeHarness();
    await h.receive(kv('critical'));
    await h.conclude(1, KV_FULL);
    await h.receive(queue());
    await h.clock.advance(MINUTE);
    await h.deliverDue();

    await h.conclude(1, HOT, 'joined');

    expect(await states(h)).toEqual(['open', 'open']);
    expect(await firing(h, 1)).toEqual(['LLMKVCachePressure']);
    expect(await firing(h, 2)).toEqual(['LLMQueueBuildup']);
    expect(await pages(h)).toEqual(['page INC-1 sent', 'page INC-2 queued']);
    expect(await h.story(1)).toContain(
      'unfolded: LLMQueueBuildup goes on as INC-2: the cause now found (One worker is hot) does not explain it',
    );
    expect(await h.story(2)).toContain(
      'unfolded: Was part of INC-1 until the cause now found (One worker is hot) did not explain it',
    );
    const keys = await h.db.kysely.selectFrom('episodes').select('dedup_key').execute();
    expect(new Set(keys.map((row) => row.dedup_key)).size).toBe(2);
  });

  test('lets the part that nobody was woken for leave, and the page stays with what it was for', async () => {
    const h = createIntakeHarness();
    await h.receive(kv('warning'));
    await h.receive(queue('critical'));
    await h.clock.advance(MINUTE);
    await h.deliverDue();

    await h.conclude(1, HOT);

    expect(await firing(h, 1)).toEqual(['LLMQueueBuildup']);
    expect(await firing(h, 2)).toEqual(['LLMKVCachePressure']);
    expect((await h.view(1)).incident).toMatchObject({ alertName: 'LLMQueueBuildup', severity: 'critical' });
    expect((await h.view(2)).incident.severity).toBe('warning');
    expect(await pages(h)).toEqual(['page INC-1 sent']);
    expect(await h.work()).toContain('asked INC-1 queued');
  });

  test('that is no surer than the one before changes nothing', async () => {
    const h = createIntakeHarness();
    await h.receive(kv());
    await h.conclude(1, { ...KV_FULL, confidence: 'high' });
    await h.receive(queue('warning'));

    await h.conclude(1, { ...HOT, confidence: 'medium' }, 'joined');

    expect(await states(h)).toEqual(['open']);
  });

  test('and alerts that come then join the one that explains them', async () => {
    const h = createIntakeHarness();
    await h.receive(kv());
    await h.conclude(1, HOT);

    await h.receive(queue('warning'));

    expect(await states(h)).toEqual(['open', 'open']);
  });
});

test('a critical that joins a warning somebody took is nobody’s yet', async () => {
  const h = createIntakeHarness();
  await h.receive(kv('warning'));
  await h.db.kysely
    .updateTable('incidents')
    .set({ state: 'acknowledged', acknowledged_at: h.clock.now(), acknowledged_by: 'mia' })
    .execute();
  await h.clock.advance(MINUTE);

  await h.receive(anAlert());

  expect((await h.view()).incident).toMatchObject({ state: 'open', acknowledgedBy: null });
  expect(await h.outbox()).toContain('page pager queued +5000');
});

test('a re-fire within the hold leaves the incident with whoever took it', async () => {
  const h = createIntakeHarness();
  await h.receive(anAlert());
  await h.db.kysely
    .updateTable('incidents')
    .set({ state: 'acknowledged', acknowledged_at: h.clock.now(), acknowledged_by: 'mia' })
    .execute();
  await h.receive(resolvedCopy(anAlert(), h.clock.now()));
  await h.clock.advance(MINUTE);

  await h.receive(anAlert({ startsAtMs: h.clock.now() }));

  expect((await h.view()).incident).toMatchObject({ state: 'acknowledged', acknowledgedBy: 'mia' });
});

test('another worker of the same alert is counted on the card that stands', async () => {
  const h = createIntakeHarness();
  await h.receive(anAlert());
  await h.clock.advance(MINUTE);
  await h.deliverDue();
  await h.db.kysely
    .insertInto('cards')
    .values({
      incident_id: 1,
      receiver: 'slack',
      channel: 'C',
      message_id: '1.1',
      content_hash: 'x',
      updated_at: h.clock.now(),
    })
    .execute();

  await h.receive(anAlert({ labels: { instance: 'b' } }));

  expect((await h.outbox()).slice(2)).toEqual(['card slack queued +0']);
});
