/** One process on one file: two would each page, and each believe that its leases hold. */

import { rmSync } from 'node:fs';
import BetterSqlite3 from 'better-sqlite3';
import { refusal } from './database-trouble.js';

/** What a power cut during the very first start may leave of the lock file. It holds nothing, so it is made anew. */
const DAMAGED = ['SQLITE_NOTADB', 'SQLITE_CORRUPT'];

/**
 * Takes the lock of a database file and returns the function that gives it back. The lock is SQLite's own
 * exclusive file lock on `<file>.lock`, so the kernel drops it with the process, `kill -9` included.
 * Throws when another process holds it, with what to do.
 */
export function lockDatabaseFile(file: string): () => void {
  try {
    return takeLock(file);
  } catch (error) {
    // Only a lock file that nobody holds can be read far enough to be found damaged.
    if (!DAMAGED.includes((error as { code?: string }).code ?? '')) throw error;
  }
  rmSync(`${file}.lock`);
  return takeLock(file);
}

function takeLock(file: string): () => void {
  const side = new BetterSqlite3(`${file}.lock`, { timeout: 0 });
  try {
    side.pragma('journal_mode = MEMORY');
    side.pragma('locking_mode = EXCLUSIVE');
    // In exclusive mode the lock taken by this transaction is kept until the connection closes.
    side.exec('begin exclusive; create table if not exists held (by_pid integer); commit');
  } catch (cause) {
    side.close();
    if ((cause as { code?: string }).code !== 'SQLITE_BUSY') throw cause;
    throw refusal(
      `${file} is in use by another process: one database file belongs to one running Wakewell. ` +
        'Stop the other one, or give this one a DATABASE_URL of its own.',
      cause,
    );
  }
  return () => side.close();
}
