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

/** What is refused: the message says what was found and what to do. */
export function refusal(message: string, cause?: unknown): AppError {
  return new AppError('conflict', message, cause === undefined ? undefined : { cause });
}

/** Refused because what was stored is not there as it was: somebody has to see to it, whatever starts the service again. */
export type Loss = 'file_lost' | 'damaged';
const LOSSES = new WeakMap<AppError, Loss>();

export function refusalOfLoss(loss: Loss, message: string, cause?: unknown): AppError {
  const error = refusal(message, cause);
  LOSSES.set(error, loss);
  return error;
}

/** The loss for which a start was refused; null for any other failure. */
export function lossOf(error: unknown): Loss | null {
  return error instanceof AppError ? (LOSSES.get(error) ?? null) : null;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
