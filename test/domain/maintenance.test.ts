import { describe, expect, test } from 'vitest';
import { type MaintenanceWindow, occurrenceAt } from '../../src/domain/maintenance.js';

const HOUR = 3_600_000;
const at = (text: string) => Date.parse(text);
const weekly = (days: number[], atMinutes: number, hours: number, timeZone: string): MaintenanceWindow => ({
  comment: 'upgrade',
  matchers: [],
  when: { days, atMinutes, forMs: hours * HOUR, timeZone },
});
const runs = (window: MaintenanceWindow, text: string) => {
  const found = occurrenceAt(window, at(text));
  return found === null
    ? null
    : [new Date(found.startMs).toISOString(), (found.endMs - found.startMs) / HOUR];
};

describe('a window', () => {
  test('once runs from its beginning to just before its end', () => {
    const window: MaintenanceWindow = {
      comment: 'c',
      matchers: [],
      when: { fromMs: at('2026-11-26T02:00:00Z'), untilMs: at('2026-11-26T06:00:00Z') },
    };

    expect(runs(window, '2026-11-26T01:59:59Z')).toBeNull();
    expect(runs(window, '2026-11-26T02:00:00Z')).toEqual(['2026-11-26T02:00:00.000Z', 4]);
    expect(runs(window, '2026-11-26T06:00:00Z')).toBeNull();
  });

  test('weekly runs on its days, over midnight and for days', () => {
    const night = weekly([6], 23 * 60, 4, 'UTC');
    expect(runs(night, '2026-11-29T01:00:00Z')).toEqual(['2026-11-28T23:00:00.000Z', 4]);
    expect(runs(night, '2026-11-29T03:00:00Z')).toBeNull();
    expect(runs(weekly([5], 0, 72, 'UTC'), '2026-11-29T23:00:00Z')).toEqual(['2026-11-27T00:00:00.000Z', 72]);
  });

  test('begins by the clock on the wall of its zone, in winter and in summer', () => {
    const sunday = weekly([0], 120, 2, 'Europe/Vienna');
    expect(runs(sunday, '2026-01-04T01:30:00Z')).toEqual(['2026-01-04T01:00:00.000Z', 2]);
    expect(runs(sunday, '2026-07-05T00:30:00Z')).toEqual(['2026-07-05T00:00:00.000Z', 2]);
  });

  test.each([
    ['spring, when 02:00 does not exist', '2026-03-29T01:10:00Z', '2026-03-29T01:00:00.000Z'],
    ['autumn, when it exists once and 03:00 twice', '2026-10-25T00:30:00Z', '2026-10-25T00:00:00.000Z'],
  ])('lasts as long as it says across %s', (_name, now, start) => {
    const sunday = weekly([0], 120, 3, 'Europe/Vienna');
    let minutes = 0;
    for (let ms = at(now) - 6 * HOUR; ms < at(now) + 8 * HOUR; ms += 60_000) {
      if (occurrenceAt(sunday, ms) !== null) minutes += 1;
    }

    expect(runs(sunday, now)).toEqual([start, 3]);
    expect(minutes).toBe(180);
  });
});
