/**
 * What is known of a problem without reading or drawing anything that could fail: enough for a page when the
 * full message cannot be made, is refused, or nothing could be committed.
 */

import type { IncidentState } from './incident.js';
import type { Labels } from './labels.js';
import type { Scope } from './scope.js';
import type { Severity } from './severity.js';

export type BareFacts = {
  /** Of the episode: a pager collapses the full page and this one. */
  readonly dedupKey: string;
  readonly alertName: string;
  readonly severity: Severity;
  readonly scope: Scope;
  readonly state: IncidentState;
  /** Null where no incident could be stored. */
  readonly incidentId: number | null;
  /** Half a sentence: why there is no more than this. */
  readonly why: string;
};

/** A critical to be paged without the database. */
export type DirectPage = {
  readonly facts: BareFacts;
  /** Choose its route. */
  readonly labels: Labels;
  /** The receiver that its stored page is for; its route decides when absent. */
  readonly receiver?: string;
};
