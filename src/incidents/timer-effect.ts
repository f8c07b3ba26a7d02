/** What becomes of a timer whose time has come, and the question that every one about an incident asks first. */

import type { Incident } from '../domain/incident.js';
import type { Tx } from '../store/database.js';
import type { Timer, TimerKind } from '../store/timer-store.js';

/** Not wanted: `reason` says why, `mayReturn` whether that may pass, so that it is planned anew. */
export type Dropped = { readonly kind: 'dropped'; readonly reason: string; readonly mayReturn: boolean };

export type TimerEffect =
  /** It did what it was for; `reason` says what. */
  | { readonly kind: 'fired'; readonly reason: string }
  | Dropped
  /** Its time has not really come. */
  | { readonly kind: 'postponed'; readonly dueAtMs: number; readonly reason: string };

/** Decides and writes in one transaction, in which the timer is then finished: it takes effect once. */
export type Act = (tx: Tx, nowMs: number) => Promise<TimerEffect>;

/** Looks at the network where it must, and hands over what is to be done. May throw: the timer is then tried again. */
export type TimerHandler = (timer: Timer) => Promise<Act>;

export type TimerHandlers = Readonly<Record<TimerKind, TimerHandler>>;

export const dropped = (reason: string): Dropped => ({ kind: 'dropped', reason, mayReturn: false });
const forNow = (reason: string): Dropped => ({ kind: 'dropped', reason, mayReturn: true });

/** Whether an incident still stands as it did when a timer was planned for it; else why nothing is to be done. */
export function standing(timer: Timer, incident: Incident | null): Incident | Dropped {
  if (incident === null) return dropped('the incident is gone');
  if (incident.episodeId !== timer.episodeId) return dropped('a newer firing period began');
  if (incident.state === 'resolved') return forNow(`resolved by ${incident.resolvedBy ?? 'somebody'}`);
  if (incident.flags.silenced) return forNow('silenced');
  return incident;
}

/** As above, for what only waits until somebody takes the incident. */
export function waiting(timer: Timer, incident: Incident | null): Incident | Dropped {
  const still = standing(timer, incident);
  if ('reason' in still) return still;
  if (still.state === 'acknowledged') return forNow(`acknowledged by ${still.acknowledgedBy ?? 'somebody'}`);
  return still.flags.inStorm ? forNow('the umbrella of its storm speaks for it') : still;
}
