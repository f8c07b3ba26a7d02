import { nodeCron } from 'node-cron';
import { expect, onTestFinished, test, vi } from 'vitest';
import { HOUR, MINUTE, SECOND } from '../../src/domain/clock.js';
import { startScheduledJob } from '../../src/jobs/scheduled-job.js';
import { keptLog } from '../receivers/receiver-setup.js';
import { createManualClock } from '../support/manual-clock.js';
import { TEST_NOW_MS } from '../support/test-database.js';

/** A cron that runs only when told, and says that the next run is in an hour. */
function setUp(run: (signal: AbortSignal) => Promise<object>) {
  const clock = createManualClock({ nowMs: TEST_NOW_MS });
  const missed: (string | null)[] = [];
  const ran: string[] = [];
  const log = keptLog();
  let tick: () => unknown = () => {};
  const job = startScheduledJob({
    name: 'backup',
    schedule: '23 * * * *',
    run,
    cron: {
      schedule(_expression, fn) {
        tick = fn;
        return { msToNext: () => HOUR, destroy: () => {} };
      },
    },
    clock,
    logger: log,
    metrics: { jobRan: (job, outcome) => void ran.push(`${job} ${outcome}`), jobMissed: () => {} },
    onMissed: (detail) => void missed.push(detail),
  });
  onTestFinished(() => job.stop());
  return { clock, missed, ran, log, job, tick: () => tick() as Promise<void> };
}

test('a job that runs when it is due is logged and counted, and nothing is missed', async () => {
  const { clock, missed, ran, log, tick } = setUp(async () => ({ bytes: 4096 }));
  for (let hour = 0; hour < 5; hour += 1) {
    await clock.advance(HOUR);
    await tick();
  }

  expect(ran).toEqual(Array(5).fill('backup succeeded'));
  expect(new Set(missed)).toEqual(new Set([null]));
  expect(log.lines()[0]).toContain('"bytes":4096');
});

test('a job that nobody calls is said to be missed and is run, though the wall clock was stepped back', async () => {
  const { clock, missed, ran } = setUp(async () => ({}));
  clock.setWall(TEST_NOW_MS - 2 * HOUR);
  await clock.advance(HOUR + 9 * MINUTE);
  expect(missed).toEqual([]);

  await clock.advance(3 * MINUTE);
  expect(missed).toEqual(['backup did not run when it was due (23 * * * *)', null]);
  expect(ran).toEqual(['backup succeeded']);
});

test('a job that fails is missed until it succeeds', async () => {
  let fails = true;
  const { missed, ran, tick } = setUp(async () => {
    if (fails) throw new Error('no space left on device');
    return {};
  });
  await tick();
  expect(missed).toEqual(['backup failed: no space left on device']);

  fails = false;
  await tick();
  expect(missed.at(-1)).toBeNull();
  expect(ran).toEqual(['backup failed', 'backup succeeded']);
});

test('stopping gives up the run under way, which is no failure', async () => {
  const { job, missed, ran, tick } = setUp(
    (signal) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))),
  );
  const turn = tick();
  await job.stop();
  await turn;

  expect(missed).toEqual([]);
  expect(ran).toEqual([]);
});

test('the real cron calls it at the minute, in UTC', async () => {
  vi.useFakeTimers({ now: Date.UTC(2026, 9, 25, 0, 22, 58), toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  onTestFinished(() => void vi.useRealTimers());
  const ranAt: string[] = [];
  const clock = createManualClock({ nowMs: TEST_NOW_MS });
  const job = startScheduledJob({
    name: 'backup',
    schedule: '23 * * * *',
    run: async () => {
      ranAt.push(new Date().toISOString());
      return {};
    },
    cron: nodeCron,
    clock,
    logger: keptLog(),
  });
  // The night in which Europe's clocks go back: an hour is doubled there, not in UTC.
  await vi.advanceTimersByTimeAsync(3 * HOUR + 5 * SECOND);
  await job.stop();

  expect(ranAt.map((at) => at.slice(11, 16))).toEqual(['00:23', '01:23', '02:23', '03:23']);
});
