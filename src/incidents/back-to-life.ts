/** What becomes of the firing period when a person reopens an incident. */

import { hash } from 'node:crypto';
import type { Incident } from '../domain/incident.js';
import type { NewNotification } from '../domain/notification.js';
import type { Tx } from '../store/database.js';
import { readEpisodeKey } from '../store/episode-store.js';
import { followUpsOf, stores } from './act.js';

type Reopening = { readonly nowMs: number; readonly actor: string; readonly pageDeadlineMs: number };

/** Makes a resolved incident open again and returns who is told. */
export async function backToLife(tx: Tx, incident: Incident, request: Reopening): Promise<NewNotification[]> {
  const { id, episodeId } = incident;
  const { nowMs } = request;
  await stores.work.withdrawWork(tx, { incidentId: id, trigger: 'resolved', reason: 'reopened' });
  await stores.incidents.changeIncident(tx, id, {
    state: 'open',
    resolvedAtMs: null,
    resolvedBy: null,
    acknowledgedAtMs: null,
    acknowledgedBy: null,
    reopenedCount: incident.reopenedCount + 1,
  });
  const facts = (await stores.incidents.episodeFacts(tx, [episodeId])).get(episodeId);
  if (facts === undefined) throw new Error(`INC-${id} has no episode ${episodeId}`);

  if (!facts.resolveUnderWay && !facts.pageLost) {
    const reason = `reopened by ${request.actor}`;
    await stores.notifications.dropHeldResolves(tx, { episodeId, reason, nowMs });
    await stores.incidents.changeEpisode(tx, episodeId, { endedAtMs: null });
    await askAgain(tx, { incidentId: id, episodeId, nowMs, trigger: 'joined' });
    return followUpsOf(tx, incident, 'reopened', nowMs);
  }

  const pages = await pagesOf(tx, incident, request);
  const [newEpisodeId = episodeId] = await stores.incidents.insertEpisodes(tx, [
    {
      incidentId: id,
      number: facts.number + 1,
      // The old key is closed at the pager. This one depends on nothing that another episode could have.
      dedupKey: hash('sha256', `v1 reopened\0${await readEpisodeKey(tx, episodeId)}\0${nowMs}`),
      severity: incident.severity,
      startedAtMs: nowMs,
    },
  ]);
  await askAgain(tx, { incidentId: id, episodeId: newEpisodeId, nowMs, trigger: 'opened' });
  const told = await followUpsOf(tx, { ...incident, episodeId: newEpisodeId }, 'reopened', nowMs);
  return [...pages.map((page) => ({ ...page, episodeId: newEpisodeId })), ...told];
}

/** Pages for those who had one of the last period, if there still is something to wake for. */
async function pagesOf(tx: Tx, incident: Incident, request: Reopening): Promise<NewNotification[]> {
  const firing = await stores.alerts.firingCounts(tx, [incident.id]);
  if (incident.severity !== 'critical' || !firing.has(incident.id)) return [];
  const history = await stores.notifications.notificationsOf(tx, incident.id);
  const { nowMs, pageDeadlineMs } = request;
  return history
    .filter((one) => one.purpose === 'page' && one.episodeId === incident.episodeId)
    .map(({ incidentId, episodeId, receiver, purpose }) => ({
      incidentId,
      episodeId,
      receiver,
      purpose,
      dueAtMs: nowMs + pageDeadlineMs,
      createdAtMs: nowMs,
    }));
}

async function askAgain(
  tx: Tx,
  work: {
    readonly incidentId: number;
    readonly episodeId: number;
    readonly nowMs: number;
    readonly trigger: 'joined' | 'opened';
  },
): Promise<void> {
  const { nowMs, ...what } = work;
  await stores.work.addWork(tx, [{ ...what, dueAtMs: nowMs, createdAtMs: nowMs }]);
}
