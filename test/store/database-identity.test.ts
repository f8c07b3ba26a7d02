/** SQLite takes an empty, foreign or outdated file without a word. A start must not. */

import {
  copyFileSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import BetterSqlite3 from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { AppError } from '../../src/domain/errors.js';
import { type Database, openDatabase } from '../../src/store/database.js';
import { createManualClock } from '../support/manual-clock.js';
import { aReceiptRow, TEST_NOW_MS, temporaryDatabaseFile } from '../support/test-database.js';

const clock = createManualClock({ nowMs: TEST_NOW_MS });

function open(file: string, accept = false): Database {
  const db = openDatabase(`file:${file}`, { clock, accept });
  onTestFinished(() => db.close());
  return db;
}

/** A file with one closed run behind it. */
async function usedDatabase(): Promise<string> {
  const file = temporaryDatabaseFile();
  await open(file).close();
  return file;
}

/** What a killed process leaves: file, log and side file as they were while it ran. */
function copyOfRunning(file: string): string {
  const copy = temporaryDatabaseFile();
  for (const suffix of ['', '-wal', '.identity']) copyFileSync(file + suffix, copy + suffix);
  return copy;
}

function refusalOf(start: () => Database): string {
  try {
    start();
  } catch (error) {
    if (error instanceof AppError && error.code === 'conflict') return error.message;
    throw error;
  }
  throw new Error('the start was not refused');
}

function remembered(file: string): { uuid: string; generation: number; state: string } {
  return JSON.parse(readFileSync(`${file}.identity`, 'utf8'));
}

test('a database keeps its id, and each start begins a generation that the side file remembers', async () => {
  const file = temporaryDatabaseFile();
  const first = open(file);
  expect(remembered(file)).toEqual({ uuid: first.identity?.uuid, generation: 1, state: 'open' });
  await first.close();
  expect(remembered(file)).toMatchObject({ generation: 1, state: 'closed' });

  const second = open(file);
  expect(second.identity).toMatchObject({ uuid: first.identity?.uuid, generation: 2 });
  expect(second.notes).toEqual([]);
});

test.each([
  ['missing', (file: string) => rmSync(file)],
  ['empty', (file: string) => truncateSync(file, 0)],
])(
  'a database that is %s is refused with how to take it on purpose, and nothing is made in its place',
  async (word, lose) => {
    const file = await usedDatabase();
    lose(file);

    const message = refusalOf(() => open(file));

    expect(message).toContain(`${file} is ${word}`);
    expect(message).toContain('wakewell restore');
    expect(message).toContain('--accept-database');
    expect(existsSync(file) ? readFileSync(file).length : 0).toBe(0);
  },
);

test('another database is refused, be it ours of elsewhere or one of another program', async () => {
  const [file, other] = [await usedDatabase(), await usedDatabase()];
  copyFileSync(other, file);
  expect(refusalOf(() => open(file))).toMatch(
    /another database than the one that was here: expected \w{32}, found \w{32}/,
  );

  rmSync(file);
  const foreign = new BetterSqlite3(file);
  foreign.exec('create table contacts (name text)');
  foreign.close();
  expect(refusalOf(() => open(file))).toContain('found one without an identity');
});

test('an old copy is refused', async () => {
  const file = await usedDatabase();
  const copy = `${file}.copy`;
  copyFileSync(file, copy);
  await open(file).close();
  renameSync(copy, file);

  expect(refusalOf(() => open(file))).toContain(
    'is older than when it was last used (generation 1, expected at least 2)',
  );
});

test('a log that was lost with the last generation in it is refused', () => {
  const file = temporaryDatabaseFile();
  open(file);
  const crashed = copyOfRunning(file);
  rmSync(`${crashed}-wal`);

  // All that was committed stood in the log, the identity included.
  expect(refusalOf(() => open(crashed))).toContain(crashed);
});

test('a log that was lost after a checkpoint is noted, since seconds may be missing', async () => {
  const file = temporaryDatabaseFile();
  open(file);
  const crashed = copyOfRunning(file);
  const tool = new BetterSqlite3(crashed);
  tool.pragma('journal_mode = WAL');
  tool.close();
  expect(existsSync(`${crashed}-wal`)).toBe(false);

  expect(open(crashed).notes.join()).toContain(`${crashed}-wal is gone`);
});

test('a killed process leaves nothing to note', () => {
  const file = temporaryDatabaseFile();
  open(file);

  expect(open(copyOfRunning(file)).notes).toEqual([]);
});

test('what lies there is taken when that is asked for, and is the one that belongs there from then on', async () => {
  const [file, other] = [await usedDatabase(), await usedDatabase()];
  copyFileSync(other, file);
  await open(file, true).close();
  expect(open(file).identity?.uuid).toBe(remembered(other).uuid);

  const gone = await usedDatabase();
  rmSync(gone);
  await open(gone, true).close();
  expect(open(gone).identity?.generation).toBe(2);
});

test('a side file that cannot be read does not stop a start, but is said and made anew', async () => {
  const file = await usedDatabase();
  writeFileSync(`${file}.identity`, '{"uuid":');
  const db = open(file);

  expect(db.notes.join()).toContain('.identity cannot be read');
  expect(remembered(file).generation).toBe(2);
});

test('a damaged page is found at the start, wherever it lies', async () => {
  const file = temporaryDatabaseFile();
  const db = open(file);
  await db.kysely
    .insertInto('receipts')
    .values(aReceiptRow(Buffer.alloc(100_000, 1)))
    .execute();
  await db.close();
  const bytes = readFileSync(file);
  // The last pages hold the body; the first half of one of them is all zero then, as after a lost write.
  bytes.fill(0, bytes.length - 4096 * 3, bytes.length - 4096);
  writeFileSync(file, bytes);

  const message = refusalOf(() => open(file));
  expect(message).toContain('is damaged');
  expect(message).toContain('wakewell restore FILE --force');
});

test('a commit that is promised to somebody is refused once the file was deleted, while others go on', async () => {
  const file = temporaryDatabaseFile();
  const db = open(file);
  await db.transaction(async () => {}, { promised: true });

  renameSync(file, `${file}.moved`);

  await expect(db.transaction(async () => {}, { promised: true })).rejects.toThrow(
    'was deleted while it was in use',
  );
  await db.transaction((tx) => tx.selectFrom('incidents').selectAll().execute());
  copyFileSync(`${file}.moved`, file);
  expect(db.unsoundness()).toEqual({ kind: 'file_lost', detail: `${file} was replaced while it was in use` });
  rmSync(file);
  renameSync(`${file}.moved`, file);
  expect(db.unsoundness()).toBeNull();
});
