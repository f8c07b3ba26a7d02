/**
 * Every stage that could fall silent, one build each: who finds it, and after how long. The healthy build goes through
 * the same stories without anybody missing anything.
 */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildDist, copyDist, REPOSITORY } from '../../bench/torture/build-dist.js';
import { MINUTE, SECOND } from '../../src/domain/clock.js';
import { tellOfTheJobs, tellOfTheLock } from './short-stories.js';
import { SILENT_STAGES, type StoryName, silence } from './silent-mutants.js';
import { type Catch, tellStory } from './story.js';

const home = join(REPOSITORY, '.wakewell', `silent-test-${process.pid}`);
const NAMES = Object.keys(SILENT_STAGES) as StoryName[];
const STAGES = NAMES.flatMap((story) =>
  SILENT_STAGES[story].map(([stage, caughtBy, patch]) => ({ story, stage, caughtBy, patch })),
);
const table: string[] = [];
let healthy = '';

beforeAll(() => {
  healthy = buildDist(join(home, 'healthy'));
});
afterAll(() => {
  rmSync(home, { recursive: true, force: true });
  console.info(table.join('\n'));
});

async function tell(dist: string, story: StoryName): Promise<Catch | null> {
  const load = (file: string) => import(/* @vite-ignore */ pathToFileURL(join(dist, file)).href);
  const { buildApp } = await load('app.js');
  if (story === 'locked') return tellOfTheLock(buildApp);
  if (story !== 'jobs') return tellStory(buildApp, story);
  const { openDatabase } = await load('store/database.js');
  const { startHousekeeping } = await load('jobs/housekeeping.js');
  return tellOfTheJobs({ openDatabase, startHousekeeping });
}

test.each(NAMES)('nobody misses anything in the healthy build: %s', async (story) => {
  expect(await tell(healthy, story)).toBeNull();
});

test.each(STAGES)('$stage: $caughtBy, in $story', async ({ story, stage, caughtBy, patch }) => {
  const dist = copyDist(healthy, join(home, `${story} ${stage}`));
  silence(dist, patch);

  const found = await tell(dist, story);

  table.push(`${stage} | ${found?.by ?? 'nobody'} | ${(found?.atMs ?? 0) / SECOND} s`);
  expect(found?.by ?? 'nobody').toContain(caughtBy);
  expect(found?.atMs).toBeLessThanOrEqual(15 * MINUTE);
});

test('there are twenty and more', () => {
  expect(new Set(STAGES.map(({ stage }) => stage)).size).toBeGreaterThanOrEqual(20);
});
