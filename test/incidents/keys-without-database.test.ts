import { expect, test } from 'vitest';
import { criticalOpenings } from '../../src/incidents/keys-without-database.js';
import { aGroup, anAlert, resolvedCopy } from '../support/build.js';
import { createIntakeHarness } from '../support/intake-harness.js';
import { TEST_NOW_MS } from '../support/test-database.js';

const options = { explains: (cause: string) => cause === 'LLMKVCachePressure', nowMs: TEST_NOW_MS + 7 };

test('the key paged without the database is the key of the episode once the redelivery is committed', async () => {
  const h = createIntakeHarness();
  const group = aGroup([
    anAlert({ startsAtMs: TEST_NOW_MS - 5000 }),
    anAlert({ name: 'LLMKVCachePressure', startsAtMs: TEST_NOW_MS - 9000 }),
  ]);

  const openings = criticalOpenings(group, options);
  await h.receiveGroup(group);

  expect(openings.map((one) => one.dedupKey)).toEqual([(await h.view()).episode.dedupKey]);
  expect(openings[0]).toMatchObject({ alertName: 'LLMKVCachePressure', scope: { model: 'llama-70b' } });
});

test('warnings and resolved alerts page nobody', () => {
  const group = aGroup([
    anAlert({ severity: 'warning' }),
    resolvedCopy(anAlert({ labels: { model: 'other' } }), TEST_NOW_MS),
  ]);

  expect(criticalOpenings(group, options)).toEqual([]);
});
