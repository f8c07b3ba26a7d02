/** Incidents reported by others, written by hand: each replays, always the same, and the score is printed whatever it is. */

import { expect, test } from 'vitest';
import {
  handMadeTop1,
  readHandMade,
  scoreHandMade,
  toRecording,
} from '../../bench/support/hand-made-recording.js';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { canonicalDiagnosis } from '../../src/diagnosis/compare-diagnoses.js';
import { decodeRecording, encodeRecording } from '../../src/diagnosis/recording.js';
import { replay } from '../../src/diagnosis/replay.js';
import { BUILT_IN } from '../support/playbooks.js';

const ALL = readHandMade();

test('there are at least twenty, each with its own citation, what was reported and what was filled in', () => {
  expect(ALL.length).toBeGreaterThanOrEqual(20);
  for (const { name, source, reported, filled_in } of ALL) {
    expect(source, name).toMatch(/^https:\/\/github\.com\/[^/]+\/[^/]+\/(?:issues|pull)\/\d+$/);
    expect(reported.length, name).toBeGreaterThan(60);
    expect(filled_in.length, name).toBeGreaterThan(2);
  }
});

test.each(ALL.map((made) => [made.name, made] as const))(
  '%s replays, twice the same, also from its bytes',
  async (_name, made) => {
    const alert = { name: made.alert, labels: { alertname: made.alert }, expression: null };
    const options = { entries: BUILT_IN.entries, thresholds: DEFAULT_THRESHOLDS, alert };
    const recording = toRecording(made);
    const decoded = decodeRecording(encodeRecording(recording));
    if (decoded.kind !== 'ok') throw new Error(decoded.reason);

    const first = canonicalDiagnosis(await replay(recording, options));
    const second = canonicalDiagnosis(await replay(recording, options));
    const fromBytes = canonicalDiagnosis(await replay(decoded.recording, options));

    expect(second).toBe(first);
    expect(fromBytes).toBe(first);
  },
);

test('every expected cause is one that some playbook knows', () => {
  const known = new Set(BUILT_IN.entries.flatMap(({ causes }) => causes.map(({ id }) => id)));

  for (const { name, expected } of ALL) {
    expect(
      expected.some((cause) => known.has(cause)),
      `${name}: ${expected.join(', ')}`,
    ).toBe(true);
  }
});

test('the score is printed, whatever it is', async () => {
  const results = await scoreHandMade(ALL);
  const score = handMadeTop1(results);

  console.info(`hand_made_top1 ${score.toFixed(3)} of ${results.length}`);
  expect(results).toHaveLength(ALL.length);
  expect(score).toBeGreaterThanOrEqual(0);
});
