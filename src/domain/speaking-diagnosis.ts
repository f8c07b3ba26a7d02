import { CONFIDENCES, type Diagnosis } from './verdict.js';

/**
 * Which of an incident's diagnoses made while firing (oldest first) speaks for it. Alerts that join bring further
 * checks, some of them while the system already recovers: one of those replaces an earlier verdict of the same
 * episode only when it is surer. One that a person asked for always does.
 */
export function speakingDiagnosis(diagnoses: readonly Diagnosis[]): Diagnosis | null {
  let speaking: Diagnosis | null = null;
  for (const next of diagnoses) {
    const replaces =
      speaking === null ||
      next.episodeId !== speaking.episodeId ||
      next.trigger === 'asked' ||
      sureness(next) > sureness(speaking);
    if (replaces) speaking = next;
  }
  return speaking;
}

/** Higher is surer. */
function sureness(diagnosis: Diagnosis): number {
  return -CONFIDENCES.indexOf(diagnosis.verdict.confidence);
}
