/**
 * Watches the database while it is in use. SQLite says nothing when its file is deleted, replaced or damaged, nor
 * when nothing can be written for want of traffic: so it is asked every 10 s, and every page is read now and then.
 */

import { stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Cancel, type Clock, MINUTE, SECOND } from '../domain/clock.js';
import type { Logger } from '../log/logger.js';
import type { Ballast } from './ballast.js';
import { type Database, WAL_LIMIT_BYTES } from './database.js';
import { filesOf } from './database-files.js';
import { updateSideFile } from './side-file.js';
import { runInChild } from './sqlite-child.js';
import type { TroubleBoard } from './trouble-board.js';

const LOOK_MS = 10 * SECOND;
/** A lock that somebody holds for a moment is no trouble: the heartbeat is tried so often, a second apart. */
const HEARTBEAT_TRIES = 3;
/** Largest share of one core for reading every page: after a check of 3 s the pages rest for 5 min. */
const CHECK_SHARE = 0.01;
const MIN_CHECK_PAUSE_MS = 30 * SECOND;
const CHECK_TIMEOUT_MS = 10 * MINUTE;
/** Four times what a checkpoint leaves: no ordinary load gets there. */
export const LARGE_LOG_BYTES = 4 * WAL_LIMIT_BYTES;

export type GuardDeps = {
  readonly db: Database;
  readonly troubles: TroubleBoard;
  /** Null without a file. */
  readonly ballast: Ballast | null;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics?: {
    readonly sizes: (sizes: { wal: number; database: number; free: number | null }) => void;
    readonly ballast: (kept: boolean) => void;
    readonly heartbeat: (atMs: number) => void;
    readonly checked: (atMs: number) => void;
  };
  /** Reads every page and answers `ok` or what is wrong; a child process when absent. */
  readonly checkPages?: (file: string, signal: AbortSignal) => Promise<string>;
};

export type DatabaseGuard = {
  readonly start: () => void;
  /** Looks once. Never rejects. */
  readonly look: () => Promise<void>;
  /** Reads every page once. Never rejects. */
  readonly check: () => Promise<void>;
  /** The disk was found full: gives the ballast back. Quick, never throws. */
  readonly diskFull: () => void;
  /** Ends what runs. */
  readonly stop: () => Promise<void>;
};

export function createDatabaseGuard(deps: GuardDeps): DatabaseGuard {
  const { db, clock, logger, troubles } = deps;
  const { file } = db;
  const stopping = new AbortController();
  const cancels = new Map<string, Cancel>();
  const underWay = new Set<Promise<void>>();

  async function look(): Promise<void> {
    sayUnsound();
    await beat();
    if (file === null) return;
    await measure(file);
    await keepBallast();
  }

  function sayUnsound(): void {
    const unsound = db.unsoundness();
    troubles.say('file_lost', unsound?.kind === 'file_lost' ? unsound.detail : null);
    if (unsound?.kind === 'damaged')
      troubles.say('damaged', `${unsound.detail}; restore a backup with wakewell restore`);
  }

  async function beat(): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        const nowMs = clock.now();
        const generation = await writeHeartbeat(db, nowMs);
        if (file !== null && db.identity !== null && db.unsoundness() === null) {
          await updateSideFile(file, { uuid: db.identity.uuid, generation, state: 'open' });
        }
        troubles.say('heartbeat_failed', null);
        deps.metrics?.heartbeat(nowMs);
        return;
      } catch (error) {
        sayUnsound();
        if (tries < HEARTBEAT_TRIES && !stopping.signal.aborted) {
          await pause(SECOND);
          continue;
        }
        const detail = `a heartbeat could not be written and read back: ${(error as Error).message}`;
        troubles.say('heartbeat_failed', detail);
        return;
      }
    }
  }

  async function measure(path: string): Promise<void> {
    const { wal: log } = filesOf(path);
    const [wal, database, free] = await Promise.all([sizeOf(log), sizeOf(path), freeSpace(dirname(path))]);
    deps.metrics?.sizes({ wal, database, free });
    const mebibytes = Math.round(wal / 1024 / 1024);
    const detail = `${log} has ${mebibytes} MiB: a process reads the database for a long time (lsof ${path} names it)`;
    troubles.say('log_large', wal > LARGE_LOG_BYTES ? detail : null);
  }

  async function keepBallast(): Promise<void> {
    if (deps.ballast === null) return;
    const kept = await deps.ballast.keep();
    deps.metrics?.ballast(kept);
    if (kept) troubles.say('disk_full', null);
    const low = !kept && !troubles.has('disk_full');
    troubles.say('disk_low', low ? 'there is no room to set space aside for a full disk' : null);
  }

  async function check(): Promise<void> {
    if (file === null || db.unsoundness() !== null) return;
    try {
      const answer = await (deps.checkPages ?? checkInChild)(file, stopping.signal);
      if (answer === 'ok') deps.metrics?.checked(clock.now());
      else db.condemn(answer);
    } catch (error) {
      if (stopping.signal.aborted) return;
      // What the child threw comes as text.
      if (/not a database|malformed/.test((error as Error).message)) db.condemn((error as Error).message);
      else logger.warn({ err: error }, 'the pages of the database could not be checked');
    }
    sayUnsound();
  }

  /** Runs `turn` after `delayMs` and again `pauseMs` after it ended, until the guard stops. */
  function repeat(
    name: string,
    turn: () => Promise<void>,
    delayMs: number,
    pauseMs: (tookMs: number) => number,
  ): void {
    const run = async () => {
      const startedAt = clock.monotonic();
      await turn().catch((error: unknown) => logger.error({ err: error, name }, 'the database guard failed'));
      const next = pauseMs(clock.monotonic() - startedAt);
      if (!stopping.signal.aborted) repeat(name, turn, next, pauseMs);
    };
    const begin = () => {
      const running = run().finally(() => underWay.delete(running));
      underWay.add(running);
    };
    cancels.set(name, clock.after(delayMs, begin));
  }

  function pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = clock.after(delayMs, resolve);
      const end = () => {
        cancel();
        resolve();
      };
      stopping.signal.addEventListener('abort', end, { once: true });
    });
  }

  return {
    look,
    check,
    start() {
      if (db.notes.length > 0) troubles.say('found_changed', db.notes.join('; '));
      repeat('look', look, 0, () => LOOK_MS);
      const rest = (tookMs: number) => Math.max(MIN_CHECK_PAUSE_MS, tookMs / CHECK_SHARE);
      repeat('check', check, db.checkedAtStart ? rest(0) : 0, rest);
    },
    diskFull() {
      const released = deps.ballast?.release() === true;
      deps.metrics?.ballast(false);
      const consequence = released
        ? 'the space set aside was given back; make room before that is used up as well'
        : 'no space is set aside, so nothing can be stored until there is room';
      if (released || !troubles.has('disk_full'))
        troubles.say('disk_full', `the disk is full: ${consequence}`);
    },
    async stop() {
      stopping.abort();
      for (const cancel of cancels.values()) cancel();
      while (underWay.size > 0) await Promise.allSettled([...underWay]);
    },
  };
}

/** Writes the heartbeat, reads it back in another transaction, and returns the generation it began. */
async function writeHeartbeat(db: Database, nowMs: number): Promise<number> {
  await db.transaction(async (tx) => {
    await tx
      .updateTable('database_identity')
      .set((eb) => ({ generation: eb('generation', '+', 1), heartbeat_at: nowMs }))
      .execute();
  });
  const row = await db.kysely
    .selectFrom('database_identity')
    .select(['generation', 'heartbeat_at'])
    .executeTakeFirst();
  if (row?.heartbeat_at !== nowMs)
    throw new Error(`wrote ${nowMs} and read back ${String(row?.heartbeat_at)}`);
  return row.generation;
}

function checkInChild(file: string, signal: AbortSignal): Promise<string> {
  return runInChild({ kind: 'quick_check', file }, { timeoutMs: CHECK_TIMEOUT_MS, signal });
}

function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

/** Bytes that this process may still write there; null when the system does not tell. */
function freeSpace(directory: string): Promise<number | null> {
  return statfs(directory).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => null,
  );
}
