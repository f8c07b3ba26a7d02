/** A test that cannot fail proves nothing: two of the worst faults, put in, are found within a hundred sequences. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OPTIONS, play } from './play.js';
import { steps } from './steps.js';

test.each([
  ['marked_before_sent', 'page_again first'],
  ['key_of_text', 'one key an episode'],
] as const)('finds %s', { timeout: 300_000 }, async (planted, message) => {
  const found = await fc.check(
    fc.asyncProperty(steps, (sequence) => play(sequence, { ...OPTIONS, planted })),
    { numRuns: 100, seed: 1, endOnFailure: true },
  );
  expect(found.failed).toBe(true);
  expect(String(found.errorInstance)).toContain(message);
});
