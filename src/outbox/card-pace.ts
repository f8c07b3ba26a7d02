/**
 * Cards are updated at most every three seconds by machine, and once a minute while they would change all the time;
 * what a human did is shown at once.
 */

import type { Clock } from '../domain/clock.js';
import { MINUTE, SECOND } from '../domain/clock.js';
import type { IncidentView } from '../domain/incident-view.js';
import type { TimelineEntry } from '../domain/timeline.js';

const MIN_GAP_MS = 3 * SECOND;

/** In a storm, and of what flaps. */
export const SLOW_GAP_MS = MINUTE;

export type CardPace = {
  /** How long an update must still wait, ms; 0 = now. */
  readonly waitMs: (receiver: string, view: IncidentView) => number;
  /** Remembers that a card was posted or updated just now. */
  readonly updated: (receiver: string, incidentId: number) => void;
};

/** Kept in memory only: after a restart the first update goes at once, which harms nobody. */
export function createCardPace(clock: Clock, slowGapMs = SLOW_GAP_MS): CardPace {
  const last = new Map<string, { readonly monotonic: number; readonly wall: number }>();

  function gapOf({ incident }: IncidentView): number {
    // Its end is no change among many.
    if (incident.state === 'resolved') return MIN_GAP_MS;
    const busy = incident.kind !== 'problem' || incident.flags.flapping || incident.flags.inStorm;
    return busy ? slowGapMs : MIN_GAP_MS;
  }

  return {
    waitMs(receiver, view) {
      const before = last.get(`${receiver}\n${view.incident.id}`);
      if (before === undefined) return 0;
      const wait = before.monotonic + gapOf(view) - clock.monotonic();
      if (wait <= 0 || view.timeline.some((entry) => entry.atMs >= before.wall && isHuman(entry))) return 0;
      return wait;
    },
    updated(receiver, incidentId) {
      const now = clock.monotonic();
      const longestMs = Math.max(MIN_GAP_MS, slowGapMs);
      for (const [key, at] of last) if (at.monotonic + longestMs <= now) last.delete(key);
      last.set(`${receiver}\n${incidentId}`, { monotonic: now, wall: clock.now() });
    },
  };
}

function isHuman(entry: TimelineEntry): boolean {
  if (entry.via !== null) return true;
  const act = entry.kind === 'acknowledged' || entry.kind === 'resolved' || entry.kind === 'note';
  return act && entry.actor !== 'alertmanager' && entry.actor !== 'wakewell';
}
