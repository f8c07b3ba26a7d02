import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compilePowerCutShim, cutPower, mixSectors, powerCutEnv } from '../../bench/torture/power-cut.js';
import { createRandom } from '../../bench/torture/random.js';

let directory = '';
let shim = '';

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'wakewell-power-cut-'));
  shim = compilePowerCutShim(directory);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Inserts 200 rows, each its own commit, and dies by SIGKILL with the database open. */
const WRITER = `
  const Sqlite = require('better-sqlite3');
  const [path, level] = process.argv.slice(1);
  const db = new Sqlite(path);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = ' + level);
  db.pragma('wal_autocheckpoint = 20');
  db.exec('create table if not exists rows (id integer primary key, text text)');
  for (let i = 0; i < 200; i++) db.prepare('insert into rows (text) values (?)').run('x'.repeat(500));
  process.kill(process.pid, 'SIGKILL');
`;

function write(path: string, level: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['-e', WRITER, path, level], {
      env: { ...process.env, ...powerCutEnv(shim, path) },
      stdio: 'inherit',
    });
    child.once('error', reject);
    child.once('exit', (_code, signal) =>
      signal === 'SIGKILL' ? resolve() : reject(new Error(`ended by ${signal}`)),
    );
  });
}

function countRows(path: string): number {
  const db = new Sqlite(path);
  try {
    if (db.pragma('integrity_check', { simple: true }) !== 'ok') return -1;
    const { present } = db
      .prepare("select count(*) as present from sqlite_master where name = 'rows'")
      .get() as { present: number };
    if (present === 0) return 0;
    return (db.prepare('select count(*) as n from rows').get() as { n: number }).n;
  } finally {
    db.close();
  }
}

test('with synchronous FULL a power cut loses no committed row, torn or not, over several processes', async () => {
  const path = join(directory, 'full.db');
  const random = createRandom(1);
  for (let round = 1; round <= 4; round++) {
    await write(path, 'FULL');
    // Odd rounds are a plain kill: what the dead process wrote must still be synced by the next one.
    if (round % 2 === 0) cutPower(path, random, round === 4);
  }

  expect(countRows(path)).toBe(800);
});

test('with synchronous OFF the same power cut loses rows, though a plain kill -9 shows nothing', async () => {
  const path = join(directory, 'off.db');
  await write(path, 'OFF');
  const cut = cutPower(path, createRandom(1), false);

  expect(cut.unsyncedBytes).toBeGreaterThan(100_000);
  expect(countRows(path)).toBe(0);
});

test('with synchronous NORMAL, the driver’s own default, the commits since the last checkpoint are lost', async () => {
  const path = join(directory, 'normal.db');
  await write(path, 'NORMAL');
  cutPower(path, createRandom(1), false);

  expect(countRows(path)).toBeLessThan(200);
});

test('a torn state holds sectors of both sides and nothing else', () => {
  const synced = Buffer.alloc(512 * 40, 'a');
  const written = Buffer.alloc(512 * 40, 'b');
  const mixed = mixSectors(synced, written, createRandom(3));

  const sectors = Array.from({ length: 40 }, (_, i) =>
    mixed.subarray(i * 512, (i + 1) * 512).toString('latin1'),
  );
  expect(new Set(sectors)).toEqual(new Set(['a'.repeat(512), 'b'.repeat(512)]));
});
