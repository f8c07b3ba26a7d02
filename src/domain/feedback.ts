/** What people think of having been told: the measure of a rule that wakes for nothing. */

export const FEEDBACK_RATINGS = ['useful', 'noise'] as const;
export type FeedbackRating = (typeof FEEDBACK_RATINGS)[number];
