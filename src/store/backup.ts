/**
 * Copies of the database as of one moment, made beside the running service. A copy has its final name only once it
 * is whole, checked and on disk.
 */

import { constants, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type BetterSqlite3 from 'better-sqlite3';
import { HOUR } from '../domain/clock.js';
import { refusal } from './database-trouble.js';
import { runInChild } from './sqlite-child.js';

export type Backup = {
  readonly file: string;
  readonly bytes: number;
  /** How long it took, ms. */
  readonly tookMs: number;
};

export type BackupRequest = {
  /** The database. */
  readonly file: string;
  /** Where the copy goes; its directory is made. */
  readonly target: string;
  /** Monotonic time in ms. */
  readonly monotonic: () => number;
  readonly signal?: AbortSignal;
};

const TIMEOUT_MS = HOUR;
/** What a copy is called until it is whole. */
const UNFINISHED = '.unfinished';
const SCHEDULED = /^wakewell-\d{8}T\d{6}Z\.db$/;

/** Beside the database, unless the configuration names another place. */
export function defaultBackupDirectory(file: string): string {
  return join(dirname(file), 'backups');
}

/** The name of a scheduled backup; names sort by time. */
export function backupName(nowMs: number): string {
  const stamp = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, '');
  return `wakewell-${stamp}.db`;
}

/**
 * Copies, checks, syncs and names. Rejects with AppError `conflict` when the target exists, and with the reason when no
 * good copy could be made; nothing is left under the final name then.
 */
export async function backUp(request: BackupRequest): Promise<Backup> {
  const { file, target, monotonic, signal } = request;
  const startedAt = monotonic();
  if (exists(target)) throw refusal(`${target} exists already: name another file`);
  const unfinished = target + UNFINISHED;
  mkdirSync(dirname(target), { recursive: true });
  rmSync(unfinished, { force: true });
  try {
    const answer = await runInChild(
      { kind: 'copy', file, target: unfinished },
      { timeoutMs: TIMEOUT_MS, signal },
    );
    if (answer !== 'ok') throw new Error(`the copy is damaged: ${answer}`);
    await rename(unfinished, target);
  } finally {
    rmSync(unfinished, { force: true });
  }
  await syncDirectory(dirname(target));
  return { file: target, bytes: statSync(target).size, tookMs: Math.round(monotonic() - startedAt) };
}

/** Removes all but the newest `keep` scheduled backups, and what interrupted ones left. Returns what was removed. */
export function pruneBackups(directory: string, keep: number): string[] {
  const names = readdirSync(directory);
  const old = names
    .filter((name) => SCHEDULED.test(name))
    .sort()
    .slice(0, -keep);
  const left = names.filter(
    (name) => SCHEDULED.test(name.replace(UNFINISHED, '')) && name.endsWith(UNFINISHED),
  );
  const removed = [...old, ...left];
  for (const name of removed) rmSync(join(directory, name), { force: true });
  return removed;
}

/**
 * Copies a database that is about to be migrated to `<file>.before-<migration>`, in the place of an earlier such copy.
 * Synchronous: nothing is served yet. Throws AppError `conflict` when it cannot be had.
 */
export function copyBeforeMigrating(db: BetterSqlite3.Database, file: string, migration: string): string {
  const target = `${file}.before-${migration.replace(/\.sql$/, '')}`;
  const unfinished = target + UNFINISHED;
  try {
    rmSync(unfinished, { force: true });
    db.prepare('vacuum into ?').run(unfinished);
    renameSync(unfinished, target);
  } catch (error) {
    rmSync(unfinished, { force: true });
    const reason = (error as Error).message;
    throw refusal(
      `no copy of ${file} could be made before its schema is changed (${reason}): make room, then start again`,
      error,
    );
  }
  const earlier = readdirSync(dirname(file)).filter(
    (name) => name.startsWith(`${basename(file)}.before-`) && name !== basename(target),
  );
  for (const name of earlier) rmSync(join(dirname(file), name), { force: true });
  return target;
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
