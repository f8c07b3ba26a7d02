import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { firings } from '../../src/generate/firings.js';

const STEP = 30_000;
const FOR = 120_000;

/** One point for every step of the pattern that is no blank, its index as value. */
const points = (pattern: string) =>
  [...pattern].flatMap((mark, index) => (mark === ' ' ? [] : [[index * STEP, index] as const]));
const at = (index: number) => index * STEP;

describe('a rule with for', () => {
  test('fires at the first evaluation at which it held for all of it', () => {
    expect(firings(points('  xxxxxxx'), FOR, STEP)).toEqual([
      { sinceMs: at(2), firedAtMs: at(6), value: 6, lastMs: at(8) },
    ]);
  });

  test('does not fire when it held for one evaluation less', () => {
    expect(firings(points('xxxx xxxx'), FOR, STEP)).toEqual([]);
  });

  test('is pending anew after one evaluation without an answer', () => {
    expect(firings(points('xxxxxx xxxxx'), FOR, STEP)).toEqual([
      { sinceMs: at(0), firedAtMs: at(4), value: 4, lastMs: at(5) },
      { sinceMs: at(7), firedAtMs: at(11), value: 11, lastMs: at(11) },
    ]);
  });

  test('without for fires at its first answer', () => {
    expect(firings(points(' x x'), 0, STEP).map(({ firedAtMs }) => firedAtMs)).toEqual([at(1), at(3)]);
  });

  test('fires as Prometheus does, evaluation by evaluation', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 80 }), fc.nat(6), (answers, forSteps) => {
        const pattern = answers.map((one) => (one ? 'x' : ' ')).join('');

        const found = firings(points(pattern), forSteps * STEP, STEP);

        const firing = (index: number) =>
          found.some(({ firedAtMs, lastMs }) => firedAtMs <= at(index) && at(index) <= lastMs);
        let activeAt: number | null = null;
        answers.forEach((answered, index) => {
          activeAt = answered ? (activeAt ?? index) : null;
          expect(firing(index)).toBe(activeAt !== null && index - activeAt >= forSteps);
        });
      }),
    );
  });
});
