/**
 * npm run torture:storm -- [--per-minute 10000] [--minutes 3] [--burst 10000] [--seed S] [--keep]
 *
 * A storm upon the built service with its shipped settings, between doubles of PagerDuty and Slack that keep their
 * rate limits: nothing refused, the first critical paged at once, every other named within a minute, nobody woken
 * more often than there are problems. One JSON line last; exit 0 only when all of it was kept.
 */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildDist, REPOSITORY } from './torture/build-dist.js';
import { runStorm } from './torture/run-storm.js';
import { isKept } from './torture/storm-books.js';

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      'per-minute': { type: 'string', default: '10000' },
      minutes: { type: 'string', default: '3' },
      burst: { type: 'string', default: '10000' },
      seed: { type: 'string', default: '1' },
      keep: { type: 'boolean', default: false },
    },
  });
  const number = (name: 'per-minute' | 'minutes' | 'burst' | 'seed') => {
    const value = Number(values[name]);
    if (!(value >= 0)) throw new Error(`--${name}: expected a number, found "${values[name]}"`);
    return value;
  };
  // Inside the repository, where the build finds node_modules; ignored by git.
  const home = join(REPOSITORY, '.wakewell', `storm-${process.pid}`);
  try {
    const report = await runStorm({
      dist: buildDist(home),
      workDirectory: join(home, 'run'),
      perMinute: number('per-minute'),
      durationMs: number('minutes') * 60_000,
      burst: number('burst'),
      seed: number('seed'),
      onProgress: (line) => console.error(line),
    });
    console.log(JSON.stringify(report));
    return isKept(report) ? 0 : 1;
  } finally {
    if (values.keep) console.error(`kept: ${home}`);
    else rmSync(home, { recursive: true, force: true });
  }
}

process.exitCode = await main();
