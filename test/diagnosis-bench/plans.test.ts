import { expect, test } from 'vitest';
import { cumulativeAt } from '../../bench/diagnosis/dialects/rebin.js';
import { shows } from '../../bench/diagnosis/engine-shows.js';
import { planRuns } from '../../bench/diagnosis/plan-runs.js';
import { classOf, hasFault } from '../../bench/diagnosis/score.js';
import { TRUTHS } from '../../bench/diagnosis/truths.js';

const mechanisms = Object.keys(TRUTHS);
const plans = planRuns({ runs: 800, seed: 3, engine: 'mixed', mechanisms });

test('the same seed plans the same runs, another one others', () => {
  const again = planRuns({ runs: 800, seed: 3, engine: 'mixed', mechanisms });
  const others = planRuns({ runs: 800, seed: 4, engine: 'mixed', mechanisms });

  expect(again).toEqual(plans);
  expect(others).not.toEqual(plans);
});

test('every mechanism is planned about as often, and a tenth is quiet or compound', () => {
  const faulty = plans.filter(hasFault);
  const counts = mechanisms
    .filter((mechanism) => TRUTHS[mechanism]?.fixes.length !== 0)
    .map((mechanism) => faulty.filter((plan) => plan.mechanisms[0] === mechanism).length);
  const quiet = plans.length - faulty.length;
  const compound = plans.filter((plan) => classOf(plan) === 'compound').length;

  expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
  expect((quiet + compound) / plans.length).toBeGreaterThanOrEqual(0.1);
  expect(quiet).toBeGreaterThan(0);
  expect(compound).toBeGreaterThan(0);
});

test('no engine is asked for what it cannot show', () => {
  expect(plans.filter((plan) => !shows(plan.engine, plan.mechanisms[0] ?? ''))).toEqual([]);
});

test('counts at equal edges stay as they are, at others they lie between their neighbours', () => {
  const histogram = { bounds: [1, 10, 100], counts: [4, 2, 3, 1], sum: 0, count: 10 };

  expect(cumulativeAt(histogram, [1, 10, 100])).toEqual([4, 6, 9]);
  const [half, within, beyond] = cumulativeAt(histogram, [0.5, Math.sqrt(10), 1000]);
  expect(half).toBeCloseTo(2);
  expect(within).toBeCloseTo(5);
  expect(beyond).toBe(9);
});
