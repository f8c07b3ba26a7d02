/**
 * A storm upon the built service with its shipped settings, small enough for every run, and the books that judge it:
 * each promise that is broken in them must be found.
 */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { buildDist, REPOSITORY } from '../../bench/torture/build-dist.js';
import { runStorm } from '../../bench/torture/run-storm.js';
import { closeBooks, isKept, namedIn, type StormEvidence } from '../../bench/torture/storm-books.js';

const home = join(REPOSITORY, '.wakewell', `storm-test-${process.pid}`);
afterAll(() => rmSync(home, { recursive: true, force: true }));

test('10,000 alerts a minute, and 2,000 in one body: nothing refused, one page at once, every critical named', async () => {
  const report = await runStorm({
    dist: buildDist(home),
    workDirectory: join(home, 'run'),
    perMinute: 10_000,
    durationMs: 6_000,
    burst: 2_000,
    seed: 3,
    onProgress: () => {},
  });

  expect(report).toMatchObject({
    answers_4xx: 0,
    unanswered: 0,
    lost: 0,
    unlisted_critical: 0,
    integrity: 'ok',
  });
  expect(report.alerts).toBeGreaterThanOrEqual(2_900);
  expect(report.pages).toBeGreaterThanOrEqual(2);
  expect(report.pager_throttled + report.slack_throttled).toBe(0);
  expect(isKept(report)).toBe(true);
}, 120_000);

describe('the books of a storm', () => {
  const critical = '[["alertname","Down"],["severity","critical"]]';
  const storedEpisode = { dedupKey: 'k', severity: 'critical', startedAtMs: 1_000, endedAtMs: null };
  const kept: StormEvidence = {
    posts: [
      {
        sentAtMs: 900,
        answeredAtMs: 1_000,
        status: 200,
        count: 2,
        criticals: [critical],
        firing: [critical],
      },
    ],
    incidents: [
      { id: 7, problem: 'am Down', state: 'open', openedAtMs: 1_000, resolvedAtMs: null },
      { id: 8, problem: 'wakewell Alert storm', state: 'open', openedAtMs: 1_000, resolvedAtMs: null },
    ],
    episodes: [
      { ...storedEpisode, id: 1, incidentId: 7 },
      { ...storedEpisode, id: 2, incidentId: 8 },
    ],
    alerts: [{ incidentId: 7, labels: critical, status: 'firing' }],
    pages: [{ episodeId: 1, state: 'withheld', createdAtMs: 1_000, reason: null }],
    triggers: [{ atMs: 3_000, routingKey: 'r', names: namedIn('INC-3, INC-5 to INC-7') }],
    calls: [{ atMs: 3_000, routingKey: 'r' }],
    pages_sent: 1,
    problems: 1,
    nowMs: 90_000,
  };
  const judge = (change: Partial<StormEvidence>) => {
    const findings = closeBooks({ ...kept, ...change });
    return { ...findings, kept: isKept({ ...findings, rss_mb: 300 }) };
  };

  test('balance when all was kept', () => {
    expect(judge({})).toEqual({
      alerts: 2,
      answers_4xx: 0,
      unanswered: 0,
      lost: 0,
      first_page_ms: 2_100,
      max_events_per_min: 1,
      pages: 1,
      problems: 1,
      unlisted_critical: 0,
      longest_unlisted_ms: 2_000,
      kept: true,
    });
    expect(isKept({ ...closeBooks(kept), rss_mb: 401 })).toBe(false);
  });

  const post = kept.posts[0] ?? expect.fail();
  const late = kept.triggers.map((one) => ({ ...one, atMs: 70_000 }));
  const unnamed = kept.triggers.map((one) => ({ ...one, names: namedIn('INC-8') }));
  const many = Array.from({ length: 61 }, (_, n) => ({ atMs: 3_000 + n * 900, routingKey: 'r' }));
  test.each([
    ['a 4xx', { posts: [post, { ...post, status: 429 }] }, { answers_4xx: 1 }],
    ['a body that nobody took', { posts: [post, { ...post, status: 503 }] }, { unanswered: 1 }],
    ['an alert that is in no incident', { alerts: [] }, { lost: 1, unlisted_critical: 1 }],
    ['no page at all', { triggers: [] }, { first_page_ms: null, unlisted_critical: 1 }],
    ['a first page that comes late', { triggers: late }, { first_page_ms: 69_100, unlisted_critical: 1 }],
    ['a critical that no page names', { triggers: unnamed }, { unlisted_critical: 1 }],
    ['61 events in a minute', { calls: many }, { max_events_per_min: 61 }],
    ['more pages than problems', { pages_sent: 2 }, { pages: 2 }],
  ] as [string, Partial<StormEvidence>, object][])('show %s', (_, change, found) => {
    expect(judge(change)).toMatchObject({ ...found, kept: false });
  });

  test('count a budget by key and by any minute, and forgive what ended before it had to be named', () => {
    const twoKeys = many.map((one, n) => ({ ...one, routingKey: String(n % 2) }));
    expect(judge({ calls: twoKeys }).max_events_per_min).toBe(31);
    expect(judge({ calls: many.map((one, n) => ({ ...one, atMs: n * 2_000 })) }).max_events_per_min).toBe(30);
    const over = kept.episodes.map((one) => ({ ...one, endedAtMs: 50_000 }));
    expect(judge({ triggers: [], episodes: over }).unlisted_critical).toBe(0);
  });
});
