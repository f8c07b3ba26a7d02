/** `wakewell restore`: a backup becomes the database. The service must not be running. */

import { AppError } from '../domain/errors.js';
import { type Restored, restoreDatabase } from '../store/restore.js';
import { databaseFile } from './backup.js';
import { CommandFailure, EXIT } from './exit-codes.js';
import { requireConfig } from './load-config.js';

/** Restores whole or not at all. Exit 4 without such a file, 5 when it is refused (running, a database is there, no whole backup). */
export function restore(
  backup: string,
  options: { readonly force: boolean; readonly json: boolean },
): number {
  const file = databaseFile(requireConfig().databaseUrl);
  let restored: Restored;
  try {
    restored = restoreDatabase({ file, backup, force: options.force, nowMs: Date.now() });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new CommandFailure(error.code === 'not_found' ? EXIT.noSuchThing : EXIT.refused, error.message);
  }
  const { identity, incidents, replaced } = restored;
  const reach = new Date(identity.heartbeatAtMs).toISOString();
  if (options.json) {
    console.log(
      JSON.stringify({ file, reaches: reach, replaced, incidents: incidents.total, open: incidents.open }),
    );
    return EXIT.fine;
  }
  console.log(
    `${file} is the backup now. It reaches to ${reach} and holds ${incidents.total} incidents, ${incidents.open} open.`,
  );
  if (replaced !== null) console.log(`The database that was there lies at ${replaced}.`);
  console.log('Next: start the service. Alertmanager sends what still fires again.');
  return EXIT.fine;
}
