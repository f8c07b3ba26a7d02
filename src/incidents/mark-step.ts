/** A person did a step of the verdict's advice. */

import { presentDiagnosis } from '../render/present-diagnosis.js';
import type { Database } from '../store/database.js';
import { readIncidentView } from '../store/incident-view.js';
import { type ActRequest, type ActResult, act, tellReaders, withComment } from './act.js';

/** `step` counts from 1, in the order in which the fixes are shown. Doing one twice in a firing period is `same`. */
export function markStep(db: Database, request: ActRequest & { readonly step: number }): Promise<ActResult> {
  return act(db, request, async (tx, incident): Promise<ActResult> => {
    const view = await readIncidentView(tx, incident.id);
    const fixes = (view === null ? null : presentDiagnosis(view))?.verdict.fixes ?? [];
    const fix = fixes[request.step - 1];
    if (view === null || fix === undefined) {
      const known = fixes.length === 0 ? 'its verdict has no steps' : `its verdict has ${fixes.length}`;
      return { kind: 'not_found', message: `there is no step ${request.step}: ${known}` };
    }
    // By its words: a later verdict may number the same advice otherwise.
    const done = `Step ${request.step} done: ${fix.do}`;
    const before = view.timeline.some(
      (entry) =>
        entry.kind === 'step_done' &&
        entry.atMs >= view.episode.startedAtMs &&
        entry.text.includes(`done: ${fix.do}`),
    );
    if (before) return { kind: 'same', incident };
    const text = withComment(done, request);
    return { kind: 'changed', incident: await tellReaders(tx, incident, request, 'step_done', text) };
  });
}
