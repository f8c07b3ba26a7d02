/**
 * One turn of one notification: re-read the incident, ask whether it is still true, send, and write down what
 * became of it. The network is never waited for inside a transaction.
 */

import { SECOND } from '../domain/clock.js';
import type { IncidentView } from '../domain/incident-view.js';
import type { CardRef, DeliveryResult, Notification } from '../domain/notification.js';
import type { Receiver } from '../receivers/receiver.js';
import { createCardPace } from './card-pace.js';
import type { OutboxDeps } from './outbox-deps.js';
import { readEpisode } from './read-episode.js';
import type { RecordResult } from './record-result.js';
import { stillTrue } from './still-true.js';

/** Longest one turn may take, whatever the receiver does: two calls and their fallback, well below the lease. */
const TURN_MS = 20 * SECOND;

export type DeliverOne = (claim: Notification, signal: AbortSignal) => Promise<void>;

/** Makes the function for one turn. It throws only when the database does; the lease then brings the row back. */
export function createDeliverOne(deps: OutboxDeps, record: RecordResult): DeliverOne {
  const pace = createCardPace(deps.clock);

  return async function deliverOne(notification, signal) {
    const receiver = deps.receivers.get(notification.receiver);
    if (receiver === undefined) {
      const detail = `no receiver "${notification.receiver}" is configured`;
      await record.result(notification, null, { kind: 'dead', reason: 'client_error', detail });
      return;
    }
    const read = await readAll(notification);
    if (read === null) {
      await record.gone(notification);
      return;
    }
    const { view, card } = read;
    const truth = stillTrue({
      notification,
      view: read.present,
      episode: view.episode,
      history: read.history,
    });
    if (truth.kind === 'drop') {
      await record.dropped(notification, truth.reason);
      return;
    }
    if (notification.purpose === 'card' && card !== null) {
      const waitMs = pace.waitMs(receiver.name, view);
      if (waitMs > 0) {
        await record.postponed(notification, waitMs);
        return;
      }
    }
    if (notification.purpose === 'page_resolve' && view.episode.resolveAttemptedAtMs === null) {
      // Committed before the call: once the pager may have seen a resolve, no trigger of this episode may follow.
      await deps.db.transaction((tx) =>
        deps.stores.notifications.markResolveAttempted(tx, notification.episodeId, deps.clock.now()),
      );
    }
    const result = await attempt(receiver, notification, view, card, signal);
    if (result.kind === 'sent' && result.card !== undefined) pace.updated(receiver.name, view.incident.id);
    await record.result(notification, card, result);
  };

  async function readAll(notification: Notification): Promise<{
    view: IncidentView;
    present: IncidentView;
    card: CardRef | null;
    history: Notification[];
  } | null> {
    const present = await deps.readView(notification.incidentId);
    if (present === null) return null;
    const { kysely } = deps.db;
    const episode =
      present.episode.id === notification.episodeId
        ? present.episode
        : await readEpisode(kysely, notification.episodeId);
    if (episode === null) return null;
    const { incidentId, receiver } = notification;
    return {
      present,
      // The dedup key must be that of the episode which was paged.
      view: { ...present, episode },
      card: await deps.stores.notifications.readCard(kysely, { incidentId, receiver }),
      history: await deps.stores.notifications.notificationsOf(kysely, incidentId),
    };
  }

  async function attempt(
    receiver: Receiver,
    notification: Notification,
    view: IncidentView,
    card: CardRef | null,
    signal: AbortSignal,
  ): Promise<DeliveryResult> {
    const controller = new AbortController();
    const abort = () => controller.abort();
    signal.addEventListener('abort', abort, { once: true });
    let cancel = () => {};
    const tooLong = new Promise<DeliveryResult>((resolve) => {
      cancel = deps.clock.after(TURN_MS, () => {
        abort();
        resolve({ kind: 'retry', reason: 'timeout', detail: `no result within ${TURN_MS / SECOND} s` });
      });
    });
    try {
      return await Promise.race([receiver.deliver({ notification, view, card }, controller.signal), tooLong]);
    } catch (error) {
      // A bug of ours. The message may be built from anything, so it goes to the log only.
      deps.logger.error(
        {
          err: error,
          receiver: receiver.name,
          incidentId: notification.incidentId,
          purpose: notification.purpose,
        },
        'receiver failed unexpectedly',
      );
      return { kind: 'retry', reason: 'bad_response', detail: 'internal error, see the log' };
    } finally {
      cancel();
      signal.removeEventListener('abort', abort);
    }
  }
}
