/**
 * Puts a backup in the place of the database. What was accepted after the backup is not in it: Alertmanager sends
 * what still fires again.
 */

import { closeSync, constants, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { AppError } from '../domain/errors.js';
import { filesOf } from './database-files.js';
import { assertSqliteVersion, damagedRefusal } from './database-gates.js';
import { type DatabaseIdentity, readIdentity } from './database-identity.js';
import { lockDatabaseFile } from './database-lock.js';
import { isDamaged, refusal } from './database-trouble.js';
import { refuseForeignSchema } from './migrate.js';
import { readSideFile, writeSideFile } from './side-file.js';

export type Restored = {
  readonly file: string;
  /** Where the database that was there lies now; null when there was none. */
  readonly replaced: string | null;
  readonly identity: DatabaseIdentity;
  readonly incidents: { readonly total: number; readonly open: number };
};

export type RestoreRequest = {
  /** The database to be. */
  readonly file: string;
  readonly backup: string;
  /** Also where a database is already; it is kept beside. */
  readonly force: boolean;
  readonly nowMs: number;
};

/**
 * Restores whole or not at all. Throws AppError `not_found` without such a backup, `conflict` when it is none of ours,
 * damaged or of a newer build, when the service is running, or when a database is there and `force` is not given.
 */
export function restoreDatabase(request: RestoreRequest): Restored {
  const { file, backup, force, nowMs } = request;
  if (sizeOf(backup) === null) throw new AppError('not_found', `there is no backup ${backup}`);
  const unlock = lockDatabaseFile(file);
  try {
    const present = (sizeOf(file) ?? 0) > 0;
    if (present && !force) {
      throw refusal(
        `${file} holds a database: with --force it is moved aside and the backup takes its place`,
      );
    }
    const fresh = `${file}.restoring`;
    for (const path of [fresh, `${fresh}-journal`]) rmSync(path, { force: true });
    try {
      copyWhole(backup, fresh);
      const summary = prepare(fresh, file, nowMs);
      const replaced = present ? moveAside(file, nowMs) : null;
      for (const path of [filesOf(file).wal, filesOf(file).shm]) rmSync(path, { force: true });
      renameSync(fresh, file);
      syncDirectory(dirname(file));
      writeSideFile(file, { ...summary.identity, state: 'closed' });
      return { file, replaced, ...summary };
    } finally {
      rmSync(fresh, { force: true });
    }
  } finally {
    unlock();
  }
}

/** Reads every page of the backup, its log included where it has one. */
function copyWhole(backup: string, target: string): void {
  try {
    const source = new BetterSqlite3(backup, { readonly: true, fileMustExist: true });
    try {
      assertSqliteVersion(source);
      source.prepare('vacuum into ?').run(target);
    } finally {
      source.close();
    }
  } catch (error) {
    if (isDamaged(error))
      throw refusal(`${backup} is no whole SQLite database (${(error as Error).message})`, error);
    throw error;
  }
}

function prepare(fresh: string, file: string, nowMs: number): Pick<Restored, 'identity' | 'incidents'> {
  const db = new BetterSqlite3(fresh);
  try {
    db.pragma('synchronous = FULL');
    const fault = db.pragma('integrity_check(1)', { simple: true });
    if (fault !== 'ok') throw damagedRefusal(fresh, String(fault));
    const found = readIdentity(db);
    if (found === null) throw refusal('the file is a database, but none of Wakewell');
    refuseForeignSchema(db);
    const remembered = readSideFile(file);
    const last = remembered === null || remembered === 'unreadable' ? 0 : remembered.generation;
    db.prepare(
      `update database_identity set generation = max(generation, ?) + 1, restored_at = ?, restored_reach = heartbeat_at`,
    ).run(last, nowMs);
    const incidents = db
      .prepare<[], { total: number; open: number }>(
        "select count(*) as total, count(*) filter (where state <> 'resolved') as open from incidents",
      )
      .get();
    const identity = readIdentity(db);
    if (identity === null || incidents === undefined)
      throw new Error('the restored database lost its identity');
    return { identity, incidents };
  } finally {
    db.close();
  }
}

/** Nothing is deleted: a restore may turn out to be the mistake. */
function moveAside(file: string, nowMs: number): string {
  const stamp = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, '');
  const aside = `${file}.replaced-${stamp}`;
  renameSync(file, aside);
  if (sizeOf(filesOf(file).wal) !== null) renameSync(filesOf(file).wal, filesOf(aside).wal);
  return aside;
}

function sizeOf(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.size ?? null;
}

function syncDirectory(path: string): void {
  const directory = openSync(path, constants.O_RDONLY);
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
