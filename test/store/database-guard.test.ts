import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import BetterSqlite3 from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { SECOND } from '../../src/domain/clock.js';
import { type Ballast, createBallast } from '../../src/store/ballast.js';
import { type Database, openDatabase } from '../../src/store/database.js';
import { createDatabaseGuard } from '../../src/store/database-guard.js';
import { runInChild } from '../../src/store/sqlite-child.js';
import { createTroubleBoard, type Trouble } from '../../src/store/trouble-board.js';
import { keptLog } from '../receivers/receiver-setup.js';
import { createManualClock } from '../support/manual-clock.js';
import { aReceiptRow, TEST_NOW_MS, temporaryDatabaseFile } from '../support/test-database.js';

type Options = {
  readonly checkPages?: () => Promise<string>;
  readonly ballast?: (file: string) => Ballast;
};

function aGuard(options: Options = {}) {
  const file = temporaryDatabaseFile();
  const clock = createManualClock({ nowMs: TEST_NOW_MS });
  const db: Database = openDatabase(`file:${file}`, { clock, onDiskFull: () => guard.diskFull() });
  const told: Trouble[] = [];
  const log = keptLog();
  const troubles = createTroubleBoard({ logger: log, onTrouble: (trouble) => void told.push(trouble) });
  const guard = createDatabaseGuard({
    db,
    troubles,
    ballast: options.ballast?.(file) ?? null,
    clock,
    logger: log,
    ...(options.checkPages === undefined ? {} : { checkPages: options.checkPages }),
  });
  onTestFinished(async () => {
    await guard.stop();
    await db.close();
  });
  const kinds = () => troubles.list().map(({ kind }) => kind);
  return { file, clock, db, guard, told, kinds };
}

test('a heartbeat is written, read back and remembered beside the database', async () => {
  const { file, clock, db, guard, kinds } = aGuard();
  await clock.advance(10 * SECOND);
  await guard.look();

  const row = await db.kysely.selectFrom('database_identity').selectAll().executeTakeFirstOrThrow();
  expect(row).toMatchObject({ generation: 2, heartbeat_at: TEST_NOW_MS + 10 * SECOND });
  expect(JSON.parse(readFileSync(`${file}.identity`, 'utf8'))).toMatchObject({
    generation: 2,
    state: 'open',
  });
  expect(kinds()).toEqual([]);
});

test('a file that is deleted under the service is told once, and again only after it was back', async () => {
  const { file, guard, told, kinds } = aGuard();
  renameSync(file, `${file}.gone`);
  await guard.look();
  await guard.look();

  expect(told).toEqual([{ kind: 'file_lost', detail: `${file} was deleted while it was in use` }]);
  expect(kinds()).toEqual(['file_lost']);

  renameSync(`${file}.gone`, file);
  await guard.look();
  expect(kinds()).toEqual([]);
  renameSync(file, `${file}.gone`);
  await guard.look();
  expect(told).toHaveLength(2);
});

test('a side file does not follow a database that is not there any more', async () => {
  const { file, guard } = aGuard();
  const before = readFileSync(`${file}.identity`, 'utf8');
  rmSync(file);
  await guard.look();

  expect(readFileSync(`${file}.identity`, 'utf8')).toBe(before);
});

test('a lock that somebody holds for a moment is no trouble, one that stays is', async () => {
  const { file, clock, guard, kinds, told } = aGuard();
  const other = new BetterSqlite3(file);
  onTestFinished(() => void other.close());

  other.exec('begin immediate');
  const looking = guard.look();
  await clock.advance(1);
  other.exec('commit');
  await clock.advance(3 * SECOND);
  await looking;
  expect(kinds()).toEqual([]);

  other.exec('begin immediate');
  const looked = guard.look();
  await clock.advance(3 * SECOND);
  await looked;
  expect(kinds()).toEqual(['heartbeat_failed']);
  expect(told[0]?.detail).toContain('database is locked');

  other.exec('commit');
  await guard.look();
  expect(kinds()).toEqual([]);
});

test('damage that a check finds ends every promise', async () => {
  const { db, guard, kinds } = aGuard({
    checkPages: async () => 'Tree 5 page 7: btreeInitPage() returns error code 11',
  });
  await guard.check();

  expect(kinds()).toEqual(['damaged']);
  await expect(db.transaction(async () => {}, { promised: true })).rejects.toThrow('btreeInitPage');
});

test('damage that a statement meets is told by the next look', async () => {
  const { db, guard, kinds } = aGuard();
  const malformed = Object.assign(new Error('database disk image is malformed'), { code: 'SQLITE_CORRUPT' });
  await expect(db.transaction(() => Promise.reject(malformed))).rejects.toThrow('malformed');
  await guard.look();

  expect(kinds()).toEqual(['damaged']);
});

test('the pages are read by a process of its own, which may be ended', async () => {
  const { file, guard, kinds } = aGuard();
  await guard.check();
  expect(kinds()).toEqual([]);

  const started = runInChild(
    { kind: 'quick_check', file },
    { timeoutMs: 60 * SECOND, signal: AbortSignal.abort() },
  );
  await expect(started).rejects.toThrow(/abort/i);
  writeFileSync(`${file}.not`, 'not a database at all, but long enough'.repeat(100));
  await expect(
    runInChild({ kind: 'quick_check', file: `${file}.not` }, { timeoutMs: 60 * SECOND }),
  ).rejects.toThrow('not a database');
});

test('a log that grows beyond what any load makes is told', async () => {
  const { file, db, guard, kinds } = aGuard();
  const reader = new BetterSqlite3(file, { readonly: true });
  onTestFinished(() => void reader.close());
  reader.exec('begin');
  reader.prepare('select count(*) from receipts').get();
  for (let written = 0; written < 70; written += 1) {
    await db.kysely
      .insertInto('receipts')
      .values(aReceiptRow(Buffer.alloc(1024 * 1024)))
      .execute();
  }
  await guard.look();
  expect(kinds()).toEqual(['log_large']);

  reader.exec('commit');
  for (let round = 0; round < 2; round += 1) {
    await db.transaction((tx) =>
      tx
        .updateTable('receipts')
        .set({ received_at: round + 2 })
        .where('id', '=', 1)
        .execute(),
    );
  }
  await guard.look();
  expect(kinds()).toEqual([]);
  expect(statSync(`${file}-wal`).size).toBeLessThan(40 * 1024 * 1024);
});

test('ballast is set aside, given back when the disk is full, and set aside again when there is room', async () => {
  const { file, guard, db, kinds } = aGuard({ ballast: (path) => createBallast(path, 3_000_000) });
  await guard.look();
  expect(statSync(`${file}.ballast`).size).toBe(3_000_000);

  const full = Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
  await expect(db.transaction(() => Promise.reject(full))).rejects.toThrow('full');
  expect(statSync(`${file}.ballast`, { throwIfNoEntry: false })).toBeUndefined();
  expect(kinds()).toEqual(['disk_full']);

  await guard.look();
  expect(statSync(`${file}.ballast`).size).toBe(3_000_000);
  expect(kinds()).toEqual([]);
});

test('a disk without room for ballast is told', async () => {
  const { guard, kinds } = aGuard({ ballast: (path) => createBallast(path, Number.MAX_SAFE_INTEGER / 4) });
  await guard.look();

  expect(kinds()).toEqual(['disk_low']);
});
