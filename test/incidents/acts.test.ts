/** What people do beside changing the state: ask, mark, rate; and that nothing is recorded once nobody waits. */

import { describe, expect, test } from 'vitest';
import { askDiagnosis } from '../../src/incidents/ask-diagnosis.js';
import { acknowledge, resolve } from '../../src/incidents/change-state.js';
import { giveFeedback } from '../../src/incidents/give-feedback.js';
import { markStep } from '../../src/incidents/mark-step.js';
import { createDiagnosisStore } from '../../src/store/diagnosis-store.js';
import { aDiagnosis, anAlert } from '../support/build.js';
import { createIntakeHarness } from '../support/intake-harness.js';

async function openIncident() {
  const h = createIntakeHarness();
  await h.receive(anAlert());
  await h.clock.advance(60_000);
  await h.deliverDue();
  const { id: _, ...diagnosis } = aDiagnosis();
  await createDiagnosisStore().insertDiagnosis(h.db.kysely, diagnosis);
  await h.db.kysely.updateTable('work').set({ state: 'done' }).execute();
  const by = (actor: string) => ({ incidentId: 1, actor, via: 'Slack', nowMs: h.clock.now() });
  return { h, by };
}

describe('running the checks again', () => {
  test('puts one diagnosis in line, however often it is asked for', async () => {
    const { h, by } = await openIncident();

    expect((await askDiagnosis(h.db, by('ana'))).kind).toBe('changed');
    expect((await askDiagnosis(h.db, by('bo'))).kind).toBe('same');

    expect(await h.work()).toEqual(['opened INC-1 done', 'asked INC-1 queued']);
    expect(await h.story()).toContain('diagnosis_asked: Asked for the checks to be run again');
  });

  test('is refused for what is over, whose verdict would become that of a healthy system', async () => {
    const { h, by } = await openIncident();
    await resolve(h.db, by('ana'));

    expect(await askDiagnosis(h.db, by('ana'))).toMatchObject({ kind: 'illegal' });
  });
});

describe('steps of the advice', () => {
  test('are told with their words, once each', async () => {
    const { h, by } = await openIncident();

    expect((await markStep(h.db, { ...by('ana'), step: 1, comment: 'at 16k' })).kind).toBe('changed');
    expect((await markStep(h.db, { ...by('bo'), step: 1 })).kind).toBe('same');

    expect(await h.story()).toContain('step_done: Step 1 done: Shed long prompts at the router: at 16k');
    expect((await h.view()).timeline.at(-1)).toMatchObject({ actor: 'ana', via: 'Slack' });
  });

  test('that do not exist are not found', async () => {
    const { h, by } = await openIncident();

    expect(await markStep(h.db, { ...by('ana'), step: 2 })).toEqual({
      kind: 'not_found',
      message: 'there is no step 2: its verdict has 1',
    });
  });
});

describe('feedback', () => {
  test('is one opinion a person, the latest', async () => {
    const { h, by } = await openIncident();

    await giveFeedback(h.db, { ...by('ana'), rating: 'useful' });
    await giveFeedback(h.db, { ...by('bo'), rating: 'useful' });
    expect((await giveFeedback(h.db, { ...by('ana'), rating: 'noise', comment: 'canary' })).kind).toBe(
      'changed',
    );
    expect((await giveFeedback(h.db, { ...by('ana'), rating: 'noise', comment: 'canary' })).kind).toBe(
      'same',
    );

    expect(await h.db.kysely.selectFrom('feedback').select(['actor', 'rating', 'comment']).execute()).toEqual(
      [
        { actor: 'ana', rating: 'noise', comment: 'canary' },
        { actor: 'bo', rating: 'useful', comment: null },
      ],
    );
    expect(await h.story()).toContain('feedback: Marked as noise: canary');
  });
});

describe('what the person saw', () => {
  test('a button of another firing period changes nothing', async () => {
    const { h, by } = await openIncident();

    expect(await acknowledge(h.db, { ...by('ana'), expectedEpisodeId: 2 })).toMatchObject({ kind: 'stale' });
    expect(await resolve(h.db, { ...by('ana'), expectedEpisodeId: 2 })).toMatchObject({ kind: 'stale' });
    expect((await h.view()).incident.state).toBe('open');
  });

  test('a warning that became critical is not acknowledged by who saw the warning', async () => {
    const { h, by } = await openIncident();

    expect(await acknowledge(h.db, { ...by('ana'), seenSeverity: 'warning' })).toMatchObject({
      kind: 'stale',
    });
    expect(await acknowledge(h.db, { ...by('ana'), seenSeverity: 'critical' })).toMatchObject({
      kind: 'changed',
    });
  });

  test('nothing is recorded once the person was told that it is not', async () => {
    const { h, by } = await openIncident();
    const controller = new AbortController();
    const waiting = acknowledge(h.db, { ...by('ana'), signal: controller.signal });
    controller.abort();

    await expect(waiting).rejects.toThrow();
    expect((await h.view()).incident.state).toBe('open');
    expect(await h.story()).not.toContain('acknowledged: Acknowledged');
  });
});
