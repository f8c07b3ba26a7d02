/** Keeps beside an incident what its speaking diagnosis explains, so that intake can ask without reading diagnoses. */

import type { Incident } from '../domain/incident.js';
import { type SureVerdict, sureVerdict } from '../domain/sure-verdict.js';
import type { Tx } from '../store/database.js';
import type { DiagnosisStore } from '../store/diagnosis-store.js';
import { readIncident } from '../store/incident-history.js';
import type { IncidentStore } from '../store/incident-store.js';

type Stores = { readonly diagnoses: DiagnosisStore; readonly incidents: IncidentStore };

export type Speaking = {
  readonly incident: Incident;
  /** The diagnosis that speaks for the present episode; null while there is none. */
  readonly diagnosisId: number | null;
};

/** Brings it up to date and returns the incident with it; null when there is no such incident. */
export async function settleSureVerdict(
  tx: Tx,
  stores: Stores,
  { id }: Pick<Incident, 'id'>,
): Promise<Speaking | null> {
  const incident = await readIncident(tx, id);
  if (incident === null) return null;
  const speaking = await stores.diagnoses.speakingOf(tx, id, incident.episodeId);
  const sure: SureVerdict | null =
    speaking === null ? null : sureVerdict(speaking.verdict, incident.alertName);
  await stores.incidents.setSureVerdict(tx, id, sure);
  return { incident: { ...incident, sureVerdict: sure }, diagnosisId: speaking?.id ?? null };
}
