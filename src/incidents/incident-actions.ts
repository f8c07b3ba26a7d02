/** Everything people can do to an incident, bound to the database and the clock: what every edge calls. */

import type { Clock } from '../domain/clock.js';
import type { Database } from '../store/database.js';
import type { ActResult } from './act.js';
import { addNote } from './add-note.js';
import { askDiagnosis } from './ask-diagnosis.js';
import { acknowledge, reopen, resolve } from './change-state.js';
import { giveFeedback } from './give-feedback.js';
import { markStep } from './mark-step.js';

export type IncidentActionsDeps = {
  readonly db: Database;
  readonly clock: Clock;
  /** How long the page of a reopened incident waits for its verdict. */
  readonly pageDeadlineMs: number;
  /** Called after each act: there may be work, and notifications may be due. */
  readonly onCommitted: () => void;
};

export type IncidentActions = ReturnType<typeof createIncidentActions>;

export function createIncidentActions({ db, clock, pageDeadlineMs, onCommitted }: IncidentActionsDeps) {
  const bound =
    <Request extends { readonly nowMs: number }>(
      act: (db: Database, request: Request) => Promise<ActResult>,
    ) =>
    async (request: Omit<Request, 'nowMs'>): Promise<ActResult> => {
      const result = await act(db, { ...request, nowMs: clock.now() } as Request);
      onCommitted();
      return result;
    };
  return {
    acknowledge: bound(acknowledge),
    resolve: bound(resolve),
    reopen: bound<Parameters<typeof reopen>[1]>((_db, request) => reopen(db, request, { pageDeadlineMs })),
    addNote: bound(addNote),
    askDiagnosis: bound(askDiagnosis),
    markStep: bound(markStep),
    giveFeedback: bound(giveFeedback),
  };
}
