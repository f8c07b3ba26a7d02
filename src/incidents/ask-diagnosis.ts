/** A person asks for the checks to be run again. */

import type { Database } from '../store/database.js';
import { type ActRequest, type ActResult, act, stores, tellReaders, withComment } from './act.js';

/**
 * Puts a diagnosis in line; its verdict shows on card and page. `same` where one waits anyway. Not for what is
 * resolved: numbers of a healthy system must not speak for an incident that is over.
 */
export function askDiagnosis(db: Database, request: ActRequest): Promise<ActResult> {
  return act(db, request, async (tx, incident): Promise<ActResult> => {
    if (incident.state === 'resolved') {
      const message = 'an incident that is resolved keeps its verdict: reopen it to run the checks again';
      return { kind: 'illegal', incident, message };
    }
    if (await stores.work.isDiagnosisWaiting(tx, incident.id)) return { kind: 'same', incident };
    const { nowMs } = request;
    await stores.work.addWork(tx, [
      {
        incidentId: incident.id,
        episodeId: incident.episodeId,
        trigger: 'asked',
        dueAtMs: nowMs,
        createdAtMs: nowMs,
      },
    ]);
    const text = withComment('Asked for the checks to be run again', request);
    return { kind: 'changed', incident: await tellReaders(tx, incident, request, 'diagnosis_asked', text) };
  });
}
