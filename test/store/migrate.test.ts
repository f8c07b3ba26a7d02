import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { migrate, readMigrations } from '../../src/store/migrate.js';

const SCHEMA = new URL('../fixtures/schema.sql', import.meta.url);

function memory(): BetterSqlite3.Database {
  const db = new BetterSqlite3(':memory:');
  onTestFinished(() => {
    db.close();
  });
  return db;
}

function directoryWith(files: Record<string, string>): string {
  const directory = mkdtempSync(join(tmpdir(), 'wakewell-migrations-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  for (const [name, sql] of Object.entries(files)) writeFileSync(join(directory, name), sql);
  return directory;
}

function schemaOf(db: BetterSqlite3.Database): string {
  const rows = db
    .prepare<[], { sql: string }>(
      'select sql from sqlite_schema where sql is not null order by type desc, name',
    )
    .all();
  return `${rows.map((row) => `${row.sql};`).join('\n\n')}\n`;
}

// To review a change of the schema: UPDATE_SCHEMA=1 npx vitest run test/store/migrate.test.ts, then read the diff.
test('the migrations lead to the reviewed schema', () => {
  const db = memory();
  migrate(db, 0);

  if (process.env.UPDATE_SCHEMA === '1') writeFileSync(SCHEMA, schemaOf(db));

  expect(schemaOf(db)).toBe(readFileSync(SCHEMA, 'utf8'));
});

test('each migration is applied once', () => {
  const db = memory();

  expect(migrate(db, 0)).toEqual(readMigrations().map((migration) => migration.name));
  expect(migrate(db, 0)).toEqual([]);
});

test('a database of a newer build is refused with what to do, and unchanged', () => {
  const db = memory();
  const ours = readMigrations();
  migrate(db, 0, [
    ...ours,
    { number: ours.length + 1, name: '9999_future.sql', sql: 'select 1', sha256: 'x' },
  ]);

  expect(() => migrate(db, 0, ours)).toThrow(
    /newer than this build: it has 9999_future.sql.*Start the newer build/,
  );
});

test('a migration that was edited after it was applied is refused', () => {
  const db = memory();
  const [first] = readMigrations(directoryWith({ '0001_a.sql': 'create table a (id integer)' }));
  const [edited] = readMigrations(directoryWith({ '0001_a.sql': 'create table a (id integer, b text)' }));
  if (first === undefined || edited === undefined) throw new Error('no migration read');
  migrate(db, 0, [first]);

  expect(() => migrate(db, 0, [edited])).toThrow(/never edited/);
});

test('a migration that fails leaves nothing of itself', () => {
  const db = memory();
  const migrations = readMigrations(
    directoryWith({
      '0001_a.sql': 'create table a (id integer)',
      '0002_b.sql': 'create table b (id integer); nonsense',
    }),
  );

  expect(() => migrate(db, 0, migrations)).toThrow(/syntax error/);

  const tables = db
    .prepare("select name from sqlite_schema where type = 'table' order by name")
    .pluck()
    .all();
  expect(tables).toEqual(['a', 'schema_migrations']);
});

test.each([
  ['a gap', { '0001_a.sql': '', '0003_c.sql': '' }],
  ['a doubled number', { '0001_a.sql': '', '0001_b.sql': '' }],
  ['a name without number', { 'first.sql': '' }],
])('%s in the numbering is refused', (_name, files) => {
  expect(() => readMigrations(directoryWith(files))).toThrow(/numbered from 0001 without a gap/);
});
