/** Whether the paths of a database still lead to the files that were opened. */

import { statSync } from 'node:fs';
import { filesOf } from './database-files.js';

/**
 * Remembers the inodes of database and log as they are now, and returns the question: null while both are in place,
 * else what happened. SQLite writes on into a file that was deleted or replaced, and every such commit is lost. The
 * question costs two stat calls, some 5 µs.
 */
export function watchFiles(file: string): () => string | null {
  const watched = [file, filesOf(file).wal].map((path) => ({ path, inode: inodeOf(path) }));
  return () => {
    for (const { path, inode } of watched) {
      const present = inodeOf(path);
      if (present === inode) continue;
      return `${path} was ${present === null ? 'deleted' : 'replaced'} while it was in use`;
    }
    return null;
  };
}

function inodeOf(path: string): bigint | null {
  return statSync(path, { throwIfNoEntry: false, bigint: true })?.ino ?? null;
}
