/** The frame of everything that people do to an incident: one transaction that reads it, decides, and tells. */

import type { Incident } from '../domain/incident.js';
import type { NewNotification } from '../domain/notification.js';
import type { TimelineKind } from '../domain/timeline.js';
import { createAlertStore } from '../store/alert-store.js';
import { type CallbackKey, createCallbackStore } from '../store/callback-store.js';
import type { Database, Tx } from '../store/database.js';
import { createFeedbackStore } from '../store/feedback-store.js';
import { readIncident } from '../store/incident-history.js';
import { createIncidentStore } from '../store/incident-store.js';
import { createNotificationStore } from '../store/notification-store.js';
import { createTimelineStore } from '../store/timeline-store.js';
import { createWorkStore } from '../store/work-store.js';
import { type FollowUpEvent, followUps } from './told-receivers.js';

export type ActRequest = {
  readonly incidentId: number;
  /** Who, as the timeline shows it. */
  readonly actor: string;
  /** Through what: "Slack", "the API". */
  readonly via?: string | undefined;
  readonly comment?: string | undefined;
  readonly nowMs: number;
  /** Once it fires nothing is recorded any more: whoever waited was told so. */
  readonly signal?: AbortSignal | undefined;
  /** The signed call that asks for it: a copy of that call does nothing. */
  readonly once?: CallbackKey | undefined;
};

export type ActResult =
  | { readonly kind: 'changed'; readonly incident: Incident }
  /** It was so already; nothing was done, apart from a comment being kept. */
  | { readonly kind: 'same'; readonly incident: Incident }
  /** No such incident, or none of what `message` names in it. */
  | { readonly kind: 'not_found'; readonly message?: string }
  /** The call that asks for it was acted upon before. */
  | { readonly kind: 'replayed' }
  /** The incident changed since the person looked. */
  | { readonly kind: 'stale'; readonly incident: Incident }
  /** Not possible from its present state; `message` says why. */
  | { readonly kind: 'illegal'; readonly incident: Incident; readonly message: string };

export const stores = {
  alerts: createAlertStore(),
  callbacks: createCallbackStore(),
  feedback: createFeedbackStore(),
  incidents: createIncidentStore(),
  notifications: createNotificationStore(),
  timeline: createTimelineStore(),
  work: createWorkStore(),
};

/** Runs one act. It is recorded whole when the promise resolves; nothing of it is when the promise rejects. */
export function act(
  db: Database,
  request: ActRequest,
  decide: (tx: Tx, incident: Incident) => Promise<ActResult>,
): Promise<ActResult> {
  const whole = async (tx: Tx): Promise<ActResult> => {
    request.signal?.throwIfAborted();
    const result = await decideOnce(tx, request, decide);
    request.signal?.throwIfAborted();
    return result;
  };
  return db.transaction(whole, { promised: true });
}

async function decideOnce(
  tx: Tx,
  request: ActRequest,
  decide: (tx: Tx, incident: Incident) => Promise<ActResult>,
): Promise<ActResult> {
  const { once, nowMs } = request;
  if (once !== undefined && !(await stores.callbacks.claimCallback(tx, once, nowMs))) {
    return { kind: 'replayed' };
  }
  const incident = await readIncident(tx, request.incidentId);
  return incident === null ? { kind: 'not_found' } : decide(tx, incident);
}

/** An act that changes no state, but that a reader of the incident sees. */
export async function tellReaders(
  tx: Tx,
  incident: Incident,
  request: ActRequest,
  kind: TimelineKind,
  text: string,
): Promise<Incident> {
  await tell(tx, request, kind, text);
  await stores.notifications.bumpRevision(tx, incident.id);
  await stores.notifications.enqueue(tx, await followUpsOf(tx, incident, 'changed', request.nowMs));
  return reread(tx, incident);
}

/** Messages to everybody who was told that the incident fired. */
export async function followUpsOf(
  tx: Tx,
  incident: Incident,
  event: FollowUpEvent,
  nowMs: number,
): Promise<NewNotification[]> {
  const told = await stores.notifications.toldReceivers(tx, [incident.id]);
  return followUps(told, event, { incidentId: incident.id, episodeId: incident.episodeId, nowMs });
}

export async function tell(tx: Tx, request: ActRequest, kind: TimelineKind, text: string): Promise<void> {
  const { incidentId, nowMs, actor, via } = request;
  await stores.timeline.append(tx, [{ incidentId, atMs: nowMs, kind, text, actor, via: via ?? null }]);
}

export async function reread(tx: Tx, incident: Incident): Promise<Incident> {
  return (await readIncident(tx, incident.id)) ?? incident;
}

/** "Resolved", or "Resolved: what the person said". */
export function withComment(text: string, request: ActRequest): string {
  return hasComment(request) ? `${text}: ${request.comment}` : text;
}

export function hasComment<R extends ActRequest>(request: R): request is R & { readonly comment: string } {
  return request.comment !== undefined && request.comment.trim() !== '';
}
