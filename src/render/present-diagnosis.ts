/** Which diagnosis speaks for the incident as it is now. */

import type { IncidentView } from '../domain/incident-view.js';
import type { Diagnosis } from '../domain/verdict.js';

/**
 * The newest diagnosis, unless it was made in an earlier firing period: a problem that burns again must not be
 * announced with the numbers of last time. A resolved incident keeps what was found while it burned.
 */
export function presentDiagnosis(view: IncidentView): Diagnosis | null {
  const { diagnosis, episode, incident } = view;
  if (diagnosis === null || incident.state === 'resolved') return diagnosis;
  return diagnosis.episodeId === episode.id ? diagnosis : null;
}
