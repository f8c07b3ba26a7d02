/** Rows B12, B17, B20 and B21 of the fault matrix: a disk that is full for copies only, long readers, lost logs, second processes. */

import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { SECOND } from '../../src/domain/clock.js';
import { openDatabase } from '../../src/store/database.js';
import { createManualClock } from '../support/manual-clock.js';
import { TEST_NOW_MS, temporaryDatabaseFile } from '../support/test-database.js';
import { startWorld, type Window } from './world.js';

const clock = createManualClock({ nowMs: TEST_NOW_MS });

const onePage = (from: number, about: string): readonly Window[] => [
  { to: 'pager', what: 'trigger', about, ok: true, from, until: from + 5 * SECOND, times: 1 },
  { to: 'slack', what: 'chat.postMessage', about, ok: true, from, until: from + 5 * SECOND, times: 1 },
  { to: 'slack', what: 'chat.update', about, ok: true, from, until: from + 60 * SECOND, times: [0, 2] },
];

/** A mount namespace of our own, without which a small disk cannot be made. */
function canMount(): boolean {
  try {
    execFileSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'none', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test.skipIf(!canMount() && process.env.CI !== 'true')(
  'B12: where only the copies have no room, a backup fails in words and leaves nothing, and alerts are taken and paged as ever',
  async () => {
    const file = temporaryDatabaseFile();
    const w = await startWorld({ config: { database_url: `file:${file}` } });
    await w.fire('model-1');
    await w.pass(6 * SECOND);
    const small = join(dirname(file), 'small');
    mkdirSync(small);
    const made = spawnSync(
      'unshare',
      [
        '-rm',
        'sh',
        '-c',
        `mount -t tmpfs -o size=64k none "$0" && { "$@"; code=$?; ls -A "$0"; exit $code; }`,
        small,
        process.execPath,
        'src/main.ts',
        'backup',
        join(small, 'safe.db'),
      ],
      {
        env: { PATH: process.env.PATH ?? '', DATABASE_URL: `file:${file}`, NODE_OPTIONS: '--import tsx' },
        encoding: 'utf8',
      },
    );

    expect({ status: made.status, left: made.stdout, says: made.stderr }).toEqual({
      status: 3,
      left: '',
      says: expect.stringMatching(/no backup was made: .*full/),
    });
    const from = w.clock.monotonic();
    expect(await w.fire('model-2')).toBe(200);
    await w.pass(6 * SECOND);
    w.expectCalls([...onePage(0, 'model-1'), ...onePage(from, 'model-2')]);
  },
  60_000,
);

test('B17: while somebody reads and does not end, alerts are taken and paged, and the log shrinks when he is done', {
  timeout: 60_000,
}, async () => {
  const file = temporaryDatabaseFile();
  const w = await startWorld({ config: { database_url: `file:${file}` } });
  const reader = new BetterSqlite3(file, { readonly: true });
  onTestFinished(() => void reader.close());
  reader.exec('begin');
  reader.prepare('select count(*) from receipts').get();

  const from: number[] = [];
  for (let number = 1; number <= 5; number += 1) {
    from.push(w.clock.monotonic());
    expect(await w.fire(`model-${number}`)).toBe(200);
    await w.pass(10 * SECOND);
  }

  w.expectCalls(from.flatMap((at, index) => onePage(at, `model-${index + 1}`)));
  expect((await w.get('/readyz')).status).toBe(200);
  // The cap beyond which the database's guard raises an alarm.
  expect(statSync(`${file}-wal`).size).toBeLessThan(64 * 1024 * 1024);
});

test('B20: a database whose log was taken away while it was down is refused or says that seconds may be missing, each of ten times', async () => {
  let noted = 0;
  let refused = 0;
  for (let round = 0; round < 10; round += 1) {
    const file = temporaryDatabaseFile();
    const running = openDatabase(`file:${file}`, { clock });
    const crashed = temporaryDatabaseFile();
    for (const suffix of ['', '-wal', '-shm', '.identity']) {
      if (existsSync(file + suffix)) copyFileSync(file + suffix, crashed + suffix);
    }
    await running.close();
    if (round % 2 === 1) {
      // What was brought in before the crash.
      const tool = new BetterSqlite3(crashed);
      tool.pragma('journal_mode = WAL');
      tool.close();
    }
    for (const suffix of ['-wal', '-shm']) rmSync(crashed + suffix, { force: true });
    try {
      const opened = openDatabase(`file:${crashed}`, { clock });
      expect(opened.notes.join()).toContain('-wal is gone');
      await opened.close();
      noted += 1;
    } catch (error) {
      expect(error).toMatchObject({ code: 'conflict' });
      refused += 1;
    }
  }

  expect({ noted, refused }).toEqual({ noted: 5, refused: 5 });
});

test('B20: without its shared-memory file nothing is missing and nothing is said', async () => {
  const file = temporaryDatabaseFile();
  const running = openDatabase(`file:${file}`, { clock });
  onTestFinished(() => running.close());
  const crashed = temporaryDatabaseFile();
  for (const suffix of ['', '-wal', '.identity']) copyFileSync(file + suffix, crashed + suffix);

  const opened = openDatabase(`file:${crashed}`, { clock });
  onTestFinished(() => opened.close());

  expect(opened.notes).toEqual([]);
});

test('B21: of two services on one file the second is refused each of 200 times, and the first goes on', async () => {
  const file = temporaryDatabaseFile();
  const first = openDatabase(`file:${file}`, { clock });
  onTestFinished(() => first.close());

  for (let round = 0; round < 200; round += 1) {
    expect(() => openDatabase(`file:${file}`, { clock })).toThrow(/in use by another process/);
  }

  expect(await first.kysely.selectFrom('incidents').selectAll().execute()).toEqual([]);
  expect(readdirSync(dirname(file)).filter((name) => name.includes('.lock'))).not.toEqual([]);
});
