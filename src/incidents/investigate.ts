/**
 * The way of an alert after its 200: match → enrich → run steps → verdict → route → enqueue, resumable.
 *
 * The page does not wait for this: it stands in the outbox since intake, due at its deadline. A verdict
 * pulls it forward. Whatever fails here costs the diagnosis, never the page.
 */

import type { Work } from '../store/work-store.js';
import { commitDiagnosis } from './commit-diagnosis.js';
import type { DiagnosisOutcome, InvestigateDeps } from './investigation.js';

/**
 * Makes the function that carries out one claimed piece of work. It throws when the database does (the
 * caller puts the work back); the outside world's failures are part of the diagnosis.
 */
export function createInvestigate(deps: InvestigateDeps): (work: Work) => Promise<void> {
  return async function investigate(work) {
    const view = await deps.readView(work.incidentId);
    if (view === null) return;

    // A crash between the verdict and the freezing must not diagnose, and announce, a second time.
    const earlier = work.attempts > 1 ? await deps.diagnoses.findSince(deps.db.kysely, work) : null;
    if (earlier?.recorded === true) return;
    let diagnosisId: number;
    let outcome: DiagnosisOutcome;
    if (earlier === null) {
      outcome = await deps.diagnose(view);
      diagnosisId = await commitDiagnosis(deps, work, outcome);
      deps.onDue();
    } else {
      diagnosisId = earlier.id;
      const stored = await deps.diagnoses.diagnosesOf(deps.db.kysely, work.incidentId);
      const known = stored.find(({ id }) => id === earlier.id);
      if (known === undefined) return;
      outcome = known;
    }

    const frozen = await deps.freeze(view, outcome);
    await deps.db.transaction(async (tx) => {
      await deps.diagnoses.insertRecording(tx, { incidentId: work.incidentId, diagnosisId, ...frozen });
    });
  };
}
