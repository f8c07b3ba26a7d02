import { describe, expect, test } from 'vitest';
import { all, any, holds, parseComparison } from '../../src/playbook/condition.js';

const THRESHOLDS = { 'kv.full': 0.9 };
const NAMES = new Set(['max', 'median', 'queue.sum']);
const names = {
  isThreshold: (name: string) => Object.hasOwn(THRESHOLDS, name),
  isNumber: (name: string) => NAMES.has(name) || name.startsWith('share.'),
};

function result(
  text: string,
  tested: number | undefined,
  numbers: Record<string, number> = {},
): boolean | null | string {
  const parsed = parseComparison(text, names);
  return parsed.kind === 'faulty' ? parsed.reason : holds(parsed.comparison, tested, numbers, THRESHOLDS);
}

describe('a condition', () => {
  test.each([
    ['> 0.9', 0.91, {}, true],
    ['> 0.9', 0.9, {}, false],
    ['>= 90%', 0.9, {}, true],
    ['< kv.full', 0.89, {}, true],
    ['<= 2 * kv.full', 1.8, {}, true],
    ['max > 3 * median', undefined, { max: 31, median: 10 }, true],
    ['max > 3 * median', undefined, { max: 30, median: 10 }, false],
    ['queue.sum > 0', undefined, { 'queue.sum': 1 }, true],
    ['max>1e3', undefined, { max: 1001 }, true],
    // A value of the label that did not occur has a share of 0, but only where shares were seen.
    ['share.oom >= 30%', undefined, { share_seen: 1 }, false],
    ['share.oom >= 30%', undefined, {}, null],
    // Not seen is neither true nor false.
    ['> 0.9', undefined, {}, null],
    ['> 0.9', Number.NaN, {}, null],
    ['max > 3 * median', undefined, { max: 31 }, null],
  ] as const)('%s of %s with %j is %s', (text, tested, numbers, expected) => {
    expect(result(text, tested, numbers)).toBe(expected);
  });

  test.each([
    '',
    '> ',
    '0.9',
    '= 0.9',
    '> -1',
    '> 0x10',
    '> 1; process.exit()',
    'max > max > max',
    '> 0.9 and > 1',
    'x{y} > 1',
  ])('%j is refused', (text) => {
    expect(result(text, 1)).toMatch(/cannot read condition/);
  });

  test.each(['> kv.fulll', 'maxx > 1', '> constructor'])('%j names something unknown', (text) => {
    expect(result(text, 1)).toMatch(/unknown name/);
  });
});

test('three-valued logic: one false decides "all", one true decides "any", else the unseen does', () => {
  expect([all([]), all([true, null]), all([false, null])]).toEqual([true, null, false]);
  expect([any([]), any([false, null]), any([true, null])]).toEqual([false, null, true]);
});
