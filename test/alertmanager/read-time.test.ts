import { expect, test } from 'vitest';
import { readTime } from '../../src/alertmanager/read-time.js';

test.each([
  ['2026-11-21T23:51:01.538482583Z', Date.UTC(2026, 10, 21, 23, 51, 1, 538)],
  ['2026-11-21T23:51:01Z', Date.UTC(2026, 10, 21, 23, 51, 1)],
  ['2026-11-22T13:51:01+14:00', Date.UTC(2026, 10, 21, 23, 51, 1)],
  ['2026-11-21T22:51:01.5-01:00', Date.UTC(2026, 10, 21, 23, 51, 1, 500)],
  ['2026-11-21T23:51:01', Date.UTC(2026, 10, 21, 23, 51, 1)],
  ['2016-12-31T23:59:60Z', Date.UTC(2017, 0, 1)],
  ['9999-12-31T23:59:59Z', Date.UTC(9999, 11, 31, 23, 59, 59)],
])('%s is a moment', (text, expected) => {
  expect(readTime(text)).toBe(expected);
});

test.each([
  '0001-01-01T00:00:00Z',
  '1970-01-01T00:00:00Z',
  '0099-01-01T00:00:00Z',
  'yesterday',
  '2026-13-01T00:00:00Z',
  '2026-01-01T25:00:00Z',
  '',
  null,
  undefined,
  1_795_305_062_543,
  `2026-11-21T23:51:01.${'9'.repeat(100)}Z`,
])('%j says no moment', (value) => {
  expect(readTime(value)).toBeNull();
});
