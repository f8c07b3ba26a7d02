/** Input series of `promtool test rules`, from functions of time. */

import type { InputSeries } from '../promtool.js';

/** A quantity over time: constant, or its value at a minute; null where there is no sample. */
export type OverTime = number | ((minute: number) => number | null);

/** `startMinute`: the minute of the story at which the series begin. */
export type Clocked = {
  readonly minutes: number;
  readonly stepSeconds: number;
  readonly startMinute?: number;
};

export function at(quantity: OverTime, minute: number): number | null {
  return typeof quantity === 'number' ? quantity : quantity(minute);
}

export function gauge(series: string, value: OverTime, clock: Clocked): InputSeries {
  return { series, values: encode(minutesOf(clock).map((minute) => at(value, minute))) };
}

/** Grows by `perSecond`, from 0 again at each of the minutes `resets`; what has no rate has no sample. */
export function counter(
  series: string,
  perSecond: OverTime,
  clock: Clocked,
  resets: (minute: number) => boolean = () => false,
): InputSeries {
  let total = 0;
  const values = minutesOf(clock).map((minute, index) => {
    const rate = at(perSecond, minute);
    if (rate === null) return null;
    // What was counted before is lost; what came since is there.
    total = (resets(minute) ? 0 : total) + (index === 0 ? 0 : rate * clock.stepSeconds);
    return total;
  });
  return { series, values: encode(values) };
}

function minutesOf({ minutes, stepSeconds, startMinute = 0 }: Clocked): number[] {
  const steps = Math.floor((minutes * 60) / stepSeconds);
  return Array.from({ length: steps + 1 }, (_, index) => startMinute + (index * stepSeconds) / 60);
}

/** promtool's notation, runs of equal steps written as one. The first gap after samples is marked stale. */
function encode(values: readonly (number | null)[]): string {
  const parts: string[] = [];
  for (let index = 0; index < values.length; ) {
    const first = values[index] ?? null;
    if (first === null) {
      parts.push(index > 0 && values[index - 1] !== null ? 'stale' : '_');
      index += 1;
      continue;
    }
    const step = round((values[index + 1] ?? first) - first);
    let length = 0;
    for (;;) {
      const next = values[index + length + 1] ?? null;
      if (next === null || round(next - (values[index + length] ?? 0)) !== step) break;
      length += 1;
    }
    parts.push(length === 0 ? `${round(first)}` : `${round(first)}${step < 0 ? step : `+${step}`}x${length}`);
    index += length + 1;
  }
  return parts.join(' ');
}

function round(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
