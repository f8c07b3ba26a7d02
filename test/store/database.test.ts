import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import BetterSqlite3 from 'better-sqlite3';
import { sql } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../src/store/database.js';
import { createManualClock } from '../support/manual-clock.js';
import {
  aReceiptRow,
  openTestDatabase,
  TEST_NOW_MS,
  temporaryDatabaseFile,
} from '../support/test-database.js';

const clock = createManualClock({ nowMs: TEST_NOW_MS });

async function pragma(db: ReturnType<typeof openDatabase>, name: string): Promise<unknown> {
  const result = await sql<Record<string, unknown>>`${sql.raw(`pragma ${name}`)}`.execute(db.kysely);
  return Object.values(result.rows[0] ?? {})[0];
}

test('a commit is synced to disk, also after the first write and after reopening', async () => {
  const file = temporaryDatabaseFile();
  for (let round = 0; round < 2; round += 1) {
    const db = openDatabase(`file:${file}`, { clock });
    await db.kysely
      .insertInto('incident_names')
      .values([])
      .execute()
      .catch(() => {});
    await db.kysely
      .insertInto('receipts')
      .values(aReceiptRow(Buffer.from('x')))
      .execute();

    expect(await pragma(db, 'journal_mode')).toBe('wal');
    expect(await pragma(db, 'synchronous')).toBe(2);
    expect(await pragma(db, 'foreign_keys')).toBe(1);
    expect(Number(await pragma(db, 'busy_timeout'))).toBeLessThanOrEqual(200);
    await db.close();
  }
});

test('a second opening of the same file is refused until the first is closed', async () => {
  const file = temporaryDatabaseFile();
  const first = openDatabase(`file:${file}`, { clock });

  expect(() => openDatabase(`file:${file}`, { clock })).toThrow(/in use by another process/);

  await first.close();
  await openDatabase(`file:${file}`, { clock }).close();
});

test('a second process on the same file is refused, and a killed one leaves no lock behind', async () => {
  const file = temporaryDatabaseFile();
  const script = `
    import BetterSqlite3 from 'better-sqlite3';
    const side = new BetterSqlite3(process.argv[1] + '.lock', { timeout: 0 });
    try { side.pragma('locking_mode = EXCLUSIVE'); side.exec('begin exclusive; create table if not exists held (by_pid integer); commit'); }
    catch { process.exit(7); }
    process.kill(process.pid, 'SIGKILL');
  `;
  const other = () =>
    spawnSync(process.execPath, ['--input-type=module', '-e', script, file], { cwd: process.cwd() });

  expect(other().signal).toBe('SIGKILL');
  const db = openDatabase(`file:${file}`, { clock });
  onTestFinished(() => db.close());
  expect(other().status).toBe(7);
});

test('a read-only opening looks beside a running service', async () => {
  const file = temporaryDatabaseFile();
  const service = openDatabase(`file:${file}`, { clock });
  onTestFinished(() => service.close());

  const reader = openDatabase(`file:${file}`, { clock, readonly: true });

  expect(await reader.kysely.selectFrom('incidents').selectAll().execute()).toEqual([]);
  await expect(reader.kysely.deleteFrom('incidents').execute()).rejects.toThrow(/readonly/);
  await reader.close();
});

test('a lock file that a power cut left damaged is made anew', async () => {
  const file = temporaryDatabaseFile();
  writeFileSync(`${file}.lock`, Buffer.alloc(8192, 'x'));
  const db = openDatabase(`file:${file}`, { clock });

  expect(() => openDatabase(`file:${file}`, { clock })).toThrow(/in use by another process/);
  await db.close();
});

test('a file that is no database is refused and its lock given back', () => {
  const file = temporaryDatabaseFile();
  writeFileSync(file, 'not a database, but long enough to be read as one'.repeat(100));

  expect(() => openDatabase(`file:${file}`, { clock })).toThrow(/not a database/);
  expect(() => openDatabase(`file:${file}`, { clock })).toThrow(/not a database/);
});

test('a database url of a kind that is not known is refused with what is expected', () => {
  expect(() => openDatabase('postgres://db/x', { clock })).toThrow(/expected file:<path>/);
});

test('a transaction that throws leaves nothing behind', async () => {
  const db = openTestDatabase();

  const failed = db.transaction(async (tx) => {
    await tx.insertInto('incident_names').values({ incident_id: 1, name: 'x' }).execute();
  });

  await expect(failed).rejects.toThrow(/FOREIGN KEY/);
  expect(await db.kysely.selectFrom('incident_names').selectAll().execute()).toEqual([]);
});

test('closing waits for the transaction under way', async () => {
  const file = temporaryDatabaseFile();
  const db = openDatabase(`file:${file}`, { clock });
  const running = db.transaction(async (tx) => {
    await new Promise((resolve) => setImmediate(resolve));
    await tx
      .insertInto('receipts')
      .values(aReceiptRow(Buffer.from('x')))
      .execute();
  });

  await db.close();
  await running;

  const raw = new BetterSqlite3(file);
  expect(raw.prepare('select count(*) as n from receipts').get()).toEqual({ n: 1 });
  raw.close();
});
