/** `wakewell backup`: a copy of the database, also beside the running service. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../domain/errors.js';
import { backUp, backupName, defaultBackupDirectory } from '../store/backup.js';
import { fileOf } from '../store/database.js';
import { CommandFailure, EXIT } from './exit-codes.js';
import { requireConfig } from './load-config.js';

/** Copies, checks and syncs. Exit 4 without a database, 5 when the file exists, 3 when no good copy could be made. */
export async function backup(
  target: string | undefined,
  options: { readonly json: boolean },
): Promise<number> {
  const config = requireConfig();
  const file = databaseFile(config.databaseUrl);
  if (!existsSync(file)) throw new CommandFailure(EXIT.noSuchThing, `there is no database ${file}`);
  const directory = config.backup.directory ?? defaultBackupDirectory(file);
  const request = {
    file,
    target: target ?? join(directory, backupName(Date.now())),
    monotonic: () => performance.now(),
  };
  if (!options.json && process.stderr.isTTY) console.error(`Copying ${file} …`);
  const made = await backUp(request).catch((error: unknown) => {
    if (error instanceof AppError) throw new CommandFailure(EXIT.refused, error.message);
    throw new CommandFailure(EXIT.unreachable, `no backup was made: ${(error as Error).message}`);
  });
  if (options.json) console.log(JSON.stringify({ file: made.file, bytes: made.bytes, took_ms: made.tookMs }));
  else console.log(`${made.file}: ${made.bytes} bytes, every page checked, in ${made.tookMs} ms.`);
  return EXIT.fine;
}

/** The path of the configured database; exit 2 for one that is no file. */
export function databaseFile(url: string): string {
  const file = fileOf(url);
  if (file === null)
    throw new CommandFailure(EXIT.usage, 'DATABASE_URL is a database in memory: there is no file');
  return file;
}
