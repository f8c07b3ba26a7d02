/**
 * Opens the database and owns every fact about SQLite: durability, the one-process lock, the version floor.
 *
 * A 200 to Alertmanager means "on disk", so `synchronous=FULL` is set explicitly and checked after a write:
 * better-sqlite3 is built to fall back to NORMAL in WAL mode once the first write was made.
 */

import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import type { Clock } from '../domain/clock.js';
import { lockDatabaseFile } from './database-lock.js';
import { migrate } from './migrate.js';
import { withStatementCache } from './statement-cache.js';
import type { Tables, Tx } from './tables.js';

export type { Tables, Tx } from './tables.js';

export type Database = {
  /** For reads outside a transaction. Never use it inside `transaction`: there is one connection, and it waits for ever. */
  readonly kysely: Kysely<Tables>;
  /** Runs `fn` in one transaction, committed durably when the promise resolves; rolled back when `fn` throws. */
  readonly transaction: <T>(fn: (tx: Tx) => Promise<T>) => Promise<T>;
  /** Path of the file, or null for a database in memory. */
  readonly file: string | null;
  /** Writes everything into the main file and gives the lock back. Waits for what runs. */
  readonly close: () => Promise<void>;
};

export type DatabaseOptions = {
  readonly clock: Clock;
  /** Opens without lock and migrations, for a look beside a running service. */
  readonly readonly?: boolean;
};

/** First SQLite without the WAL-reset corruption (https://sqlite.org/wal.html#walresetbug; found 2026-03). */
const MIN_SQLITE = [3, 51, 3] as const;

/** The loop is blocked while SQLite waits for a lock; nobody else should hold one. */
const BUSY_TIMEOUT_MS = 200;

/** 16 MB of WAL. Keys are hashes, so a page is written once a checkpoint rather than once a commit. */
const CHECKPOINT_PAGES = 4000;

/** Value of `pragma synchronous` that means FULL. */
const SYNCHRONOUS_FULL = 2;

/**
 * Opens `file:<path>` (or `file::memory:`), creating directory, file and schema as needed. Throws with an
 * instruction when the file belongs to another process, to a newer build, or durability cannot be had.
 */
export function openDatabase(url: string, options: DatabaseOptions): Database {
  const path = pathOf(url);
  const file = path === ':memory:' ? null : path;
  const readonly = options.readonly === true;
  if (file !== null && !readonly) mkdirSync(dirname(file), { recursive: true });

  const unlock = file !== null && !readonly ? lockDatabaseFile(file) : () => {};
  let raw: BetterSqlite3.Database | null = null;
  try {
    raw = new BetterSqlite3(path, { timeout: BUSY_TIMEOUT_MS, readonly });
    prepare(raw, readonly, options.clock.now());
  } catch (error) {
    raw?.close();
    unlock();
    throw error;
  }

  const sqlite = raw;
  const kysely = new Kysely<Tables>({ dialect: new SqliteDialect({ database: withStatementCache(sqlite) }) });
  let closing: Promise<void> | null = null;
  return {
    kysely,
    file,
    transaction: (fn) => kysely.transaction().execute(fn),
    close() {
      closing ??= kysely
        .connection()
        .execute(async () => {})
        .then(() => kysely.destroy())
        .then(() => {
          // Kysely opens its driver with the first query; without one it has nothing to close.
          if (sqlite.open) sqlite.close();
        })
        .finally(unlock);
      return closing;
    },
  };
}

/**
 * Whether a failure is the database's own (disk full, I/O error, locked, corrupt) rather than one of the data
 * that was to be stored. Trying again with other data is then of no use.
 */
export function isDatabaseTrouble(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^SQLITE_(?:FULL|IOERR|BUSY|LOCKED|READONLY|CORRUPT|NOTADB|CANTOPEN|NOMEM|PROTOCOL|PERM)/.test(code);
}

function pathOf(url: string): string {
  if (url === ':memory:' || url === 'file::memory:') return ':memory:';
  if (url.startsWith('file:'))
    return decodeURIComponent(url.slice('file:'.length).replace(/^\/\/(?=\/)/, ''));
  const scheme = /^[a-z]+:/i.exec(url)?.[0] ?? `"${url}"`;
  throw new Error(
    `DATABASE_URL: ${scheme} is not known here; expected file:<path>, such as file:./data/wakewell.db`,
  );
}

function prepare(db: BetterSqlite3.Database, readonly: boolean, nowMs: number): void {
  const version = db.prepare<[], { v: string }>('select sqlite_version() as v').get()?.v ?? '0';
  if (!isAtLeast(version, MIN_SQLITE)) {
    throw new Error(
      `SQLite ${version} can corrupt a WAL database; at least ${MIN_SQLITE.join('.')} is needed`,
    );
  }
  db.pragma('foreign_keys = ON');
  if (readonly) return;

  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  migrate(db, nowMs);
  assertDurable(db);
}

function isAtLeast(version: string, floor: readonly number[]): boolean {
  const parts = version.split('.').map(Number);
  for (const [index, least] of floor.entries()) {
    const part = parts[index] ?? 0;
    if (part !== least) return part > least;
  }
  return true;
}

/** Asks after a write, because on a new file the answer before the first write is FULL whatever was set. */
function assertDurable(db: BetterSqlite3.Database): void {
  db.pragma('user_version = 1');
  const synchronous = db.pragma('synchronous', { simple: true });
  if (synchronous !== SYNCHRONOUS_FULL) {
    throw new Error(
      `pragma synchronous reads ${String(synchronous)} after a write, expected 2 (FULL): a 200 would not be durable`,
    );
  }
}
