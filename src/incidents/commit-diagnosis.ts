/** Writes one diagnosis and everything that follows from it in one transaction. */

import type { NewNotification } from '../domain/notification.js';
import type { Work } from '../store/work-store.js';
import type { DiagnosisOutcome, InvestigateDeps } from './investigation.js';

/**
 * Stores findings, evidence and verdict, tells the timeline, lets the waiting page and card go now, and
 * where the card went out before the verdict (its deadline had passed) asks for a reply in its thread,
 * because an update in place reaches no phone. Returns the diagnosis' id.
 */
export async function commitDiagnosis(
  deps: InvestigateDeps,
  work: Work,
  outcome: DiagnosisOutcome,
): Promise<number> {
  const nowMs = deps.clock.now();
  return deps.db.transaction(async (tx) => {
    const diagnosisId = await deps.diagnoses.insertDiagnosis(tx, {
      incidentId: work.incidentId,
      episodeId: work.episodeId,
      trigger: work.trigger,
      ...outcome,
    });
    await deps.timeline.append(tx, [
      {
        incidentId: work.incidentId,
        atMs: nowMs,
        kind: 'diagnosed',
        text: describe(work, outcome),
        actor: 'wakewell',
      },
    ]);
    await deps.notifications.bumpRevision(tx, work.incidentId);
    const { incidentId } = work;
    const survivorId = (await deps.afterDiagnosis?.(tx, { incidentId, diagnosisId, nowMs })) ?? incidentId;

    const cards = await deps.notifications.cardReceivers(tx, work.incidentId);
    const wanted: NewNotification[] = [];
    for (const receiver of cards.posted) {
      const base = {
        incidentId: work.incidentId,
        episodeId: work.episodeId,
        receiver,
        createdAtMs: nowMs,
        dueAtMs: nowMs,
      };
      wanted.push({ ...base, purpose: 'card' });
      const first =
        work.trigger === 'opened' &&
        !(await deps.diagnoses.hasEarlierVerdict(tx, work.episodeId, diagnosisId));
      if (first) wanted.push({ ...base, purpose: 'verdict_reply' });
    }
    await deps.notifications.enqueue(tx, wanted);
    for (const id of new Set([incidentId, survivorId])) {
      await deps.notifications.pullForward(tx, id, nowMs);
    }
    return diagnosisId;
  });
}

function describe(work: Work, outcome: DiagnosisOutcome): string {
  const when = work.trigger === 'resolved' ? 'Checked again after the resolve' : 'Diagnosed';
  const seconds = ((outcome.finishedAtMs - outcome.startedAtMs) / 1000).toFixed(1);
  const entry = outcome.entryIsDefault ? 'default entry' : `entry ${outcome.entryId}`;
  return `${when} in ${seconds} s by ${entry}: ${outcome.verdict.says} (${outcome.verdict.confidence} confidence)`;
}
