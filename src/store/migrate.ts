/** Brings a database to the schema of this build: gapless, forward only, each file once and in one transaction. */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type BetterSqlite3 from 'better-sqlite3';
import { refusal } from './database-trouble.js';

export type Migration = {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
  readonly sha256: string;
};

/** `migrations/` of the package; the same place seen from `src/store` and from `dist/store`. */
export const MIGRATIONS_DIRECTORY = fileURLToPath(new URL('../../migrations', import.meta.url));

/** Reads `0001_name.sql` … in order. Throws on a gap, a doubled number or a name that is not understood. */
export function readMigrations(directory: string = MIGRATIONS_DIRECTORY): Migration[] {
  const files = readdirSync(directory)
    .filter((file) => file.endsWith('.sql'))
    .sort();
  return files.map((file, index) => {
    const number = Number(/^(\d{4})_[a-z0-9_]+\.sql$/.exec(file)?.[1]);
    if (number !== index + 1) {
      throw new Error(
        `migrations/${file}: expected ${String(index + 1).padStart(4, '0')}_<name>.sql; ` +
          'migrations are numbered from 0001 without a gap',
      );
    }
    const sql = readFileSync(join(directory, file), 'utf8');
    return { number, name: file, sql, sha256: createHash('sha256').update(sql).digest('hex') };
  });
}

/**
 * Applies what is missing and returns the names of the applied files. Throws, having changed nothing, when
 * the database is newer than this build or was made by other files than these.
 */
export function migrate(
  db: BetterSqlite3.Database,
  nowMs: number,
  migrations: readonly Migration[] = readMigrations(),
): string[] {
  db.exec(`create table if not exists schema_migrations (
    number integer primary key,
    name text not null,
    sha256 text not null,
    applied_at integer not null
  )`);
  const applied = appliedMigrations(db);
  refuseForeignHistory(applied, migrations);

  const missing = migrations.slice(applied.length);
  for (const migration of missing) {
    const apply = db.transaction(() => {
      db.exec(migration.sql);
      db.prepare('insert into schema_migrations (number, name, sha256, applied_at) values (?, ?, ?, ?)').run(
        migration.number,
        migration.name,
        migration.sha256,
        nowMs,
      );
    });
    apply.immediate();
  }
  return missing.map((migration) => migration.name);
}

/** The first migration that a database with some still lacks; null for a new database and one that is up to date. */
export function firstMissing(
  db: BetterSqlite3.Database,
  migrations: readonly Migration[] = readMigrations(),
): Migration | null {
  if (db.prepare("select 1 from sqlite_schema where name = 'schema_migrations'").get() === undefined)
    return null;
  const { length } = appliedMigrations(db);
  return length === 0 ? null : (migrations[length] ?? null);
}

/** Throws the refusal of `migrate` for a database of a newer build or another history; changes nothing. */
export function refuseForeignSchema(db: BetterSqlite3.Database): void {
  refuseForeignHistory(appliedMigrations(db), readMigrations());
}

type Applied = Pick<Migration, 'number' | 'name' | 'sha256'>;

function appliedMigrations(db: BetterSqlite3.Database): Applied[] {
  return db.prepare<[], Applied>('select number, name, sha256 from schema_migrations order by number').all();
}

function refuseForeignHistory(applied: readonly Applied[], migrations: readonly Migration[]): void {
  for (const [index, row] of applied.entries()) {
    const ours = migrations[index];
    if (ours === undefined) {
      throw refusal(
        `the database is newer than this build: it has ${row.name}, this build ends at ` +
          `${migrations.at(-1)?.name ?? 'nothing'}. Start the newer build again, or restore the backup taken before the upgrade.`,
      );
    }
    if (row.number !== ours.number || row.sha256 !== ours.sha256) {
      throw refusal(
        `the database was made with another ${row.name} than this build's ${ours.name}: a migration is never ` +
          'edited once it was applied. Use the build that made this database, or a new DATABASE_URL.',
      );
    }
  }
}
