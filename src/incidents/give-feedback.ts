/** A person says whether it was useful to be told. */

import type { FeedbackRating } from '../domain/feedback.js';
import type { Database } from '../store/database.js';
import { type ActRequest, type ActResult, act, stores, tellReaders, withComment } from './act.js';

const WORDS: Readonly<Record<FeedbackRating, string>> = {
  useful: 'Found it useful to be told',
  noise: 'Marked as noise',
};

export function giveFeedback(
  db: Database,
  request: ActRequest & { readonly rating: FeedbackRating },
): Promise<ActResult> {
  return act(db, request, async (tx, incident): Promise<ActResult> => {
    const { actor, rating, nowMs } = request;
    const comment = request.comment ?? null;
    const saved = { incidentId: incident.id, actor, rating, comment, atMs: nowMs };
    if (!(await stores.feedback.saveFeedback(tx, saved))) return { kind: 'same', incident };
    const text = withComment(WORDS[rating], request);
    return { kind: 'changed', incident: await tellReaders(tx, incident, request, 'feedback', text) };
  });
}
