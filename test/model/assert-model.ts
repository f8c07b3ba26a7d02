/**
 * Any sequence of alerts, acts, crashes, clock steps and faults of the pager keeps the invariants. A failing one is shrunk
 * and printed with its seed and path: `npm run torture:model -- --seed S --path P` plays it again.
 */

import fc from 'fast-check';
import { play } from './play.js';
import { steps } from './steps.js';

const { WAKEWELL_SEEDS, WAKEWELL_SEED: seed, WAKEWELL_PATH: path } = process.env;

/** A thousand seeds a file: two run side by side. The command says how many in its stead. */
export const SEEDS = Number(WAKEWELL_SEEDS ?? 1000);

/** `firstSeed` where none is given: the suite plays the same sequences every time, the command others. */
export async function assertModel(firstSeed: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(steps, (sequence) => play(sequence)),
    {
      numRuns: SEEDS,
      seed: Number(seed ?? firstSeed),
      ...(path === undefined ? {} : { path, endOnFailure: true }),
    },
  );
}
