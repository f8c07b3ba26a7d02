import { expect, test } from 'vitest';
import { MINUTE } from '../../src/domain/clock.js';
import { createDiagnosisStore } from '../../src/store/diagnosis-store.js';
import {
  countByState,
  diagnoses,
  listIncidents,
  recording,
  timeline,
} from '../../src/store/incident-history.js';
import { readIncidentView } from '../../src/store/incident-view.js';
import { aDiagnosis, anAlert, aVerdict, resolvedCopy } from '../support/build.js';
import { createIntakeHarness } from '../support/intake-harness.js';

async function threeIncidents() {
  const h = createIntakeHarness();
  for (const model of ['a', 'b', 'c']) {
    await h.receive(anAlert({ labels: { model }, ...(model === 'c' ? { severity: 'warning' } : {}) }));
    await h.clock.advance(MINUTE);
  }
  await h.receive(resolvedCopy(anAlert({ labels: { model: 'b' } }), h.clock.now()));
  return { h, kysely: h.db.kysely };
}

const ids = (page: { readonly items: readonly { readonly id: number }[] }) =>
  page.items.map((item) => item.id);

test('the list is newest first and turns its pages without losing or doubling any', async () => {
  const { kysely } = await threeIncidents();

  const first = await listIncidents(kysely, { limit: 2 });
  const second = await listIncidents(kysely, { limit: 2, cursor: first.nextCursor ?? '' });

  expect([ids(first), ids(second), second.nextCursor]).toEqual([[3, 2], [1], null]);
});

test('the list is narrowed by state, severity, name and words', async () => {
  const { kysely } = await threeIncidents();
  const find = async (filter: object) => ids(await listIncidents(kysely, { limit: 10, ...filter }));

  expect(await find({ state: 'resolved' })).toEqual([2]);
  expect(await find({ state: ['open', 'resolved'] })).toEqual([3, 2, 1]);
  expect(await find({ severity: 'warning' })).toEqual([3]);
  expect(await find({ alertName: 'LLMHighTTFT' })).toEqual([3, 2, 1]);
  expect(await find({ alertName: 'Other' })).toEqual([]);
  expect(await find({ q: 'INC-2' })).toEqual([2]);
  expect(await find({ q: 'highttft' })).toEqual([3, 2, 1]);
  expect(await find({ q: '%' })).toEqual([]);
  expect(await find({ q: "' or 1=1 --" })).toEqual([]);
});

test('a cursor that is not ours is refused', async () => {
  const { kysely } = await threeIncidents();

  await expect(listIncidents(kysely, { limit: 1, cursor: 'x' })).rejects.toMatchObject({
    code: 'bad_request',
  });
});

test('states are counted', async () => {
  const { kysely } = await threeIncidents();

  expect(await countByState(kysely)).toEqual({ open: 2, acknowledged: 0, resolved: 1 });
});

test('a diagnosis and its evidence are read back as they were written', async () => {
  const { kysely } = await threeIncidents();
  const store = createDiagnosisStore();
  const { id: _id, ...made } = aDiagnosis();
  const diagnosisId = await store.insertDiagnosis(kysely, made);
  const body = Buffer.from('frozen');
  await store.insertRecording(kysely, {
    incidentId: 1,
    diagnosisId,
    formatVersion: 1,
    recordedAtMs: 9,
    body,
  });

  expect(await diagnoses(kysely, 1)).toEqual([{ ...made, id: diagnosisId }]);
  expect((await readIncidentView(kysely, 1))?.diagnosis).toEqual({ ...made, id: diagnosisId });
  const read = await recording(kysely, 1);
  expect([read?.diagnosisId, Buffer.from(read?.body ?? []).toString()]).toEqual([diagnosisId, 'frozen']);
  expect(await recording(kysely, 1, 99)).toBeNull();
  const [item] = (await listIncidents(kysely, { limit: 10, q: 'prefill' })).items;
  expect(item).toMatchObject({ id: 1, verdictShort: aVerdict().short, confidence: 'high', firingCount: 1 });
});

test('an interrupted try finds the diagnosis it made, and a later piece of work does not', async () => {
  const { kysely } = await threeIncidents();
  const store = createDiagnosisStore();
  const { id: _id, ...made } = aDiagnosis();
  const id = await store.insertDiagnosis(kysely, made);
  const work = { incidentId: 1, episodeId: 1, trigger: 'opened', createdAtMs: made.startedAtMs } as const;

  expect(await store.findSince(kysely, work)).toEqual({ id, recorded: false });
  expect(await store.findSince(kysely, { ...work, createdAtMs: made.startedAtMs + 1 })).toBeNull();
  expect(await store.hasEarlierVerdict(kysely, 1, id)).toBe(false);
  expect(await store.hasEarlierVerdict(kysely, 1, id + 1)).toBe(true);
});

test('the check after a resolve is shown only while the incident is resolved', async () => {
  const { h, kysely } = await threeIncidents();
  const { id: _id, ...made } = aDiagnosis({ incidentId: 2, episodeId: 2, trigger: 'resolved' });
  await createDiagnosisStore().insertDiagnosis(kysely, made);
  expect((await h.view(2)).afterDiagnosis?.trigger).toBe('resolved');

  await h.receive(anAlert({ labels: { model: 'b' }, startsAtMs: h.clock.now() + 1 }));

  expect((await h.view(2)).afterDiagnosis).toBeNull();
});

test('the story is told in order', async () => {
  const { kysely } = await threeIncidents();

  expect((await timeline(kysely, 2)).map((entry) => entry.kind)).toEqual([
    'opened',
    'routed',
    'alert_resolved',
    'resolved',
  ]);
});

test('there is no view of an incident that does not exist', async () => {
  const { kysely } = await threeIncidents();

  expect(await readIncidentView(kysely, 99)).toBeNull();
});
