/**
 * Brings the log into the main file while nobody waits for a commit. Without it SQLite does so inside the commit that
 * made the log long enough, and every call of that commit waits for 16 MB. Under a load without a pause it still does.
 */

import type BetterSqlite3 from 'better-sqlite3';

/** 2 MB: some 3 ms of the event loop, and far from what SQLite waits for. */
export const IDLE_CHECKPOINT_PAGES = 500;

export type IdleCheckpoint = {
  /** A transaction is asked for. */
  readonly begin: () => void;
  /** It is over, however it ended. */
  readonly end: () => void;
};

/** Watches the transactions of one connection. Never throws: what it cannot do, the next commit does. */
export function createIdleCheckpoint(db: BetterSqlite3.Database): IdleCheckpoint {
  let running = 0;
  let asked = 0;

  function whenIdle(): void {
    const seen = asked;
    // The first turn answers those who waited, the second lets in what has arrived meanwhile.
    setImmediate(() =>
      setImmediate(() => {
        if (running === 0 && asked === seen && db.open) bringIn();
      }),
    );
  }

  function bringIn(): void {
    try {
      const [found] = db.pragma('wal_checkpoint(NOOP)') as { log: number; checkpointed: number }[];
      if (found === undefined || found.log - found.checkpointed < IDLE_CHECKPOINT_PAGES) return;
      db.pragma('wal_checkpoint(PASSIVE)');
    } catch {
      // Busy or in trouble: a commit finds out, and says so.
    }
  }

  return {
    begin() {
      running += 1;
      asked += 1;
    },
    end() {
      running -= 1;
      if (running === 0) whenIdle();
    },
  };
}
