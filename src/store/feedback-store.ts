/** Whether people found it useful to be told of an incident. */

import type { FeedbackRating } from '../domain/feedback.js';
import { storable } from './storable.js';
import type { Tx } from './tables.js';

export type Feedback = {
  readonly incidentId: number;
  readonly actor: string;
  readonly rating: FeedbackRating;
  readonly comment: string | null;
  readonly atMs: number;
};

export function createFeedbackStore() {
  return {
    /** Keeps one opinion a person and incident: the latest. Returns whether it says something new. */
    async saveFeedback(tx: Tx, feedback: Feedback): Promise<boolean> {
      const actor = storable(feedback.actor, 200);
      const comment = feedback.comment === null ? null : storable(feedback.comment, 4_000);
      const before = await tx
        .selectFrom('feedback')
        .select(['rating', 'comment'])
        .where('incident_id', '=', feedback.incidentId)
        .where('actor', '=', actor)
        .executeTakeFirst();
      if (before?.rating === feedback.rating && before.comment === comment) return false;
      const said = { rating: feedback.rating, comment, at: feedback.atMs };
      await tx
        .insertInto('feedback')
        .values({ incident_id: feedback.incidentId, actor, ...said })
        .onConflict((conflict) => conflict.columns(['incident_id', 'actor']).doUpdateSet(said))
        .execute();
      return true;
    },
  };
}
