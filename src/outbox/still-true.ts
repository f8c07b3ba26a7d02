/**
 * The question asked right before every send: is this still true? Minutes may lie between the row and its turn,
 * and a page about something over, or a resolve of something that burns again, is worse than none.
 */

import { DROP_WORDS } from '../domain/drop-reasons.js';
import type { Episode, Incident, Silence } from '../domain/incident.js';
import type { Notification } from '../domain/notification.js';
import { momentTime } from '../render/duration.js';

export type StillTrue = { readonly kind: 'send' } | { readonly kind: 'drop'; readonly reason: string };

export type Situation = {
  readonly notification: Notification;
  readonly incident: Pick<Incident, 'state' | 'episodeId' | 'acknowledgedBy' | 'silence'>;
  /** The firing period that the notification is about: not always the incident's present one. */
  readonly episode: Pick<
    Episode,
    'severity' | 'endedAtMs' | 'resolveAttemptedAtMs' | 'pagerResolvedAtMs' | 'pagerResolvedBy'
  >;
  readonly hasVerdict: boolean;
  /** Rows of this incident, for what became of the page. */
  readonly history: readonly Notification[];
};

const SEND: StillTrue = { kind: 'send' };
const drop = (reason: string): StillTrue => ({ kind: 'drop', reason });

/** Pure. `reason` reads on from "not sent: ". */
export function stillTrue({ notification, incident, episode, hasVerdict, history }: Situation): StillTrue {
  const present = incident.episodeId === notification.episodeId;
  switch (notification.purpose) {
    case 'page':
      if (episode.severity !== 'critical') return drop(DROP_WORDS.not_critical);
      // A trigger after a resolve would open a second incident at the pager, which nobody would ever close.
      if (episode.resolveAttemptedAtMs !== null) return drop(`${DROP_WORDS.page_closed} to a pager already`);
      if (!present || episode.endedAtMs !== null) return drop(DROP_WORDS.period_over);
      if (incident.state === 'resolved') return drop(DROP_WORDS.resolved);
      if ((episode.pagerResolvedAtMs ?? 0) >= notification.createdAtMs) return drop(resolvedThere(episode));
      // What pages anew takes it from whoever had it, so that this needs no comparison of times, which a clock may step.
      if (incident.state === 'acknowledged') return drop(takenBy(incident));
      return incident.silence === null ? SEND : drop(silenced(incident.silence, notification.createdAtMs));
    case 'page_update':
      if (!present || episode.resolveAttemptedAtMs !== null) return drop(DROP_WORDS.update_late);
      if (incident.state === 'resolved') return drop(DROP_WORDS.resolved);
      return mayStandAtPager(notification, history) ? SEND : drop(DROP_WORDS.no_page);
    case 'page_again':
      if (episode.severity !== 'critical') return drop(DROP_WORDS.not_critical);
      if (episode.resolveAttemptedAtMs !== null) return drop(`${DROP_WORDS.page_closed} to a pager already`);
      if (!present || episode.endedAtMs !== null) return drop(DROP_WORDS.period_over);
      if (incident.state === 'resolved') return drop(DROP_WORDS.resolved);
      if ((episode.pagerResolvedAtMs ?? 0) >= notification.createdAtMs) return drop(resolvedThere(episode));
      if (incident.state === 'acknowledged') return drop(takenBy(incident));
      return incident.silence === null ? SEND : drop(silenced(incident.silence, notification.createdAtMs));
    case 'reminder_reply':
      if (!present) return drop(DROP_WORDS.period_over);
      if (incident.state === 'resolved') return drop(DROP_WORDS.resolved);
      return incident.silence === null ? SEND : drop(silenced(incident.silence, notification.createdAtMs));
    case 'page_acknowledge':
      if (!present || incident.state !== 'acknowledged') return drop(DROP_WORDS.not_acknowledged);
      if (episode.resolveAttemptedAtMs !== null) return drop(`${DROP_WORDS.page_closed} already`);
      return mayStandAtPager(notification, history) ? SEND : drop(DROP_WORDS.no_page);
    case 'page_resolve':
      if (present && incident.state !== 'resolved') return drop(DROP_WORDS.fires_again);
      return mayStandAtPager(notification, history) ? SEND : drop(DROP_WORDS.no_page);
    case 'verdict_reply':
      if (!present) return drop(DROP_WORDS.period_over);
      if (incident.state === 'resolved') return drop(DROP_WORDS.resolved);
      // It mentions people, and so reaches phones.
      if (incident.silence !== null) return drop(silenced(incident.silence, notification.createdAtMs));
      return hasVerdict ? SEND : drop(DROP_WORDS.no_verdict);
    case 'card':
    case 'answer_reply':
    case 'webhook':
    case 'log':
      // These show whatever is the case, so they are never untrue.
      return SEND;
  }
}

function takenBy({ acknowledgedBy }: Pick<Incident, 'acknowledgedBy'>): string {
  return `${DROP_WORDS.acknowledged} ${acknowledgedBy ?? 'somebody'} before it could be sent`;
}

function resolvedThere({ pagerResolvedBy }: Pick<Episode, 'pagerResolvedBy'>): string {
  return `${DROP_WORDS.resolved_at_pager} ${pagerResolvedBy ?? 'somebody'} before it could be sent`;
}

function silenced({ by, untilMs }: Silence, nowMs: number): string {
  return `${DROP_WORDS.silenced} ${by}${untilMs === null ? '' : ` until ${momentTime(untilMs, nowMs)}`}`;
}

/**
 * Whether the pager may hold our page: it accepted one, or an attempt was made whose outcome is not known
 * (two claims at least: the claim that dropped or ended it sent nothing, or had company).
 */
function mayStandAtPager(notification: Notification, history: readonly Notification[]): boolean {
  const page = history.find(
    (one) =>
      one.purpose === 'page' &&
      one.episodeId === notification.episodeId &&
      one.receiver === notification.receiver,
  );
  // What an umbrella spoke for never stood there under a key of its own.
  if (page === undefined || page.umbrellaId !== null) return false;
  return page.state === 'sent' || page.attempts >= 2;
}
