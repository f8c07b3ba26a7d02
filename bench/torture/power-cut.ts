/**
 * A power cut for one database: what was written and never synced is gone, or partly gone.
 * powercut.c, loaded into the service, keeps `<file>.synced` as of each file's last fsync.
 */

import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { compileShim } from './compile-shim.js';
import type { Random } from './random.js';

/** The unit that a disk writes whole or not at all. */
const SECTOR_BYTES = 512;

const SHADOW = '.synced';

/** Compiles the shim into `directory`; throws with the compiler's words when there is no C compiler. Returns the library's path. */
export function compilePowerCutShim(directory: string): string {
  return compileShim('powercut.c', directory);
}

/** The environment under which a process' writes to the database are remembered. `databasePath` is absolute. */
export function powerCutEnv(library: string, databasePath: string): Record<string, string> {
  return { LD_PRELOAD: library, POWERCUT_PREFIX: databasePath };
}

export type PowerCut = {
  /** Bytes that differed between the page cache and what was synced. */
  readonly unsyncedBytes: number;
  readonly files: readonly string[];
};

/**
 * Puts every file of the database back to what the disk may hold after the power went: the synced state,
 * or with `torn` any mix of sectors of the synced and the unsynced state, since a disk may have written
 * some of them, in any order. The process must be dead. -shm is removed: it lives in memory.
 */
export function cutPower(databasePath: string, random: Random, torn: boolean): PowerCut {
  const directory = dirname(databasePath);
  const prefix = basename(databasePath);
  const files = readdirSync(directory).filter(
    (name) => name.startsWith(prefix) && !name.endsWith(SHADOW) && !name.includes('.ballast'),
  );
  let unsyncedBytes = 0;
  for (const name of files) {
    const path = join(directory, name);
    if (name.endsWith('-shm') || !existsSync(path + SHADOW)) {
      if (!name.endsWith('-shm')) unsyncedBytes += readFileSync(path).length;
      rmSync(path);
      continue;
    }
    const written = readFileSync(path);
    const synced = readFileSync(path + SHADOW);
    const left = torn ? mixSectors(synced, written, random) : synced;
    unsyncedBytes += countUnsynced(synced, written);
    writeFileSync(path, left);
    writeFileSync(path + SHADOW, left);
  }
  return { unsyncedBytes, files };
}

/** Each sector that differs is taken from one or the other side, and so is the length. */
export function mixSectors(synced: Buffer, written: Buffer, random: Random): Buffer {
  const length = random() < 0.5 ? synced.length : written.length;
  const mixed = Buffer.alloc(length);
  synced.copy(mixed, 0, 0, Math.min(length, synced.length));
  for (let from = 0; from < Math.min(length, written.length); from += SECTOR_BYTES) {
    const to = Math.min(from + SECTOR_BYTES, length, written.length);
    if (synced.subarray(from, to).equals(written.subarray(from, to))) continue;
    if (random() < 0.5) written.copy(mixed, from, from, to);
  }
  return mixed;
}

function countUnsynced(synced: Buffer, written: Buffer): number {
  let bytes = Math.abs(synced.length - written.length);
  const shared = Math.min(synced.length, written.length);
  for (let from = 0; from < shared; from += SECTOR_BYTES) {
    const to = Math.min(from + SECTOR_BYTES, shared);
    if (!synced.subarray(from, to).equals(written.subarray(from, to))) bytes += to - from;
  }
  return bytes;
}
