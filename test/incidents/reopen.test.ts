import { expect, test } from 'vitest';
import { MINUTE, SECOND } from '../../src/domain/clock.js';
import { acknowledge, reopen, resolve } from '../../src/incidents/change-state.js';
import { anAlert, resolvedCopy } from '../support/build.js';
import { createIntakeHarness } from '../support/intake-harness.js';

async function resolvedIncident() {
  const h = createIntakeHarness();
  await h.receive(anAlert());
  await h.clock.advance(MINUTE);
  await h.deliverDue();
  const by = (actor: string) => ({ incidentId: 1, actor, via: 'the API', nowMs: h.clock.now() });
  await resolve(h.db, by('ana'));
  return { h, by, reopenBy: (actor: string) => reopen(h.db, by(actor), { pageDeadlineMs: 5 * SECOND }) };
}

test('before the pager was told of the end, the firing period goes on and nobody is woken', async () => {
  const { h, reopenBy } = await resolvedIncident();

  expect(await reopenBy('bo')).toMatchObject({
    kind: 'changed',
    incident: { state: 'open', resolvedBy: null },
  });

  expect((await h.view()).episode).toMatchObject({ number: 1, endedAtMs: null });
  expect(await h.outbox()).toEqual([
    'page pager sent +-55000',
    'card slack sent +-55000',
    'page_resolve pager dropped +0',
    'card slack queued +0',
  ]);
  expect(await h.story()).toContain('reopened: Reopened');
  expect(await h.work()).toEqual(['opened INC-1 queued', 'resolved INC-1 done']);
});

test('after the pager was told, a new firing period pages under a new key', async () => {
  const { h, reopenBy } = await resolvedIncident();
  await h.deliverDue();
  const before = (await h.view()).episode;

  await reopenBy('bo');

  const { episode } = await h.view();
  expect(episode).toMatchObject({ number: 2, endedAtMs: null, severity: 'critical' });
  expect(episode.dedupKey).not.toBe(before.dedupKey);
  expect((await h.outbox()).slice(-2)).toEqual(['page pager queued +5000', 'card slack queued +0']);
  expect(await h.work()).toContain('opened INC-1 queued');
});

test('what no alert says any more is opened without waking anybody', async () => {
  const { h, reopenBy } = await resolvedIncident();
  await h.deliverDue();
  await h.receive(resolvedCopy(anAlert(), h.clock.now()));

  await reopenBy('bo');

  expect((await h.view()).episode.number).toBe(2);
  expect((await h.outbox()).filter((row) => row.startsWith('page '))).toEqual(['page pager sent +-55000']);
});

test('reopening what is open changes nothing', async () => {
  const { h, by, reopenBy } = await resolvedIncident();
  await reopenBy('bo');
  await acknowledge(h.db, by('ana'));

  expect(await reopenBy('cy')).toMatchObject({ kind: 'same', incident: { state: 'acknowledged' } });
});

test('a reopened incident is closed by its alerts as ever', async () => {
  const { h, reopenBy } = await resolvedIncident();
  await reopenBy('bo');
  await h.clock.advance(MINUTE);

  await h.receive(resolvedCopy(anAlert(), h.clock.now()));

  expect((await h.view()).incident).toMatchObject({ state: 'resolved', resolvedBy: 'alertmanager' });
});
