/**
 * npm run torture:points -- --points N [--action kill|EIO|ENOSPC|EROFS|EDQUOT] [--lanes 2] [--seed S] [--keep]
 *
 * Kills the built service at N counted system calls of a small fixed story (or makes the call fail), and proves after
 * each that nothing accepted was lost and nobody was woken twice. One JSON line last; exit 0 only when clean.
 */

import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildDist, REPOSITORY } from './torture/build-dist.js';
import { arePointsClean, POINT_ACTIONS, runPoints } from './torture/run-points.js';
import { hasStrace } from './torture/strace.js';

const USAGE_EXIT = 2;

function readArgs() {
  const { values } = parseArgs({
    options: {
      points: { type: 'string', default: '200' },
      action: { type: 'string', default: 'kill' },
      lanes: { type: 'string', default: '2' },
      seed: { type: 'string', default: '1' },
      keep: { type: 'boolean', default: false },
    },
  });
  const whole = (name: 'points' | 'lanes' | 'seed', most: number) => {
    const value = Number(values[name]);
    if (!(Number.isInteger(value) && value >= 1 && value <= most)) {
      throw new Error(`--${name}: expected a whole number from 1 to ${most}, found "${values[name]}"`);
    }
    return value;
  };
  const action = POINT_ACTIONS.find((known) => known === values.action);
  if (action === undefined) {
    throw new Error(`--action: expected one of ${POINT_ACTIONS.join(', ')}, found "${values.action}"`);
  }
  if (!hasStrace()) throw new Error('strace is not installed');
  return {
    points: whole('points', 100_000),
    lanes: whole('lanes', 16),
    seed: whole('seed', 2 ** 27),
    action,
    keep: values.keep,
  };
}

async function main(): Promise<number> {
  // Inside the repository, where the build finds node_modules; ignored by git.
  const home = join(REPOSITORY, '.wakewell', `points-${process.pid}`);
  try {
    const { keep, ...args } = readArgs();
    mkdirSync(home, { recursive: true });
    const startedAt = performance.now();
    try {
      const workDirectory = join(home, 'run');
      mkdirSync(workDirectory);
      const onProgress = (line: string) => console.error(line);
      const report = await runPoints({ ...args, dist: buildDist(home), workDirectory, onProgress });
      for (const fault of report.faults) console.error(fault);
      const seconds = Math.round((performance.now() - startedAt) / 1000);
      console.log(JSON.stringify({ ...report, faults: report.faults.length, seconds }));
      return arePointsClean(report) ? 0 : 1;
    } finally {
      if (keep) console.error(`kept: ${home}`);
      else rmSync(home, { recursive: true, force: true });
    }
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return USAGE_EXIT;
  }
}

process.exitCode = await main();
