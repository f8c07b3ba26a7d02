/** Kills and failing calls at counted points: few here, any number by `npm run torture:points`. */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildDist, REPOSITORY } from '../../bench/torture/build-dist.js';
import { arePointsClean, choosePoints, runPoints } from '../../bench/torture/run-points.js';
import { hasStrace, type PointCall } from '../../bench/torture/strace.js';

const home = join(REPOSITORY, '.wakewell', `points-test-${process.pid}`);
let dist = '';
// With CI=true its absence is a failure.
const isPossible = hasStrace() || process.env.CI === 'true';

beforeAll(() => {
  if (isPossible) dist = buildDist(home);
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

test('points are spread over all calls, rare ones included, each once', () => {
  const calls = new Map<PointCall, number>([
    ['pwrite64', 600],
    ['fsync', 50],
    ['writev', 20],
    ['rename', 2],
  ]);
  const chosen = choosePoints(calls, { points: 80, action: 'kill', seed: 3 });

  expect(chosen).toHaveLength(80);
  expect(new Set(chosen.map(({ call, ordinal }) => `${call} ${ordinal}`)).size).toBe(80);
  expect(chosen.filter(({ call }) => call === 'rename')).toHaveLength(2);
  expect(chosen.filter(({ call }) => call === 'fsync').length).toBeGreaterThanOrEqual(10);
  for (const { call, ordinal } of chosen) expect(ordinal).toBeLessThanOrEqual(calls.get(call) ?? 0);
  expect(choosePoints(calls, { points: 5_000, action: 'EIO', seed: 1 })).toHaveLength(650);
});

test.skipIf(!isPossible)(
  'twelve kills at counted syncs, writes, sends and renames lose and double nothing (B2, B3)',
  async () => {
    const report = await runPoints({
      dist,
      workDirectory: join(home, 'kills'),
      points: 12,
      action: 'kill',
      lanes: 2,
      seed: 2,
      onProgress: () => {},
    });

    expect(report.faults).toEqual([]);
    expect(arePointsClean(report)).toBe(true);
    expect(report.points).toBeGreaterThanOrEqual(10);
  },
  240_000,
);
