/** What people do to an incident. Each is one transaction: the change, the timeline, and who is told. */

import { type Change, type Incident, type IncidentState, nextState } from '../domain/incident.js';
import type { NewNotification } from '../domain/notification.js';
import type { TimelineKind } from '../domain/timeline.js';
import type { Database, Tx } from '../store/database.js';
import { readIncident } from '../store/incident-history.js';
import { createIncidentStore } from '../store/incident-store.js';
import { createNotificationStore } from '../store/notification-store.js';
import { createTimelineStore } from '../store/timeline-store.js';
import { createWorkStore } from '../store/work-store.js';
import { followUps } from './told-receivers.js';

export type ChangeRequest = {
  readonly incidentId: number;
  /** Who, as the timeline shows it. */
  readonly actor: string;
  readonly comment?: string | undefined;
  /** The revision the person saw; a change based on an older one is refused. */
  readonly expectedRevision?: number | undefined;
  readonly nowMs: number;
};

export type ChangeResult =
  | { readonly kind: 'changed'; readonly incident: Incident }
  /** It was in that state already; nothing was done, apart from a comment being kept. */
  | { readonly kind: 'same'; readonly incident: Incident }
  | { readonly kind: 'not_found' }
  /** The incident changed since the person looked. */
  | { readonly kind: 'stale'; readonly incident: Incident }
  /** Not possible from its present state; `message` says why. */
  | { readonly kind: 'illegal'; readonly incident: Incident; readonly message: string };

export type NoteResult = Extract<ChangeResult, { readonly kind: 'changed' | 'not_found' }>;

const stores = {
  incidents: createIncidentStore(),
  notifications: createNotificationStore(),
  timeline: createTimelineStore(),
  work: createWorkStore(),
};

/** Somebody took the incident. Pagers and cards are told at once. */
export function acknowledge(db: Database, request: ChangeRequest): Promise<ChangeResult> {
  return change(db, request, 'acknowledge', async (tx, incident) => {
    await stores.incidents.changeIncident(tx, incident.id, {
      state: 'acknowledged',
      acknowledgedAtMs: request.nowMs,
      acknowledgedBy: request.actor,
    });
    return followUpsOf(tx, incident, 'acknowledged', request.nowMs);
  });
}

/** Somebody says that it is over. Pagers are told at once: the hold is for machines that change their mind. */
export function resolve(db: Database, request: ChangeRequest): Promise<ChangeResult> {
  return change(db, request, 'resolve', async (tx, incident) => {
    const { nowMs } = request;
    await stores.incidents.changeIncident(tx, incident.id, {
      state: 'resolved',
      resolvedAtMs: nowMs,
      resolvedBy: request.actor,
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
    return followUpsOf(tx, incident, 'resolved', nowMs);
  });
}

/** Adds a sentence to the story. Works in every state. */
export async function addNote(
  db: Database,
  request: Omit<ChangeRequest, 'expectedRevision'> & { readonly comment: string },
): Promise<NoteResult> {
  return db.transaction(async (tx) => {
    const incident = await readIncident(tx, request.incidentId);
    if (incident === null) return { kind: 'not_found' };
    await tell(tx, request, 'note', request.comment);
    await stores.notifications.bumpRevision(tx, incident.id);
    await stores.notifications.enqueue(tx, await followUpsOf(tx, incident, 'changed', request.nowMs));
    return { kind: 'changed', incident: await reread(tx, incident) };
  });
}

const PAST: Readonly<Record<Change, { readonly kind: TimelineKind; readonly verb: string }>> = {
  acknowledge: { kind: 'acknowledged', verb: 'Acknowledged' },
  resolve: { kind: 'resolved', verb: 'Resolved' },
  reopen: { kind: 'reopened', verb: 'Reopened' },
};

function change(
  db: Database,
  request: ChangeRequest,
  wanted: Change,
  apply: (tx: Tx, incident: Incident) => Promise<NewNotification[]>,
): Promise<ChangeResult> {
  return db.transaction(async (tx): Promise<ChangeResult> => {
    const incident = await readIncident(tx, request.incidentId);
    if (incident === null) return { kind: 'not_found' };
    const next = nextState(incident.state, wanted);
    if (next === null) return { kind: 'illegal', incident, message: illegal(wanted, incident.state) };
    if (next.same) {
      if (wanted === 'resolve') {
        await stores.notifications.releaseHeldResolves(tx, incident.episodeId, request.nowMs);
      }
      if (hasComment(request)) await tell(tx, request, 'note', request.comment);
      return { kind: 'same', incident };
    }
    if (request.expectedRevision !== undefined && request.expectedRevision !== incident.revision) {
      return { kind: 'stale', incident };
    }
    const notifications = await apply(tx, incident);
    const { kind, verb } = PAST[wanted];
    await tell(tx, request, kind, hasComment(request) ? `${verb}: ${request.comment}` : verb);
    await stores.notifications.enqueue(tx, notifications);
    return { kind: 'changed', incident: await reread(tx, incident) };
  });
}

async function followUpsOf(
  tx: Tx,
  incident: Incident,
  event: 'acknowledged' | 'resolved' | 'changed',
  nowMs: number,
): Promise<NewNotification[]> {
  const told = await stores.notifications.toldReceivers(tx, [incident.id]);
  return followUps(told, event, { incidentId: incident.id, episodeId: incident.episodeId, nowMs });
}

async function tell(tx: Tx, request: ChangeRequest, kind: TimelineKind, text: string): Promise<void> {
  const entry = { incidentId: request.incidentId, atMs: request.nowMs, kind, text, actor: request.actor };
  await stores.timeline.append(tx, [entry]);
}

async function reread(tx: Tx, incident: Incident): Promise<Incident> {
  return (await readIncident(tx, incident.id)) ?? incident;
}

function hasComment(request: ChangeRequest): request is ChangeRequest & { readonly comment: string } {
  return request.comment !== undefined && request.comment.trim() !== '';
}

function illegal(wanted: Change, state: IncidentState): string {
  return `an incident that is ${state} cannot be ${PAST[wanted].verb.toLowerCase()}`;
}
