/** Opens the database together with everything that looks after it. */

import type { Clock } from '../domain/clock.js';
import type { Logger } from '../log/logger.js';
import { createBallast } from './ballast.js';
import { type Database, openDatabase } from './database.js';
import { createDatabaseGuard, type DatabaseGuard, type GuardDeps } from './database-guard.js';
import { createTroubleBoard, type Trouble, type TroubleBoard, type TroubleKind } from './trouble-board.js';

export type StorageDeps = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics?: NonNullable<GuardDeps['metrics']> & {
    readonly trouble: (kind: TroubleKind, present: boolean) => void;
  };
  /** Takes whatever lies there as the database that belongs here. */
  readonly accept?: boolean;
  /** Called once when a trouble begins. Must not throw. */
  readonly onTrouble: (trouble: Trouble) => void;
};

export type Storage = {
  readonly db: Database;
  readonly guard: DatabaseGuard;
  readonly troubles: TroubleBoard;
};

/** Throws what `openDatabase` throws. The guard does nothing before it is started. */
export function openStorage(url: string, deps: StorageDeps): Storage {
  const { clock, logger, metrics } = deps;
  const db = openDatabase(url, { clock, accept: deps.accept === true, onDiskFull: () => guard.diskFull() });
  const observed = metrics === undefined ? {} : { metrics };
  const troubles = createTroubleBoard({ logger, onTrouble: deps.onTrouble, ...observed });
  const ballast = db.file === null ? null : createBallast(db.file);
  const guard = createDatabaseGuard({ db, troubles, ballast, clock, logger, ...observed });
  return { db, guard, troubles };
}
