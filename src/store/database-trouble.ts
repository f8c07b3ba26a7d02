/** What goes wrong with a database itself, rather than with the data that was to be stored. */

import { AppError } from '../domain/errors.js';

const UNSOUND = 'UNSOUND_DATABASE';

/**
 * The database file is not the one that was opened, or is damaged: SQLite would go on taking writes that nobody
 * can ever read again.
 */
export function unsoundDatabase(message: string): Error {
  return Object.assign(new Error(message), { code: UNSOUND });
}

const TROUBLE =
  /^(?:UNSOUND_DATABASE$|SQLITE_(?:FULL|IOERR|BUSY|LOCKED|READONLY|CORRUPT|NOTADB|CANTOPEN|NOMEM|PROTOCOL|PERM))/;

/**
 * Whether a failure is the database's own (disk full, I/O error, locked, corrupt, replaced) rather than one of the
 * data that was to be stored. Trying again with other data is then of no use.
 */
export function isDatabaseTrouble(error: unknown): boolean {
  return TROUBLE.test(codeOf(error));
}

export function isDiskFull(error: unknown): boolean {
  return codeOf(error) === 'SQLITE_FULL';
}

/** Another process holds the lock. */
export function isLocked(error: unknown): boolean {
  return /^SQLITE_(?:BUSY|LOCKED)/.test(codeOf(error));
}

/** Bytes on disk are not what SQLite wrote. */
export function isDamaged(error: unknown): boolean {
  return /^SQLITE_(?:CORRUPT|NOTADB)/.test(codeOf(error));
}

/** A start that is refused: the message says what was found and what to do. */
export function refusal(message: string, cause?: unknown): AppError {
  return new AppError('conflict', message, cause === undefined ? undefined : { cause });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
