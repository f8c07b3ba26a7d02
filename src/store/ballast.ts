/**
 * Space set aside for the moment when the disk is full: given back then, so that alerts are taken on while somebody
 * makes room, and set aside again when there is some.
 */

import { unlinkSync } from 'node:fs';
import { open, rename, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { WAL_LIMIT_BYTES } from './database.js';
import { filesOf } from './database-files.js';

/** Twice the log: enough to bring a whole log into the main file and to fill another one. */
export const BALLAST_BYTES = 2 * WAL_LIMIT_BYTES;

const CHUNK_BYTES = 1024 * 1024;

export type Ballast = {
  /** Gives the space back at once. True when there was some. Never throws. */
  readonly release: () => boolean;
  /**
   * Sets space aside unless that is done, when the disk has room for it twice. Resolves whether it is set aside;
   * never rejects.
   */
  readonly keep: () => Promise<boolean>;
};

/** The ballast beside a database file. */
export function createBallast(file: string, bytes: number = BALLAST_BYTES): Ballast {
  const path = filesOf(file).ballast;
  const growing = `${path}.tmp`;
  let releases = 0;

  async function isThere(): Promise<boolean> {
    const found = await stat(path).catch(() => null);
    return found !== null && found.size >= bytes;
  }

  async function make(): Promise<boolean> {
    const { bavail, bsize } = await statfs(dirname(path));
    if (bavail * bsize < 2 * bytes) return false;
    const before = releases;
    const file = await open(growing, 'w', 0o600);
    try {
      for (let written = 0; written < bytes && releases === before; written += CHUNK_BYTES) {
        await file.write(incompressible(Math.min(CHUNK_BYTES, bytes - written), written + 1));
      }
      await file.sync();
    } finally {
      await file.close();
    }
    if (releases !== before) return false;
    await rename(growing, path);
    return true;
  }

  return {
    release() {
      releases += 1;
      const removed = remove(path);
      return remove(growing) || removed;
    },
    async keep() {
      try {
        return (await isThere()) || (await make());
      } catch {
        // No room, or no right to write: there is no ballast then, which the caller says.
        remove(growing);
        return false;
      }
    },
  };
}

function remove(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Bytes that a compressing file system cannot make small: xorshift32. */
function incompressible(bytes: number, seed: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(bytes / 4));
  let state = seed >>> 0 || 1;
  for (let index = 0; index < words.length; index += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return new Uint8Array(words.buffer, 0, bytes);
}
