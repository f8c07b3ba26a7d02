/**
 * Nobody took it: a critical not acknowledged in 15 min is paged a second time and climbs to the next pager, a
 * warning that nobody looked at in 1 h is said again below its card. Each once.
 */

import type { Incident } from '../domain/incident.js';
import type { NewNotification, Notification, Purpose } from '../domain/notification.js';
import { minutesBetween } from '../render/duration.js';
import { type LadderReceiver, type Rung, rungsLeft } from '../routing/ladder.js';
import type { Tx } from '../store/database.js';
import { readEpisode } from '../store/episode-store.js';
import { readIncident } from '../store/incident-history.js';
import type { NotificationStore } from '../store/notification-store.js';
import type { ReminderDelays } from '../store/reminder-plan.js';
import type { TimelineStore } from '../store/timeline-store.js';
import type { Timer, TimerStore } from '../store/timer-store.js';
import { createWithheldStore } from '../store/withheld-store.js';
import { dropped, type TimerEffect, type TimerHandlers, waiting } from './timer-effect.js';
import { followUps } from './told-receivers.js';

/** A page that nobody accepted yet, or that speaks for nothing audible, is asked about again this soon. */
const ASK_AGAIN_MS = 60_000;

export type ReminderDeps = {
  readonly stores: {
    readonly notifications: NotificationStore;
    readonly timeline: TimelineStore;
    readonly timers: TimerStore;
  };
  /** Every receiver, in the order of the configuration. */
  readonly receivers: readonly LadderReceiver[];
  readonly delays: ReminderDelays;
};

export function createReminders(deps: ReminderDeps): Pick<TimerHandlers, 'reminder' | 'climb'> {
  const { notifications, timeline, timers } = deps.stores;
  const withheld = createWithheldStore();

  /** Who has a page of this episode, and whether that is too fresh to ring again. */
  async function pagesOf(tx: Tx, timer: Timer): Promise<Notification[]> {
    const history = await notifications.notificationsOf(tx, timer.incidentId ?? 0);
    // What an umbrella speaks for is asked about with the umbrella.
    return history.filter(
      (one) => one.purpose === 'page' && one.episodeId === timer.episodeId && one.umbrellaId === null,
    );
  }

  async function remindOfCritical(tx: Tx, timer: Timer, nowMs: number): Promise<TimerEffect> {
    const pages = await pagesOf(tx, timer);
    const wait = waitForThePage(pages, nowMs, deps.delays.criticalMs);
    if (wait !== null) return wait;
    const again = (await toldAgain(tx, timer, nowMs)).filter(
      (one) => one.purpose !== 'page_again' || isPagerWith(pages, one.receiver),
    );
    return remind(tx, timer, [...again, ...nextRung(timer, pages, nowMs)], pages, nowMs);
  }

  async function remindOfWarning(tx: Tx, timer: Timer, nowMs: number): Promise<TimerEffect> {
    const looked = (await timeline.read(tx, timer.incidentId ?? 0)).findLast(
      (entry) => entry.via !== null && entry.atMs >= timer.createdAtMs,
    );
    if (looked !== undefined) return dropped(`${looked.actor} looked at it`);
    return remind(tx, timer, await toldAgain(tx, timer, nowMs), [], nowMs);
  }

  async function toldAgain(tx: Tx, timer: Timer, nowMs: number): Promise<NewNotification[]> {
    const incidentId = timer.incidentId ?? 0;
    const told = await notifications.toldReceivers(tx, [incidentId]);
    return followUps(told, 'reminded', { incidentId, episodeId: timer.episodeId, nowMs });
  }

  /** Only a pager rings again; a channel on the ladder is told below the card. */
  function isPagerWith(pages: readonly Notification[], receiver: string): boolean {
    const isPager = deps.receivers.some((one) => one.name === receiver && one.kind === 'pagerduty');
    return isPager && pages.some((one) => one.receiver === receiver && one.state === 'sent');
  }

  function rungsAbove(pages: readonly Pick<Notification, 'receiver' | 'onBehalfOf'>[]): Rung[] {
    const routed = pages.filter((one) => one.onBehalfOf === null).map((one) => one.receiver);
    return rungsLeft(deps.receivers, routed, new Set(pages.map((one) => one.receiver)));
  }

  /** The page to the next rung; none where no pager was to be told at all. */
  function nextRung(timer: Timer, pages: readonly Notification[], nowMs: number): NewNotification[] {
    const [next] = rungsAbove(pages);
    if (next === undefined) return [];
    const { incidentId, episodeId } = timer;
    const { receiver, owner: onBehalfOf } = next;
    const at = { dueAtMs: nowMs, createdAtMs: nowMs };
    return [{ incidentId: incidentId ?? 0, episodeId, receiver, purpose: 'page', onBehalfOf, ...at }];
  }

  /** Stores what is sent, tells the story, and plans the rung after this one. */
  async function remind(
    tx: Tx,
    timer: Timer,
    wanted: readonly NewNotification[],
    pages: readonly Notification[],
    nowMs: number,
  ): Promise<TimerEffect> {
    if (wanted.length === 0) return dropped('there is nobody to tell');
    const incidentId = timer.incidentId ?? 0;
    const startedAtMs = (await readEpisode(tx, timer.episodeId))?.startedAtMs ?? timer.createdAtMs;
    const text = `Nobody has taken this for ${minutesBetween(startedAtMs, nowMs)}: ${inWords(wanted)}`;
    await notifications.enqueue(tx, wanted);
    await timeline.append(tx, [{ incidentId, atMs: nowMs, kind: 'reminded', text, actor: 'wakewell' }]);

    const climbed = wanted.flatMap(({ purpose, receiver, onBehalfOf = null }) =>
      purpose === 'page' ? [{ receiver, onBehalfOf }] : [],
    );
    if (climbed.length > 0 && rungsAbove([...pages, ...climbed]).length > 0) {
      const key = String(timer.kind === 'climb' ? Number(timer.key) + 1 : 1);
      const dueAtMs = nowMs + deps.delays.criticalMs;
      const { episodeId } = timer;
      await timers.planTimers(tx, [
        { incidentId, episodeId, kind: 'climb', key, payload: {}, dueAtMs, createdAtMs: nowMs },
      ]);
    }
    return { kind: 'fired', reason: text };
  }

  /** An umbrella is never silenced itself: whoever silenced all that it speaks for wants to hear nothing of it. */
  async function waitForTheAudible(
    tx: Tx,
    { id, kind }: Incident,
    nowMs: number,
  ): Promise<TimerEffect | null> {
    if (kind === 'problem' || (await withheld.needsSomebody(tx, id))) return null;
    const reason = 'what it speaks for is silenced, taken or over';
    return { kind: 'postponed', dueAtMs: nowMs + ASK_AGAIN_MS, reason };
  }

  return {
    reminder: async (timer) => async (tx, nowMs) => {
      const incident = waiting(timer, await readIncident(tx, timer.incidentId ?? 0));
      if ('reason' in incident) return incident;
      const quiet = await waitForTheAudible(tx, incident, nowMs);
      if (quiet !== null) return quiet;
      if (incident.severity !== timer.key) return dropped(`it is ${incident.severity} now`);
      return timer.key === 'critical'
        ? remindOfCritical(tx, timer, nowMs)
        : remindOfWarning(tx, timer, nowMs);
    },
    climb: async (timer) => async (tx, nowMs) => {
      const incident = waiting(timer, await readIncident(tx, timer.incidentId ?? 0));
      if ('reason' in incident) return incident;
      const quiet = await waitForTheAudible(tx, incident, nowMs);
      if (quiet !== null) return quiet;
      if (incident.severity !== 'critical') return dropped(`it is ${incident.severity} now`);
      const pages = await pagesOf(tx, timer);
      return remind(tx, timer, nextRung(timer, pages, nowMs), pages, nowMs);
    },
  };
}

/** Ringing twice within minutes helps nobody: the time counts from when a pager took the page. */
function waitForThePage(pages: readonly Notification[], nowMs: number, delayMs: number): TimerEffect | null {
  const accepted = pages.filter((one) => one.state === 'sent');
  if (accepted.length === 0) {
    if (!pages.some((one) => one.state === 'queued' || one.state === 'sending')) return null;
    const reason = 'no pager has accepted the first page yet';
    return { kind: 'postponed', dueAtMs: nowMs + ASK_AGAIN_MS, reason };
  }
  const acceptedAtMs = Math.max(...accepted.map((one) => one.finishedAtMs ?? one.createdAtMs));
  // A page accepted in the future was accepted by a clock that has been stepped since: that proves nothing.
  if (acceptedAtMs > nowMs || nowMs - acceptedAtMs >= delayMs / 2) return null;
  return { kind: 'postponed', dueAtMs: acceptedAtMs + delayMs, reason: 'the first page was accepted late' };
}

const WORDS: readonly (readonly [Purpose, string])[] = [
  ['page_again', 'paged again'],
  ['page', 'passed on to'],
  ['reminder_reply', 'said again in'],
  ['log', 'logged by'],
];

/** "paged again oncall, passed on to backup". */
function inWords(wanted: readonly NewNotification[]): string {
  return WORDS.flatMap(([purpose, what]) => {
    const to = wanted.filter((one) => one.purpose === purpose).map((one) => one.receiver);
    return to.length === 0 ? [] : [`${what} ${to.join(', ')}`];
  }).join(', ');
}
