import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { HOUR } from '../../src/domain/clock.js';
import { AppError } from '../../src/domain/errors.js';
import { backUp, backupName, pruneBackups } from '../../src/store/backup.js';
import { type Database, openDatabase } from '../../src/store/database.js';
import { migrate, readMigrations } from '../../src/store/migrate.js';
import { restoreDatabase } from '../../src/store/restore.js';
import { createManualClock } from '../support/manual-clock.js';
import { aReceiptRow, TEST_NOW_MS, temporaryDatabaseFile } from '../support/test-database.js';

const clock = createManualClock({ nowMs: TEST_NOW_MS });
const monotonic = () => performance.now();

function open(file: string): Database {
  const db = openDatabase(`file:${file}`, { clock });
  onTestFinished(() => db.close());
  return db;
}

/** One committed body a call, numbered. */
async function write(db: Database, number: number): Promise<void> {
  const body = Buffer.from(`${number} ${'x'.repeat(2_000)}`);
  await db.transaction((tx) =>
    tx
      .insertInto('receipts')
      .values({ ...aReceiptRow(body), received_at: number })
      .execute(),
  );
}

function numbersIn(file: string): number[] {
  const db = new BetterSqlite3(file, { readonly: true });
  try {
    return db.prepare<[], number>('select received_at from receipts order by id').pluck().all();
  } finally {
    db.close();
  }
}

function refusalOf(act: () => unknown): AppError {
  try {
    act();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

test('a backup under writes is whole, and holds what was committed before and nothing half', async () => {
  const file = temporaryDatabaseFile();
  const db = open(file);
  let written = 0;
  for (; written < 200; written += 1) await write(db, written);
  let copying = true;
  const target = join(dirname(file), 'backups', 'one.db');
  const made = backUp({ file, target, monotonic }).finally(() => {
    copying = false;
  });
  while (copying) {
    await write(db, written);
    written += 1;
    await new Promise((resolve) => setImmediate(resolve));
  }

  expect(await made).toEqual({ file: target, bytes: statSync(target).size, tookMs: expect.any(Number) });
  const copied = numbersIn(target);
  expect(copied.length).toBeGreaterThanOrEqual(200);
  expect(copied).toEqual(copied.map((_, index) => index));
  expect(written).toBeGreaterThan(copied.length - 1);
  expect(readdirSync(dirname(target))).toEqual(['one.db']);
  expect(statSync(target).mode & 0o777).toBe(0o600);
});

test('a copy that cannot be finished leaves nothing, and an existing file is never overwritten', async () => {
  const file = temporaryDatabaseFile();
  await open(file).close();
  const directory = join(dirname(file), 'backups');
  const aborted = backUp({ file, target: join(directory, 'a.db'), monotonic, signal: AbortSignal.abort() });
  await expect(aborted).rejects.toThrow();
  expect(readdirSync(directory)).toEqual([]);

  writeFileSync(join(directory, 'a.db'), 'mine');
  await expect(backUp({ file, target: join(directory, 'a.db'), monotonic })).rejects.toThrow(
    'exists already',
  );
  expect(readFileSync(join(directory, 'a.db'), 'utf8')).toBe('mine');
});

test('the newest scheduled backups are kept; what a person named stays, what was interrupted goes', () => {
  const directory = join(dirname(temporaryDatabaseFile()), 'backups');
  mkdirSync(directory);
  const names = [0, 1, 2, 3].map((hour) => backupName(TEST_NOW_MS + hour * HOUR));
  const half = `${backupName(TEST_NOW_MS + 5 * HOUR)}.unfinished`;
  for (const name of [...names, 'before-upgrade.db', half]) writeFileSync(join(directory, name), '');

  expect(pruneBackups(directory, 2).sort()).toEqual([names[0], names[1], half].sort());
  expect(readdirSync(directory).sort()).toEqual(['before-upgrade.db', names[2], names[3]].sort());
  expect(names[0]).toBe('wakewell-20261122T030000Z.db');
});

test('a restored backup is a newer generation of the same database and says how far it reaches', async () => {
  const file = temporaryDatabaseFile();
  const first = open(file);
  await write(first, 1);
  const backup = join(dirname(file), 'b.db');
  await backUp({ file, target: backup, monotonic });
  await write(first, 2);
  await first.close();
  await open(file).close();

  const restored = restoreDatabase({ file, backup, force: true, nowMs: TEST_NOW_MS + HOUR });

  expect(numbersIn(file)).toEqual([1]);
  expect(numbersIn(restored.replaced ?? '')).toEqual([1, 2]);
  const db = open(file);
  expect(db.notes).toEqual([]);
  expect(db.identity).toEqual({
    uuid: first.identity?.uuid,
    generation: 4,
    heartbeatAtMs: TEST_NOW_MS,
    restored: { atMs: TEST_NOW_MS + HOUR, reachMs: TEST_NOW_MS },
  });
});

test('a database that was lost comes back from its backup without force', async () => {
  const file = temporaryDatabaseFile();
  const db = open(file);
  await write(db, 7);
  const backup = join(dirname(file), 'b.db');
  await backUp({ file, target: backup, monotonic });
  await db.close();
  writeFileSync(file, '');

  expect(restoreDatabase({ file, backup, force: false, nowMs: TEST_NOW_MS }).replaced).toBeNull();
  expect(numbersIn(file)).toEqual([7]);
  expect(open(file).notes).toEqual([]);
});

test('nothing is restored over a running service, over a database, or from what is no backup', async () => {
  const file = temporaryDatabaseFile();
  const db = open(file);
  await write(db, 1);
  const backup = join(dirname(file), 'b.db');
  await backUp({ file, target: backup, monotonic });
  const restore = (from: string, force: boolean) => () =>
    restoreDatabase({ file, backup: from, force, nowMs: TEST_NOW_MS });

  expect(refusalOf(restore(backup, true)).message).toContain('in use by another process');
  await db.close();
  expect(refusalOf(restore(backup, false)).message).toContain('--force');
  expect(refusalOf(restore(`${backup}.not`, true)).code).toBe('not_found');

  const text = `${backup}.txt`;
  writeFileSync(text, 'a text that is long enough to be looked at as a database'.repeat(100));
  expect(refusalOf(restore(text, true)).message).toContain('no whole SQLite database');
  const foreign = new BetterSqlite3(`${backup}.foreign`);
  foreign.exec('create table contacts (name text)');
  foreign.close();
  expect(refusalOf(restore(`${backup}.foreign`, true)).message).toContain('none of Wakewell');
  const damaged = readFileSync(backup).fill(0, 4096 * 3, 4096 * 30);
  writeFileSync(`${backup}.damaged`, damaged);
  expect(refusalOf(restore(`${backup}.damaged`, true)).message).toMatch(/no whole SQLite database|damaged/);
  const newer = new BetterSqlite3(backup);
  newer.exec("insert into schema_migrations values (9999, '9999_future.sql', 'x', 0)");
  newer.close();
  expect(refusalOf(restore(backup, true)).message).toContain('newer than this build');

  expect(numbersIn(file)).toEqual([1]);
  expect(existsSync(`${file}.restoring`)).toBe(false);
  await open(file).close();
});

test('before its schema is changed, a database is copied; only the last such copy is kept', async () => {
  const file = temporaryDatabaseFile();
  const before = new BetterSqlite3(file);
  const migrations = readMigrations();
  migrate(before, 0, migrations.slice(0, -1));
  before.close();
  writeFileSync(`${file}.before-0001_older`, '');

  await open(file).close();

  const last = migrations.at(-1)?.name.replace('.sql', '');
  expect(readdirSync(dirname(file)).filter((name) => name.includes('before'))).toEqual([
    `wakewell.db.before-${last}`,
  ]);
  const copy = new BetterSqlite3(`${file}.before-${last}`, { readonly: true });
  expect(copy.prepare('select max(number) from schema_migrations').pluck().get()).toBe(migrations.length - 1);
  copy.close();
});
