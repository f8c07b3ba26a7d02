/** What a verdict does to the bounds of its incident: first it lets go what it does not explain, then it takes in what it does. */

import type { Tx } from '../store/database.js';
import { foldByVerdict } from './fold.js';
import { createFoldDeps, type FoldOptions } from './fold-deps.js';
import { settleSureVerdict } from './settle-sure-verdict.js';
import { unfoldUnexplained } from './unfold.js';

/** Called in the transaction of a diagnosis, after it was stored. Returns the id of the incident that goes on. */
export type AfterDiagnosis = (
  tx: Tx,
  diagnosed: { readonly incidentId: number; readonly diagnosisId: number; readonly nowMs: number },
) => Promise<number>;

export function createAfterDiagnosis(options: FoldOptions): AfterDiagnosis {
  const deps = createFoldDeps(options);
  return async (tx, { incidentId, diagnosisId, nowMs }) => {
    const settled = await settleSureVerdict(tx, deps, { id: incidentId });
    if (settled === null) return incidentId;
    const { incident } = settled;
    // What is silenced must not take in, and so mute, what is not.
    if (incident.state === 'resolved' || incident.flags.silenced) return incidentId;
    // A check that changed nobody's mind refutes nothing.
    const refutes = settled.diagnosisId === diagnosisId;
    const rest = refutes ? await unfoldUnexplained(tx, deps, incident, nowMs) : incident;
    return (await foldByVerdict(tx, deps, rest, nowMs)).id;
  };
}
