import { expect, test } from 'vitest';
import { MINUTE } from '../../src/domain/clock.js';
import { addNote } from '../../src/incidents/add-note.js';
import { acknowledge, resolve } from '../../src/incidents/change-state.js';
import { anAlert, resolvedCopy } from '../support/build.js';
import { createIntakeHarness } from '../support/intake-harness.js';

async function pagedIncident() {
  const h = createIntakeHarness();
  await h.receive(anAlert());
  await h.clock.advance(MINUTE);
  await h.deliverDue();
  const by = (actor: string) => ({ incidentId: 1, actor, nowMs: h.clock.now() });
  return { h, by };
}

test('acknowledging tells the pager and the card at once, and says who', async () => {
  const { h, by } = await pagedIncident();

  const result = await acknowledge(h.db, { ...by('ana'), comment: 'looking' });

  expect(result).toMatchObject({
    kind: 'changed',
    incident: { state: 'acknowledged', acknowledgedBy: 'ana' },
  });
  expect((await h.outbox()).slice(2)).toEqual(['page_acknowledge pager queued +0', 'card slack queued +0']);
  expect(await h.story()).toContain('acknowledged: Acknowledged: looking');
});

test('acknowledging twice changes nothing the second time', async () => {
  const { h, by } = await pagedIncident();
  await acknowledge(h.db, by('ana'));

  const result = await acknowledge(h.db, by('bo'));

  expect(result).toMatchObject({ kind: 'same', incident: { acknowledgedBy: 'ana' } });
  expect(await h.outbox()).toHaveLength(4);
});

test('a resolve by a person reaches the pager at once, and is checked', async () => {
  const { h, by } = await pagedIncident();

  const result = await resolve(h.db, by('ana'));

  expect(result).toMatchObject({ kind: 'changed', incident: { state: 'resolved', resolvedBy: 'ana' } });
  expect((await h.view()).episode.endedAtMs).toBe(h.clock.now());
  expect((await h.outbox()).slice(2)).toEqual(['page_resolve pager queued +0', 'card slack queued +0']);
  expect(await h.work()).toContain('resolved INC-1 queued');
});

test('a person who resolves what resolved by itself ends the hold', async () => {
  const { h, by } = await pagedIncident();
  await h.receive(resolvedCopy(anAlert(), h.clock.now()));
  expect(await h.outbox()).toContain('page_resolve pager queued +300000');

  const result = await resolve(h.db, by('ana'));

  expect(result.kind).toBe('same');
  expect(await h.outbox()).toContain('page_resolve pager queued +0');
});

test('a resolved incident cannot be acknowledged', async () => {
  const { h, by } = await pagedIncident();
  await resolve(h.db, by('ana'));

  expect(await acknowledge(h.db, by('bo'))).toMatchObject({
    kind: 'illegal',
    message: 'an incident that is resolved cannot be acknowledged',
  });
});

test('a click on an older state is refused', async () => {
  const { h, by } = await pagedIncident();
  const { revision } = (await h.view()).incident;
  await addNote(h.db, { ...by('bo'), comment: 'hm' });

  expect(await resolve(h.db, { ...by('ana'), expectedRevision: revision })).toMatchObject({ kind: 'stale' });
  expect(await resolve(h.db, { ...by('ana'), expectedRevision: revision + 1 })).toMatchObject({
    kind: 'changed',
  });
});

test('a note is part of the story and of the card', async () => {
  const { h, by } = await pagedIncident();

  await addNote(h.db, { ...by('ana'), comment: 'rolled back the router' });

  expect(await h.story()).toContain('note: rolled back the router');
  expect((await h.outbox()).slice(2)).toEqual(['card slack queued +0']);
});

test('an incident that does not exist is not found', async () => {
  const h = createIntakeHarness();
  const nobody = { incidentId: 7, actor: 'ana', nowMs: 0, comment: 'x' };

  expect(await acknowledge(h.db, nobody)).toEqual({ kind: 'not_found' });
  expect(await resolve(h.db, nobody)).toEqual({ kind: 'not_found' });
  expect(await addNote(h.db, nobody)).toEqual({ kind: 'not_found' });
});

test('repeats of an alert that fires on do not reopen what a person closed', async () => {
  const { h, by } = await pagedIncident();
  await resolve(h.db, by('ana'));
  await h.clock.advance(10 * MINUTE);

  await h.receive(anAlert());

  expect((await h.view()).incident.state).toBe('resolved');
});

test('a new firing reopens what a person closed, in a new episode that pages', async () => {
  const { h, by } = await pagedIncident();
  await resolve(h.db, by('ana'));
  await h.clock.advance(MINUTE);
  await h.deliverDue();

  await h.receive(anAlert({ startsAtMs: h.clock.now() }));

  expect((await h.view()).episode.number).toBe(2);
  expect(await h.outbox()).toContain('page pager queued +5000');
});
