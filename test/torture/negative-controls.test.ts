/**
 * Three known wrong builds beside the two of torture-kill.test.ts. The healthy build tells the same story without a
 * fault; with each of them the books do not balance, or nobody is paged.
 */

import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildDist, copyDist, REPOSITORY } from '../../bench/torture/build-dist.js';
import { createSteppedClock, type SteppedClock } from '../../bench/torture/clock-shim.js';
import { applyMutant, type Mutant } from '../../bench/torture/mutants.js';
import { isFaultless } from '../../bench/torture/reconcile.js';
import { runScenario, type ScenarioOptions } from '../../bench/torture/scenario.js';

const home = join(REPOSITORY, '.wakewell', `controls-test-${process.pid}`);
let dist = '';
let clock: SteppedClock;

beforeAll(() => {
  dist = buildDist(join(home, 'healthy'));
  mkdirSync(join(home, 'clock'));
  clock = createSteppedClock(join(home, 'clock'));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

function mutantOf(mutant: Mutant): string {
  const mutated = copyDist(dist, join(home, mutant));
  applyMutant(mutated, mutant);
  return mutated;
}

function tell(build: string, options: Partial<ScenarioOptions> = {}) {
  return runScenario({ dist: build, workDirectory: join(home, 'run'), first: () => ({}), ...options });
}

/** The night in which Europe's clocks go back: half past two comes twice, and this is the second time. */
const REPEATED_HOUR_MS = Date.UTC(2026, 9, 25, 1, 30);

function tellInRepeatedHour(build: string, withinMs: number) {
  clock.stepTo(Math.round((REPEATED_HOUR_MS - Date.now()) / 1000));
  return tell(build, { blind: true, env: { ...clock.env, TZ: 'Europe/Vienna' }, withinMs });
}

describe('the healthy build', () => {
  test('tells the story without a fault', async () => {
    const report = await tell(dist);

    expect(report.faults).toEqual([]);
    expect(isFaultless(report)).toBe(true);
    expect(report).toMatchObject({ settled: true, triggers: 1, starts: 1, firstExit: { code: 0 } });
  }, 60_000);

  test.each([-7_200, 7_200])(
    'pages in time when the wall clock steps by %i s under it',
    async (step) => {
      clock.stepTo(0);
      const report = await tell(dist, { blind: true, env: clock.env, beforeStory: () => clock.stepTo(step) });

      expect(report).toMatchObject({ settled: true, triggers: 1 });
      expect(report.firstPageMs).toBeLessThan(15_000);
    },
    60_000,
  );

  test('pages in time in the hour that comes twice', async () => {
    const report = await tellInRepeatedHour(dist, 30_000);

    expect(report).toMatchObject({ settled: true, triggers: 1 });
    expect(report.firstPageMs).toBeLessThan(15_000);
  }, 60_000);
});

test('a build whose pages wait for a node-cron ticker pages nobody in the hour that comes twice', async () => {
  const report = await tellInRepeatedHour(mutantOf('cron-ticker'), 12_000);

  expect(report.settled).toBe(false);
  expect(report.triggers).toBe(0);
}, 60_000);

test('a build that makes its dedup key of the summary is found out by keys that no episode has', async () => {
  const report = await tell(mutantOf('key-from-summary'));

  expect(report.extra_dedup_keys).toBeGreaterThan(0);
  expect(isFaultless(report)).toBe(false);
}, 60_000);

test('a build that answers 429 is found out by the alerts that Alertmanager then drops', async () => {
  const report = await tell(mutantOf('too-many-requests'));

  expect(report.answers_4xx).toBeGreaterThan(0);
  expect(isFaultless(report)).toBe(false);
}, 60_000);
