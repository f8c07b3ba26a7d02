/**
 * The promise, tested in the only way that counts: the built service is killed under load, and the books
 * must balance afterwards. Two builds with a known fault must be found out, else the clean run proves nothing.
 */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildDist, copyDist, REPOSITORY } from '../../bench/torture/build-dist.js';
import { runLanes } from '../../bench/torture/lanes.js';
import { applyMutant, type Mutant } from '../../bench/torture/mutants.js';
import { isClean, runTorture } from '../../bench/torture/run-torture.js';

const home = join(REPOSITORY, '.wakewell', `torture-test-${process.pid}`);
let dist = '';

beforeAll(() => {
  dist = buildDist(join(home, 'healthy'));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

function torture(
  name: string,
  options: {
    dist: string;
    kills: number;
    minAccepted: number;
    powerCutShare: number;
    settleWithinMs: number;
    killAtRefusedPage?: boolean;
  },
) {
  return runTorture({ ...options, seed: 7, workDirectory: join(home, name, 'run'), onProgress: () => {} });
}

function tortureMutant(mutant: Mutant, powerCutShare: number) {
  const mutated = copyDist(dist, join(home, mutant));
  applyMutant(mutated, mutant);
  return torture(mutant, {
    dist: mutated,
    // The second needs no luck.
    kills: mutant === 'mark-before-send' ? 3 : 6,
    minAccepted: 100,
    powerCutShare,
    settleWithinMs: 20_000,
    // Time decides whether a random kill falls between the mark and the call; this one always does.
    killAtRefusedPage: mutant === 'mark-before-send',
  });
}

test('50 kills, half of them power cuts, lose nothing, double nothing and leave nobody unpaged', async () => {
  const report = await runLanes({
    dist,
    lanes: 2,
    kills: 50,
    minAccepted: 1_000,
    powerCutShare: 0.5,
    settleWithinMs: 90_000,
    seed: 7,
    workDirectory: join(home, 'healthy-run'),
    onProgress: () => {},
  });

  expect(report.faults).toEqual([]);
  expect(report).toMatchObject({
    kills: 50,
    answers_4xx: 0,
    lost: 0,
    duplicate_incidents: 0,
    unpaged_critical: 0,
    extra_dedup_keys: 0,
    triggers_after_resolve: 0,
    late_pages: 0,
    left_open: 0,
    integrity: 'ok',
    settled: true,
  });
  expect(isClean(report)).toBe(true);
  expect(report.accepted).toBeGreaterThanOrEqual(1_000);
  expect(report.power_cuts).toBeGreaterThanOrEqual(10);
  expect(report.max_page_after_restart_ms).toBeLessThanOrEqual(15_000);
}, 300_000);

test('a build that does not sync its commits is found out by the power cuts', async () => {
  const report = await tortureMutant('synchronous-off', 1);

  expect(report.lost).toBeGreaterThan(0);
  expect(isClean(report)).toBe(false);
}, 90_000);

test('a build that marks a page as sent before sending it is found out by the pager’s own books', async () => {
  const report = await tortureMutant('mark-before-send', 0);

  expect(report.unpaged_critical).toBeGreaterThan(0);
  expect(isClean(report)).toBe(false);
}, 90_000);
