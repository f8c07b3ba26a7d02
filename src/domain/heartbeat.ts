/**
 * A Watchdog is an alert that always fires and is delivered again and again: a heartbeat of everything between the
 * metrics and us. What it says is that it comes; what it means is that it stops coming.
 */

/** Absent for so many of its intervals means silent. One lost delivery is not: Alertmanager repeats at its group_interval. */
const SILENT_AFTER_INTERVALS = 2.5;

/** Gaps that are remembered; an interval is believed after `MIN_GAPS`. */
const MAX_GAPS = 5;
const MIN_GAPS = 3;

/** Peers deliver the same beat within moments of each other. */
const SAME_BEAT_MS = 5_000;

/** The gaps after one more beat, oldest first, ms. */
export function gapsAfter(gaps: readonly number[], gapMs: number): number[] {
  return gapMs < SAME_BEAT_MS ? [...gaps] : [...gaps, gapMs].slice(-MAX_GAPS);
}

/**
 * How often a Watchdog comes, ms: as configured, else the median of its last gaps, which one outage does not move.
 * Null until enough of it was seen: what repeats every 4 h must not page after three minutes.
 */
export function intervalOf(gaps: readonly number[], configuredMs: number | null): number | null {
  if (configuredMs !== null) return configuredMs;
  if (gaps.length < MIN_GAPS) return null;
  const sorted = [...gaps].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}

/** Absent for so long it counts as silent, ms. */
export function silentAfterMs(intervalMs: number): number {
  return SILENT_AFTER_INTERVALS * intervalMs;
}
