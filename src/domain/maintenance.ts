/**
 * Windows in which nobody is to be told. A weekly one begins at a time of day in its zone and lasts as long as it
 * says, so that a change of summer time neither skips nor doubles it.
 */

import type { Matcher } from './labels.js';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

export type WeeklyForm = {
  /** 0 = Sunday. */
  readonly days: readonly number[];
  /** Minutes after midnight, as a clock on the wall shows them. */
  readonly atMinutes: number;
  readonly forMs: number;
  /** IANA name. */
  readonly timeZone: string;
};

export type MaintenanceWindow = {
  readonly comment: string;
  readonly matchers: readonly Matcher[];
  readonly when: { readonly fromMs: number; readonly untilMs: number } | WeeklyForm;
};

export type Occurrence = { readonly startMs: number; readonly endMs: number };

/** The occurrence that runs at a moment; null when none does. */
export function occurrenceAt({ when }: MaintenanceWindow, nowMs: number): Occurrence | null {
  if ('fromMs' in when) {
    return when.fromMs <= nowMs && nowMs < when.untilMs
      ? { startMs: when.fromMs, endMs: when.untilMs }
      : null;
  }
  // One that began some days ago may still run.
  const daysBack = Math.ceil(when.forMs / DAY_MS) + 1;
  const today = wallOf(nowMs, when.timeZone);
  for (let back = 0; back <= daysBack; back += 1) {
    const day = new Date(Date.UTC(today.year, today.month - 1, today.day - back));
    if (!when.days.includes(day.getUTCDay())) continue;
    const startMs = momentOf(day.getTime() + when.atMinutes * MINUTE_MS, when.timeZone);
    if (startMs <= nowMs && nowMs < startMs + when.forMs) return { startMs, endMs: startMs + when.forMs };
  }
  return null;
}

/** The first moment at which a clock in the zone shows a wall time; one that is skipped counts as after the gap. */
function momentOf(wallMs: number, timeZone: string): number {
  // Nowhere do clocks change twice within two days.
  const before = offsetMs(wallMs - DAY_MS, timeZone);
  const after = offsetMs(wallMs + DAY_MS, timeZone);
  const shown = [wallMs - before, wallMs - after].filter(
    (moment) => moment + offsetMs(moment, timeZone) === wallMs,
  );
  return shown.length === 0 ? wallMs - before : Math.min(...shown);
}

function offsetMs(atMs: number, timeZone: string): number {
  const { year, month, day, hour, minute, second } = wallOf(atMs, timeZone);
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(atMs / 1000) * 1000;
}

/** Making one costs more than all that is done with it. Zones come from the configuration, so they are few. */
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formats.set(timeZone, format);
  return format;
}

function wallOf(atMs: number, timeZone: string) {
  const parts = formatOf(timeZone).formatToParts(atMs);
  const read = (type: string) => Number(parts.find((part) => part.type === type)?.value ?? 0);
  return {
    year: read('year'),
    month: read('month'),
    day: read('day'),
    hour: read('hour'),
    minute: read('minute'),
    second: read('second'),
  };
}
