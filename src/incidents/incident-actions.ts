/** Everything people can do to an incident, bound to the database and the clock: what every edge calls. */

import type { Clock } from '../domain/clock.js';
import type { Database } from '../store/database.js';
import { readIncident } from '../store/incident-history.js';
import { type ActResult, followUpsOf, stores } from './act.js';
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
    /** Draws the cards of an incident again, for somebody who pressed on one that is out of date. */
    async redraw(incidentId: number): Promise<void> {
      await db.transaction(async (tx) => {
        const incident = await readIncident(tx, incidentId);
        if (incident === null) return;
        await stores.notifications.enqueue(tx, await followUpsOf(tx, incident, 'changed', clock.now()));
      });
      onCommitted();
    },
  };
}
