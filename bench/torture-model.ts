/**
 * `npm run torture:model -- --seeds 100000`: the sequences of test/model, as many as wanted. `--seed S --path P` plays one
 * again that failed. Exit 1 when an invariant does not hold.
 */

import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '2000' },
    seed: { type: 'string' },
    path: { type: 'string' },
  },
});
const { status } = spawnSync('npx', ['vitest', 'run', 'test/model/model-1.test.ts'], {
  stdio: 'inherit',
  env: {
    ...process.env,
    WAKEWELL_SEEDS: values.seeds,
    WAKEWELL_SEED: values.seed ?? String(Date.now() % 2 ** 31),
    ...(values.path === undefined ? {} : { WAKEWELL_PATH: values.path }),
  },
});
process.exitCode = status ?? 1;
