/**
 * Pages for what kept firing while nobody was to be told: its silence ended, its maintenance window is over. A
 * pager collapses what comes under a key that it knows, and nobody may be paged twice under one: so a new
 * episode begins, and the page of the old one is closed.
 */

import { dedupKey } from '../alertmanager/alert-key.js';
import { DROP_WORDS } from '../domain/drop-reasons.js';
import type { Incident } from '../domain/incident.js';
import type { NewNotification } from '../domain/notification.js';
import { notificationsFor } from '../routing/route-table.js';
import type { Tx } from '../store/database.js';
import { createIncidentStore } from '../store/incident-store.js';
import { createNotificationStore } from '../store/notification-store.js';
import { createReconcileStore } from '../store/reconcile-store.js';
import { createTimelineStore } from '../store/timeline-store.js';
import { createWorkStore } from '../store/work-store.js';
import type { IntakeDeps } from './intake-types.js';
import { type FollowUpEvent, followUps } from './told-receivers.js';

export type PageAnewStores = ReturnType<typeof createPageAnewStores>;

export function createPageAnewStores() {
  return {
    incidents: createIncidentStore(),
    notifications: createNotificationStore(),
    reconcile: createReconcileStore(),
    timeline: createTimelineStore(),
    work: createWorkStore(),
  };
}

export type PageAnewOptions = Pick<IntakeDeps, 'route'> & {
  /** Reads on from "paged because the": "silence by mia ended". Shown in the page. */
  readonly because: string;
  readonly pageDeadlineMs: number;
  readonly nowMs: number;
};

/** Begins an episode and its messages. The incident must be open and fire. Whoever calls wakes outbox and work. */
export async function pageAnew(
  tx: Tx,
  stores: PageAnewStores,
  incident: Incident,
  options: PageAnewOptions,
): Promise<void> {
  const { id: incidentId, severity, source, scope } = incident;
  const { nowMs, because } = options;
  const lead = await stores.reconcile.leadAlert(tx, incidentId, incident.alertKey);
  if (lead === null) return;
  const told = await stores.notifications.toldReceivers(tx, [incidentId]);
  const last = { incidentId, episodeId: incident.episodeId, nowMs };
  const closing = followUps(told, 'resolved', last).filter(({ purpose }) => purpose === 'page_resolve');
  const facts = (await stores.incidents.episodeFacts(tx, [incident.episodeId])).get(incident.episodeId);

  await stores.incidents.changeEpisode(tx, incident.episodeId, { endedAtMs: nowMs });
  const reason = `${DROP_WORDS.paged_anew} the ${because}`;
  await stores.reconcile.dropWaitingPages(tx, { episodeId: incident.episodeId, reason, nowMs });
  const key = dedupKey({ source, alertName: incident.alertName, scope, startsAtMs: nowMs });
  const [episodeId = incident.episodeId] = await stores.incidents.insertEpisodes(tx, [
    { incidentId, number: (facts?.number ?? 0) + 1, dedupKey: key, severity, startedAtMs: nowMs, because },
  ]);
  const routes = options.route(severity, { ...lead.labels, severity });
  const base = { incidentId, episodeId, createdAtMs: nowMs };
  const fired = routes.flatMap(({ receiver, kind }): NewNotification[] =>
    notificationsFor(kind, 'fired', severity).map((purpose) => ({
      ...base,
      receiver,
      purpose,
      dueAtMs: nowMs + options.pageDeadlineMs,
    })),
  );
  await stores.notifications.enqueue(tx, [...closing, ...fired]);
  await stores.work.addWork(tx, [
    { incidentId, episodeId, trigger: 'opened', dueAtMs: nowMs, createdAtMs: nowMs },
  ]);
  await stores.timeline.append(tx, [
    {
      incidentId,
      atMs: nowMs,
      kind: 'routed',
      text:
        routes.length === 0
          ? `Recorded only, though the ${because}: no receiver for ${severity}`
          : `Routed anew because the ${because}: ${routes.map(({ receiver, why }) => (why === undefined ? receiver : `${receiver} (${why})`)).join(', ')}`,
      actor: 'wakewell',
    },
  ]);
}

/** Messages to whoever was told of an incident so far. */
export async function tellTold(
  tx: Tx,
  stores: Pick<PageAnewStores, 'notifications'>,
  incident: Pick<Incident, 'id' | 'episodeId'>,
  event: FollowUpEvent,
  nowMs: number,
): Promise<void> {
  const told = await stores.notifications.toldReceivers(tx, [incident.id]);
  const at = { incidentId: incident.id, episodeId: incident.episodeId, nowMs };
  await stores.notifications.enqueue(tx, followUps(told, event, at));
}
