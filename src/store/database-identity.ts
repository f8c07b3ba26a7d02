/**
 * Is this the database that belongs here? SQLite takes an empty, foreign or outdated file without a word, and the
 * service would then have forgotten every open incident. So a start compares the database with the file beside it.
 */

import { statSync } from 'node:fs';
import type BetterSqlite3 from 'better-sqlite3';
import { filesOf } from './database-files.js';
import { refusalOfLoss } from './database-trouble.js';
import { type Remembered, readSideFile } from './side-file.js';

export type DatabaseIdentity = {
  readonly uuid: string;
  readonly generation: number;
  /** When a process last wrote here, ms since 1970. */
  readonly heartbeatAtMs: number;
  /** For a database that was restored: when, and how far the backup reached. */
  readonly restored: { readonly atMs: number; readonly reachMs: number } | null;
};

type Row = {
  uuid: string;
  generation: number;
  heartbeat_at: number;
  restored_at: number | null;
  restored_reach: number | null;
};

/** The identity that stands in a database, or null when it has none: a new one, or one of another program. */
export function readIdentity(db: BetterSqlite3.Database): DatabaseIdentity | null {
  const known = db.prepare("select 1 from sqlite_schema where name = 'database_identity'").get();
  if (known === undefined) return null;
  const row = db
    .prepare<[], Row>(
      'select uuid, generation, heartbeat_at, restored_at, restored_reach from database_identity',
    )
    .get();
  if (row === undefined) return null;
  return {
    uuid: row.uuid,
    generation: row.generation,
    heartbeatAtMs: row.heartbeat_at,
    restored:
      row.restored_at === null
        ? null
        : { atMs: row.restored_at, reachMs: row.restored_reach ?? row.restored_at },
  };
}

/** Begins a generation, and the identity itself in a new database. Returns what stands there now. */
export function beginGeneration(db: BetterSqlite3.Database, nowMs: number): DatabaseIdentity {
  db.prepare(
    `insert into database_identity (id, uuid, generation, heartbeat_at)
     values (1, lower(hex(randomblob(16))), 1, @nowMs)
     on conflict (id) do update set generation = generation + 1, heartbeat_at = @nowMs`,
  ).run({ nowMs });
  const identity = readIdentity(db);
  if (identity === null) throw new Error('the database has no identity after one was written');
  return identity;
}

/** What lies on the disk before SQLite touches it: opening alone makes an absent file and an empty log. */
export type Found = {
  readonly remembered: Remembered | 'unreadable' | null;
  /** Size of the main file; null when there is none. */
  readonly bytes: number | null;
  readonly hasLog: boolean;
};

export function lookAt(file: string): Found {
  return {
    remembered: readSideFile(file),
    bytes: sizeOf(file),
    hasLog: (sizeOf(filesOf(file).wal) ?? 0) > 0,
  };
}

function sizeOf(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.size ?? null;
}

/** How to take a database on purpose; ends every refusal. */
const HOW_TO_ACCEPT =
  'Put the right file back, restore a backup with `wakewell restore FILE`, or, if it is meant to be so, ' +
  'start once with `wakewell serve --accept-database`.';

/** Throws when a database was here and there is none now. */
export function refuseMissing(file: string, { remembered, bytes }: Found): void {
  if (remembered === null || remembered === 'unreadable' || (bytes ?? 0) > 0) return;
  throw refusalOfLoss(
    'file_lost',
    `${file} is ${bytes === null ? 'missing' : 'empty'}, but a database was here (${filesOf(file).identity} remembers ` +
      `generation ${remembered.generation}): a new one would have forgotten every open incident. ${HOW_TO_ACCEPT}`,
  );
}

/**
 * Compares the identity in the database with what is remembered. Throws when it is another database or an older
 * state of it; returns what somebody should know although the start goes on.
 */
export function judgeIdentity(file: string, found: Found, identity: DatabaseIdentity | null): string[] {
  const { remembered } = found;
  if (remembered === null) return [];
  if (remembered === 'unreadable') {
    return [
      `${filesOf(file).identity} cannot be read: whether this is the database of the last run is not known`,
    ];
  }
  if (identity?.uuid !== remembered.uuid) {
    throw refusalOfLoss(
      'file_lost',
      `${file} is another database than the one that was here: expected ${remembered.uuid}, ` +
        `found ${identity?.uuid ?? 'one without an identity'}. ${HOW_TO_ACCEPT}`,
    );
  }
  if (identity.generation < remembered.generation) {
    throw refusalOfLoss(
      'file_lost',
      `${file} is older than when it was last used (generation ${identity.generation}, expected at least ` +
        `${remembered.generation}): it is an old copy, or its write-ahead log was lost. What was accepted since ` +
        `is not in it. ${HOW_TO_ACCEPT}`,
    );
  }
  // Everything committed since the last checkpoint stands in the log, so one that is gone may have taken something along.
  if (remembered.state === 'closed' || found.hasLog) return [];
  return [
    `the last run did not end cleanly and ${filesOf(file).wal} is gone: unless a tool wrote it into the database, ` +
      'what was accepted in the last seconds of that run is missing until Alertmanager sends it again',
  ];
}
