/** Explains an incident as it stands now. */

import type { Explanation } from '../domain/reasons.js';
import type { Database } from '../store/database.js';
import { readStoredReasons } from '../store/explain-store.js';
import { explain } from './explain.js';
import type { ReceiverFacts } from './explain-messages.js';

export type ReadExplanationDeps = {
  readonly db: Database;
  readonly receivers: ReceiverFacts;
  readonly now: () => number;
};

/** Null when there is no such incident. */
export function createReadExplanation(
  deps: ReadExplanationDeps,
): (incidentId: number) => Promise<Explanation | null> {
  return async (incidentId) => {
    const stored = await readStoredReasons(deps.db.kysely, incidentId);
    return stored === null ? null : explain({ ...stored, receivers: deps.receivers, nowMs: deps.now() });
  };
}
