/** Spans and times of day as short text. All times shown without a reader's zone are UTC and say so. */

import { HOUR, MINUTE, SECOND } from '../domain/clock.js';

/** "40s", "31m", "2h 5m", "3d 4h". A negative span (clocks differ) is "0s". */
export function minutesBetween(fromMs: number, toMs: number): string {
  const span = Math.max(0, toMs - fromMs);
  if (span < MINUTE) return `${Math.floor(span / SECOND)}s`;
  if (span < HOUR) return `${Math.floor(span / MINUTE)}m`;
  const hours = Math.floor(span / HOUR);
  const minutes = Math.floor((span % HOUR) / MINUTE);
  if (hours < 24) return minutes === 0 ? `${hours}h` : `${hours}h ${minutes}m`;
  return `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

/** "03:12 UTC". */
export function clockTime(atMs: number): string {
  const date = new Date(atMs);
  return Number.isNaN(date.getTime()) ? 'unknown time' : `${date.toISOString().slice(11, 16)} UTC`;
}

/** "04:18 UTC" on the day of `nowMs`, else "2026-11-26 04:18 UTC". */
export function momentTime(atMs: number, nowMs: number): string {
  const date = new Date(atMs);
  if (Number.isNaN(date.getTime())) return 'unknown time';
  const day = date.toISOString().slice(0, 10);
  return day === new Date(nowMs).toISOString().slice(0, 10) ? clockTime(atMs) : `${day} ${clockTime(atMs)}`;
}
