/**
 * npm run torture:kill -- --kills N [--lanes 2] [--seed S] [--powercut-share 0.5] [--mutant …] [--min-accepted N] [--keep]
 *
 * Kills the built service at random under load and proves from its database, Alertmanager's records and the
 * pager's that nothing accepted was lost and nobody was woken twice. One JSON line last; exit 0 only when clean.
 */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildDist, REPOSITORY } from './torture/build-dist.js';
import { runLanes } from './torture/lanes.js';
import { applyMutant, MUTANTS } from './torture/mutants.js';
import { isClean } from './torture/run-torture.js';

const USAGE_EXIT = 2;

function readArgs() {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '100' },
      lanes: { type: 'string', default: '2' },
      seed: { type: 'string', default: '1' },
      'powercut-share': { type: 'string', default: '0.5' },
      'min-accepted': { type: 'string', default: '1000' },
      mutant: { type: 'string' },
      keep: { type: 'boolean', default: false },
    },
  });
  const number = (name: 'kills' | 'lanes' | 'seed' | 'powercut-share' | 'min-accepted', most: number) => {
    const value = Number(values[name]);
    if (!(value >= 0 && value <= most)) throw new Error(`--${name}: expected a number from 0 to ${most}`);
    return value;
  };
  const mutant = MUTANTS.find((known) => known === values.mutant) ?? null;
  if (values.mutant !== undefined && mutant === null) {
    throw new Error(`--mutant: expected one of ${MUTANTS.join(', ')}, found "${values.mutant}"`);
  }
  return {
    kills: Math.floor(number('kills', 100_000)),
    lanes: Math.max(1, Math.floor(number('lanes', 16))),
    seed: Math.floor(number('seed', 2 ** 27)),
    powerCutShare: number('powercut-share', 1),
    minAccepted: number('min-accepted', 1_000_000),
    mutant,
    keep: values.keep,
  };
}

type Args = ReturnType<typeof readArgs>;

async function main(): Promise<number> {
  let args: Args;
  try {
    args = readArgs();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return USAGE_EXIT;
  }
  // Inside the repository, where the build finds node_modules; ignored by git.
  const home = join(REPOSITORY, '.wakewell', `torture-${process.pid}`);
  try {
    const dist = buildDist(home);
    if (args.mutant !== null) applyMutant(dist, args.mutant);
    return await torture(args, dist, join(home, 'run'));
  } catch (error) {
    console.error(error);
    return USAGE_EXIT;
  } finally {
    if (args.keep) console.error(`kept: ${home}`);
    else rmSync(home, { recursive: true, force: true });
  }
}

async function torture(args: Args, dist: string, workDirectory: string): Promise<number> {
  try {
    const onProgress = (line: string) => console.error(line);
    const startedAt = performance.now();
    const { faults, ...report } = await runLanes({ ...args, dist, workDirectory, onProgress });
    for (const fault of faults) console.error(fault);
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    console.log(JSON.stringify({ ...report, mutant: args.mutant, seconds }));
    return isClean({ ...report, faults }) ? 0 : 1;
  } catch (error) {
    // A service that cannot be started, or a database that cannot be read, is a result as well.
    console.log(JSON.stringify({ kills: args.kills, error: String(error), mutant: args.mutant }));
    return 1;
  }
}

process.exitCode = await main();
