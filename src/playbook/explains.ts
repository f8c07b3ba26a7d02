/** Which alert may be a consequence of which: what folds several alerts into one incident. */

import { type Labels, labelsFrom } from '../domain/labels.js';
import { entriesFor } from './match.js';
import type { PlaybookEntry } from './schema.js';

/** True when some cause of the first alert's entry declares that it explains both alerts. */
export type Explains = (causeAlertName: string, otherAlertName: string) => boolean;

/**
 * Answers from the declarations alone, before anything was diagnosed. An alert without an entry of its
 * own explains nothing: the default entry serves every alert, and would fold all of them into one.
 */
export function explainsFrom(entries: readonly PlaybookEntry[]): Explains {
  const known = new Map<string, ReadonlySet<string>>();
  // Alert names come from outside; an endless stream of new ones must not fill the memory.
  const limit = 1000;

  function explainedBy(alertName: string): ReadonlySet<string> {
    const cached = known.get(alertName);
    if (cached !== undefined) return cached;
    const labels: Labels = labelsFrom([['alertname', alertName]]);
    const names = new Set<string>();
    for (const entry of entriesFor(entries, labels, { otherLabels: 'assumed' })) {
      for (const cause of entry.causes) {
        // A cause that does not show as the first alert is no bridge from it to the second.
        if (cause.explains.includes(alertName)) for (const name of cause.explains) names.add(name);
      }
    }
    if (known.size < limit) known.set(alertName, names);
    return names;
  }

  return (causeAlertName, otherAlertName) => explainedBy(causeAlertName).has(otherAlertName);
}
