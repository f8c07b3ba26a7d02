/** Everything people can do to an incident, bound to the database and the clock: what every edge calls. */

import type { Clock } from '../domain/clock.js';
import type { Database } from '../store/database.js';
import { readIncident } from '../store/incident-history.js';
import { type ActResult, followUpsOf, stores } from './act.js';
import { addNote } from './add-note.js';
import { answerBelowCard } from './answer-below-card.js';
import { askDiagnosis } from './ask-diagnosis.js';
import { acknowledge, reopen, resolve } from './change-state.js';
import { giveFeedback } from './give-feedback.js';
import { markStep } from './mark-step.js';
import { type PagerActRequest, pagerAct } from './pager-act.js';
import {
  type SilenceDeps,
  type SilenceRequest,
  type SilenceResult,
  silenceIncident,
} from './silence-incident.js';

export type IncidentActionsDeps = {
  readonly db: Database;
  readonly clock: Clock;
  /** How long the page of a reopened incident waits for its verdict. */
  readonly pageDeadlineMs: number;
  /** Where silences are placed; without it asking for one is refused. */
  readonly silencing?: Omit<SilenceDeps, 'db'>;
  /** Called after each act: there may be work, and notifications may be due. */
  readonly onCommitted: () => void;
};

export type IncidentActions = ReturnType<typeof createIncidentActions>;

const NOWHERE: Omit<SilenceDeps, 'db'> = { clients: [], source: '', reconcile: () => Promise.resolve() };

export function createIncidentActions(deps: IncidentActionsDeps) {
  const { db, clock, pageDeadlineMs, onCommitted } = deps;
  const silencing = { ...(deps.silencing ?? NOWHERE), db };
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
    /** Applies what a person did at the pager. */
    async pagerAct(request: Omit<PagerActRequest, 'nowMs'>) {
      const result = await pagerAct(db, { ...request, nowMs: clock.now() });
      onCommitted();
      return result;
    },
    /** Draws the cards of an incident again, for somebody who pressed on one that is out of date. */
    async redraw(incidentId: number): Promise<void> {
      await db.transaction(async (tx) => {
        const incident = await readIncident(tx, incidentId);
        if (incident === null) return;
        await stores.notifications.enqueue(tx, await followUpsOf(tx, incident, 'changed', clock.now()));
      });
      onCommitted();
    },
    /** Says below the card how things stand, to who could not be answered. */
    async answerBelowCard(press: { readonly incidentId: number; readonly channel: string }): Promise<void> {
      await answerBelowCard(db, { ...press, nowMs: clock.now() });
      onCommitted();
    },
    async silence(request: Omit<SilenceRequest, 'nowMs'>): Promise<SilenceResult> {
      const result = await silenceIncident(silencing, { ...request, nowMs: clock.now() });
      onCommitted();
      return result;
    },
  };
}
