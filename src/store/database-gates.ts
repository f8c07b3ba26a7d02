/** What must hold before a database is used: SQLite without a known fault, pages that are whole, commits that reach the disk. */

import type BetterSqlite3 from 'better-sqlite3';
import { refusalOfLoss } from './database-trouble.js';

/** First SQLite without the WAL-reset corruption (https://sqlite.org/wal.html#walresetbug; found 2026-03). */
const MIN_SQLITE = [3, 51, 3] as const;

/** Value of `pragma synchronous` that means FULL. */
const SYNCHRONOUS_FULL = 2;

/**
 * Largest file that is checked before the start goes on: quick_check reads some 500 MB/s, so this costs half a second.
 * A larger one is checked by the guard, beside the running service.
 */
export const CHECKED_AT_START_BYTES = 256 * 1024 * 1024;

export function assertSqliteVersion(db: BetterSqlite3.Database): void {
  const version = db.prepare<[], { v: string }>('select sqlite_version() as v').get()?.v ?? '0';
  if (!isAtLeast(version, MIN_SQLITE)) {
    throw new Error(
      `SQLite ${version} can corrupt a WAL database; at least ${MIN_SQLITE.join('.')} is needed`,
    );
  }
}

export function isAtLeast(version: string, floor: readonly number[]): boolean {
  const parts = version.split('.').map(Number);
  for (const [index, least] of floor.entries()) {
    const part = parts[index] ?? 0;
    if (part !== least) return part > least;
  }
  return true;
}

/** Reads every page. A damaged one may lie where nothing reads for weeks, while writes go on. */
export function assertWhole(db: BetterSqlite3.Database, file: string): void {
  const [first] = db.pragma('quick_check(1)') as { quick_check: string }[];
  if (first?.quick_check === 'ok') return;
  throw damagedRefusal(file, first?.quick_check ?? 'quick_check gave no answer');
}

export function damagedRefusal(file: string, detail: string, cause?: unknown): Error {
  return refusalOfLoss(
    'damaged',
    `${file} is damaged (${detail}). Restore the latest backup with \`wakewell restore FILE --force\`, which keeps ` +
      'the damaged file beside it.',
    cause,
  );
}

/** Asks after a write, because on a new file the answer before the first write is FULL whatever was set. */
export function assertDurable(db: BetterSqlite3.Database): void {
  db.pragma('user_version = 1');
  const synchronous = db.pragma('synchronous', { simple: true });
  if (synchronous !== SYNCHRONOUS_FULL) {
    throw new Error(
      `pragma synchronous reads ${String(synchronous)} after a write, expected 2 (FULL): a 200 would not be durable`,
    );
  }
}
