/**
 * What people do at the pager itself. An acknowledgement there is one here. A resolve there ends nothing that still
 * fires: a slip of the thumb, or a forged call, would bury it. It is said on card and page, and what was stored to
 * wake somebody before it is not sent any more.
 */

import type { Incident } from '../domain/incident.js';
import { episodeKeyOf } from '../domain/second-page.js';
import type { CallbackKey } from '../store/callback-store.js';
import type { Database, Tx } from '../store/database.js';
import { findEpisode, readEpisode } from '../store/episode-store.js';
import { type ActResult, act, reread, stores, tellReaders } from './act.js';
import { acknowledgeIn, type ChangeRequest, resolveIn } from './change-state.js';

export type PagerActRequest = {
  readonly act: 'acknowledged' | 'resolved' | 'reopened';
  /** As the pager knows the page, or the reminder of it. */
  readonly dedupKey: string;
  readonly actor: string;
  /** Receivers that know of it already: nothing is sent back to them. */
  readonly receivers: readonly string[];
  readonly once: CallbackKey;
  readonly signal: AbortSignal;
  readonly nowMs: number;
};

/** `ignored` for a key that is none of ours. What is about an earlier firing period is `stale`. */
export async function pagerAct(
  db: Database,
  request: PagerActRequest,
): Promise<ActResult | { readonly kind: 'ignored' }> {
  const { dedupKey, receivers, act: what, ...who } = request;
  const found = await findEpisode(db.kysely, episodeKeyOf(dedupKey));
  if (found === null) return { kind: 'ignored' };
  const asked = { ...who, incidentId: found.incidentId, expectedEpisodeId: found.id, via: 'PagerDuty' };
  return act(db, asked, async (tx, incident): Promise<ActResult> => {
    const episode = await readEpisode(tx, found.id);
    if (episode === null || episode.id !== incident.episodeId) return { kind: 'stale', incident };
    const change: ChangeRequest = { ...asked, notBackTo: await knowingAll(tx, incident, receivers) };
    const resolvedThere = episode.pagerResolvedAtMs !== null;
    switch (what) {
      case 'acknowledged':
        // Events of one incident come in their order. What was resolved there since is not taken again.
        return resolvedThere ? { kind: 'stale', incident } : acknowledgeIn(tx, incident, change);
      case 'resolved':
        if (resolvedThere) return { kind: 'same', incident };
        return (await stillBurns(tx, incident))
          ? markResolvedThere(tx, incident, change)
          : endThere(tx, incident, change, receivers);
      case 'reopened': {
        if (!resolvedThere) return { kind: 'same', incident };
        await stores.incidents.markPagerResolved(tx, episode.id, null);
        return { kind: 'changed', incident: await tellReaders(tx, incident, change, 'note', 'Opened again') };
      }
    }
  });
}

/** Those where only one page stands. Where a reminder stands beside it, that one has to be told. */
async function knowingAll(tx: Tx, incident: Incident, receivers: readonly string[]): Promise<string[]> {
  const history = await stores.notifications.notificationsOf(tx, incident.id);
  const reminded = new Set(
    history
      .filter(
        ({ purpose, episodeId, state }) =>
          purpose === 'page_again' && episodeId === incident.episodeId && state !== 'dropped',
      )
      .map(({ receiver }) => receiver),
  );
  return receivers.filter((receiver) => !reminded.has(receiver));
}

/** Whether its alerts contradict a resolve. An umbrella has none of its own, and stands until its storm is over. */
async function stillBurns(tx: Tx, incident: Incident): Promise<boolean> {
  if (incident.state === 'resolved') return false;
  if (incident.kind !== 'problem') return true;
  return (await stores.alerts.firingCounts(tx, [incident.id])).has(incident.id);
}

async function markResolvedThere(tx: Tx, incident: Incident, change: ChangeRequest): Promise<ActResult> {
  const { nowMs, actor } = change;
  await stores.incidents.markPagerResolved(tx, incident.episodeId, { atMs: nowMs, by: actor });
  const text = 'Resolved in PagerDuty, still firing: it stays open here';
  return { kind: 'changed', incident: await tellReaders(tx, incident, change, 'pager_resolved', text) };
}

/** Over here as well: what was held back for this pager is not sent, and what fires again pages anew. */
async function endThere(
  tx: Tx,
  incident: Incident,
  change: ChangeRequest,
  receivers: readonly string[],
): Promise<ActResult> {
  const { nowMs, actor } = change;
  const { episodeId } = incident;
  const reason = `resolved in PagerDuty by ${actor}`;
  await stores.notifications.dropHeldResolves(tx, { episodeId, receivers, reason, nowMs });
  await stores.notifications.markResolveAttempted(tx, episodeId, nowMs);
  const result = await resolveIn(tx, incident, change);
  return result.kind === 'same' ? { kind: 'same', incident: await reread(tx, incident) } : result;
}
