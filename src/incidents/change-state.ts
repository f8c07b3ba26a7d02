/** Acknowledge, resolve and reopen by a person. Each is one transaction: the change, the timeline, and who is told. */

import { type Change, type Incident, type IncidentState, nextState, publicId } from '../domain/incident.js';
import type { NewNotification } from '../domain/notification.js';
import { compareSeverity, type Severity } from '../domain/severity.js';
import type { TimelineKind } from '../domain/timeline.js';
import type { Database, Tx } from '../store/database.js';
import {
  type ActRequest,
  type ActResult,
  act,
  followUpsOf,
  hasComment,
  reread,
  stores,
  tell,
  withComment,
} from './act.js';
import { backToLife } from './back-to-life.js';
import { takeMembers } from './take-members.js';

export type ChangeRequest = ActRequest & {
  /** The revision the person saw; a change based on an older one is refused. */
  readonly expectedRevision?: number | undefined;
  /** The firing period the person saw: a button of yesterday changes nothing today. */
  readonly expectedEpisodeId?: number | undefined;
  /** The severity the person saw: what became worse since was not looked at. */
  readonly seenSeverity?: Severity | undefined;
  /** Pagers where it was done: they are not told what they know. */
  readonly notBackTo?: readonly string[] | undefined;
};

/** Somebody took the incident. Pagers and cards are told at once. */
export function acknowledge(db: Database, request: ChangeRequest): Promise<ActResult> {
  return act(db, request, (tx, incident) => acknowledgeIn(tx, incident, request));
}

/** The same inside a transaction that has found out more. */
export function acknowledgeIn(tx: Tx, incident: Incident, request: ChangeRequest): Promise<ActResult> {
  return changeIn(tx, incident, request, 'acknowledge', async () => {
    await stores.incidents.changeIncident(tx, incident.id, {
      state: 'acknowledged',
      acknowledgedAtMs: request.nowMs,
      acknowledgedBy: request.actor,
    });
    return [
      ...(await takeMembers(tx, incident, request)),
      ...(await followUpsOf(tx, incident, 'acknowledged', request.nowMs)),
    ];
  });
}

/** Somebody says that it is over. Pagers are told at once: the hold is for machines that change their mind. */
export function resolve(db: Database, request: ChangeRequest): Promise<ActResult> {
  return act(db, request, (tx, incident) => resolveIn(tx, incident, request));
}

/** The same inside a transaction that has found out more. */
export function resolveIn(tx: Tx, incident: Incident, request: ChangeRequest): Promise<ActResult> {
  return changeIn(tx, incident, request, 'resolve', async () => {
    const { nowMs } = request;
    await stores.incidents.changeIncident(tx, incident.id, {
      state: 'resolved',
      resolvedAtMs: nowMs,
      resolvedBy: request.actor,
      silence: null,
    });
    await stores.incidents.changeEpisode(tx, incident.episodeId, { endedAtMs: nowMs });
    await stores.work.addWork(tx, [
      {
        incidentId: incident.id,
        episodeId: incident.episodeId,
        trigger: 'resolved',
        dueAtMs: nowMs,
        createdAtMs: nowMs,
      },
    ]);
    return [
      ...(await takeMembers(tx, incident, request)),
      ...(await followUpsOf(tx, incident, 'resolved', nowMs)),
    ];
  });
}

/**
 * Somebody says that it is not over. The firing period goes on where no pager was told of its end; else a new
 * one begins, and pages if the incident is critical and its alerts still fire, since the pager has nothing open.
 */
export function reopen(
  db: Database,
  request: ChangeRequest,
  options: { readonly pageDeadlineMs: number },
): Promise<ActResult> {
  return act(db, request, (tx, incident) =>
    changeIn(tx, incident, request, 'reopen', () => backToLife(tx, incident, { ...request, ...options })),
  );
}

const PAST: Readonly<Record<Change, { readonly kind: TimelineKind; readonly verb: string }>> = {
  acknowledge: { kind: 'acknowledged', verb: 'Acknowledged' },
  resolve: { kind: 'resolved', verb: 'Resolved' },
  reopen: { kind: 'reopened', verb: 'Reopened' },
};

async function changeIn(
  tx: Tx,
  incident: Incident,
  request: ChangeRequest,
  wanted: Change,
  apply: () => Promise<readonly NewNotification[]>,
): Promise<ActResult> {
  if ((request.expectedEpisodeId ?? incident.episodeId) !== incident.episodeId) {
    return { kind: 'stale', incident };
  }
  if (wanted === 'reopen' && incident.foldedInto !== null) {
    const message = `it goes on as ${publicId(incident.foldedInto)}: reopen that one`;
    return { kind: 'illegal', incident, message };
  }
  const next = nextState(incident.state, wanted);
  if (next === null) return { kind: 'illegal', incident, message: illegal(wanted, incident.state) };
  if (next.same) {
    if (wanted === 'resolve') {
      await stores.notifications.releaseHeldResolves(tx, incident.episodeId, request.nowMs);
    }
    if (hasComment(request)) await tell(tx, request, 'note', request.comment);
    return { kind: 'same', incident };
  }
  if (isStale(request, incident)) return { kind: 'stale', incident };
  const notifications = await apply();
  const { kind, verb } = PAST[wanted];
  await tell(tx, request, kind, withComment(verb, request));
  await stores.notifications.enqueue(
    tx,
    notifications.filter((one) => !isEcho(one, request.notBackTo ?? [])),
  );
  return { kind: 'changed', incident: await reread(tx, incident) };
}

function isEcho({ purpose, receiver }: NewNotification, notBackTo: readonly string[]): boolean {
  return (purpose === 'page_acknowledge' || purpose === 'page_resolve') && notBackTo.includes(receiver);
}

function isStale({ expectedRevision, seenSeverity }: ChangeRequest, incident: Incident): boolean {
  if (expectedRevision !== undefined && expectedRevision !== incident.revision) return true;
  return seenSeverity !== undefined && compareSeverity(incident.severity, seenSeverity) > 0;
}

function illegal(wanted: Change, state: IncidentState): string {
  return `an incident that is ${state} cannot be ${PAST[wanted].verb.toLowerCase()}`;
}
