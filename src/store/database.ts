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
import { copyBeforeMigrating } from './backup.js';
import {
  assertDurable,
  assertSqliteVersion,
  assertWhole,
  CHECKED_AT_START_BYTES,
  damagedRefusal,
} from './database-gates.js';
import {
  beginGeneration,
  type DatabaseIdentity,
  type Found,
  judgeIdentity,
  lookAt,
  readIdentity,
  refuseMissing,
} from './database-identity.js';
import { lockDatabaseFile } from './database-lock.js';
import { isDamaged, isDiskFull, isLocked, unsoundDatabase } from './database-trouble.js';
import { watchFiles } from './file-watch.js';
import { createIdleCheckpoint } from './idle-checkpoint.js';
import { firstMissing, migrate } from './migrate.js';
import { writeSideFile } from './side-file.js';
import { withStatementCache } from './statement-cache.js';
import type { Tables, Tx } from './tables.js';

export { isDatabaseTrouble } from './database-trouble.js';
export type { Tables, Tx } from './tables.js';

export type Database = {
  /** For reads outside a transaction. Never use it inside `transaction`: there is one connection, and it waits for ever. */
  readonly kysely: Kysely<Tables>;
  /**
   * Runs `fn` in one transaction, committed durably when the promise resolves; rolled back when `fn` throws. A
   * `promised` one is told to somebody outside as done, so it is refused when the file is not sound any more.
   */
  readonly transaction: <T>(
    fn: (tx: Tx) => Promise<T>,
    options?: { readonly promised?: boolean },
  ) => Promise<T>;
  /** Path of the file, or null for a database in memory. */
  readonly file: string | null;
  /** As it was when this process opened it; null for a read-only look at a database of another program. */
  readonly identity: DatabaseIdentity | null;
  /** How far the backup reached, ms since 1970, when this is the first opening after a restore; else null. */
  readonly restoredReachMs: number | null;
  /** What the start found that somebody should know. */
  readonly notes: readonly string[];
  /** False when the file was too large to be read as a whole before the start went on. */
  readonly checkedAtStart: boolean;
  /** Why what is committed now could not be read again. Null while the file is sound. */
  readonly unsoundness: () => Unsoundness | null;
  /** Says that the file is damaged: from then on nothing is promised any more. */
  readonly condemn: (detail: string) => void;
  /** Writes everything into the main file and gives the lock back. Waits for what runs. */
  readonly close: () => Promise<void>;
};

export type Unsoundness = { readonly kind: 'file_lost' | 'damaged'; readonly detail: string };

export type DatabaseOptions = {
  readonly clock: Clock;
  /** Opens without lock, gates and migrations, for a look beside a running service. */
  readonly readonly?: boolean;
  /** Takes whatever lies there (or nothing) as the database that belongs here. */
  readonly accept?: boolean;
  /** Called when a write found the disk full. Must be quick and must not throw. */
  readonly onDiskFull?: () => void;
};

/**
 * The event loop is blocked while SQLite waits for a lock, at most 200 ms a turn. Nobody else should hold one; a backup
 * or an operator's shell takes it for some ms.
 */
const BUSY_TIMEOUT_MS = 100;

/** 16 MB of WAL. Keys are hashes, so a page is written once a checkpoint rather than once a commit. */
const CHECKPOINT_PAGES = 4000;

/** A log that a long reader let grow is cut back to this at the next checkpoint. */
export const WAL_LIMIT_BYTES = 16 * 1024 * 1024;

/**
 * Opens `file:<path>` (or `file::memory:`), creating directory, file and schema as needed. Throws AppError `conflict`
 * with an instruction when the file belongs to another process, is not the one that belongs here, is damaged, or is of
 * a newer build; plain errors when durability cannot be had.
 */
export function openDatabase(url: string, options: DatabaseOptions): Database {
  const file = fileOf(url);
  const readonly = options.readonly === true;
  if (file !== null && !readonly) mkdirSync(dirname(file), { recursive: true });

  const unlock = file !== null && !readonly ? lockDatabaseFile(file) : () => {};
  let raw: BetterSqlite3.Database | null = null;
  let opened: Opened;
  try {
    const found = file === null || readonly ? null : lookAt(file);
    if (file !== null && found !== null && options.accept !== true) refuseMissing(file, found);
    raw = new BetterSqlite3(file ?? ':memory:', { timeout: BUSY_TIMEOUT_MS, readonly });
    opened = prepare(raw, { ...options, file, found });
  } catch (error) {
    raw?.close();
    unlock();
    if (file !== null && isDamaged(error)) throw damagedRefusal(file, (error as Error).message, error);
    throw error;
  }

  const sqlite = raw;
  const kysely = new Kysely<Tables>({ dialect: new SqliteDialect({ database: withStatementCache(sqlite) }) });
  const moved = file === null || readonly ? () => null : watchFiles(file);
  const idle = file === null || readonly ? null : createIdleCheckpoint(sqlite);
  let damage: string | null = null;
  let closing: Promise<void> | null = null;

  const database: Database = {
    kysely,
    file,
    ...opened,
    unsoundness() {
      if (damage !== null) return { kind: 'damaged', detail: damage };
      const detail = moved();
      return detail === null ? null : { kind: 'file_lost', detail };
    },
    condemn(detail) {
      damage ??= detail;
    },
    async transaction(fn, { promised = false } = {}) {
      idle?.begin();
      try {
        return await kysely.transaction().execute((tx) => inTransaction(tx, fn, promised));
      } catch (error) {
        if (isDiskFull(error)) options.onDiskFull?.();
        if (isDamaged(error)) database.condemn((error as Error).message);
        throw error;
      } finally {
        idle?.end();
      }
    },
    close() {
      closing ??= kysely
        .connection()
        .execute(async () => {})
        .then(() => {
          if (file !== null && !readonly && database.unsoundness() === null) checkpoint(sqlite, file);
        })
        .then(() => kysely.destroy())
        .then(() => {
          // Kysely opens its driver with the first query; without one it has nothing to close.
          if (sqlite.open) sqlite.close();
        })
        .finally(unlock);
      return closing;
    },
  };

  async function inTransaction<T>(tx: Tx, fn: (tx: Tx) => Promise<T>, promised: boolean): Promise<T> {
    try {
      const result = await fn(tx);
      const unsound = promised ? database.unsoundness() : null;
      if (unsound !== null) throw unsoundDatabase(unsound.detail);
      return result;
    } catch (error) {
      // Others wait for the connection, and each would block the loop for as long: let it turn in between.
      if (isLocked(error)) await new Promise((resolve) => setImmediate(resolve));
      throw error;
    }
  }
  return database;
}

/** The file that a database URL names; null for a database in memory. Throws for a URL of another kind. */
export function fileOf(url: string): string | null {
  const path = pathOf(url);
  return path === ':memory:' ? null : path;
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

type Opened = Pick<Database, 'identity' | 'restoredReachMs' | 'notes' | 'checkedAtStart'>;

function prepare(
  db: BetterSqlite3.Database,
  options: DatabaseOptions & { readonly file: string | null; readonly found: Found | null },
): Opened {
  const { file, found } = options;
  assertSqliteVersion(db);
  db.pragma('foreign_keys = ON');
  if (options.readonly === true)
    return { identity: readIdentity(db), restoredReachMs: null, notes: [], checkedAtStart: false };

  const notes: string[] = [];
  const checkedAtStart = (found?.bytes ?? 0) <= CHECKED_AT_START_BYTES;
  if (file !== null && found !== null) {
    if (options.accept !== true) notes.push(...judgeIdentity(file, found, readIdentity(db)));
    if (checkedAtStart) assertWhole(db, file);
  }
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  // The journal of a bulk statement outgrows 64 KiB and would be written through a file of its own.
  db.pragma('temp_store = MEMORY');
  db.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  db.pragma(`journal_size_limit = ${WAL_LIMIT_BYTES}`);
  const nowMs = options.clock.now();
  const missing = firstMissing(db);
  if (file !== null && missing !== null) copyBeforeMigrating(db, file, missing.name);
  migrate(db, nowMs);
  const restoredReachMs = freshlyRestored(readIdentity(db));
  const identity = beginGeneration(db, nowMs);
  assertDurable(db);
  if (file !== null) writeSideFile(file, { ...identity, state: 'open' });
  return { identity, restoredReachMs, notes, checkedAtStart };
}

/** A restore leaves the heartbeat where the backup had it; the first opening moves it. */
function freshlyRestored(identity: DatabaseIdentity | null): number | null {
  if (identity === null || identity.restored === null) return null;
  return identity.heartbeatAtMs === identity.restored.reachMs ? identity.restored.reachMs : null;
}

/** Brings the whole log into the main file, so that the file alone is the database, and remembers that it is. */
function checkpoint(db: BetterSqlite3.Database, file: string): void {
  const [outcome] = db.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[];
  const identity = readIdentity(db);
  if (outcome?.busy === 0 && identity !== null) writeSideFile(file, { ...identity, state: 'closed' });
}
