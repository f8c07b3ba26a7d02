/**
 * What happens to incidents because time passed and nothing else did: flapping ends, storms end, umbrellas speak
 * again or close. Everything that is due is read from the database; the ticks between are monotonic.
 */

import { type Cancel, type Clock, SECOND } from '../domain/clock.js';
import type { Logger } from '../log/logger.js';
import type { Database, Tx } from '../store/database.js';
import type { WriteStores } from './write-types.js';

/** How often due times are looked at. They are minutes; a page that waits for one must not wait much longer. */
const TICK_MS = SECOND;

/** One part of the upkeep, in a transaction of its own. True when it changed something. */
export type Upkeep = (tx: Tx, stores: WriteStores, nowMs: number) => Promise<boolean>;

export type UpkeepLoop = {
  readonly start: () => void;
  /** Does now what is due. For who knows that something may be. */
  readonly run: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

export function createUpkeepLoop(deps: {
  readonly db: Database;
  readonly stores: WriteStores;
  readonly parts: readonly Upkeep[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** There may be work, and notifications may be due. */
  readonly onChanged: () => void;
}): UpkeepLoop {
  let stopped = true;
  let running: Promise<void> = Promise.resolve();
  let cancel: Cancel | null = null;

  async function runAll(): Promise<void> {
    for (const part of deps.parts) {
      try {
        const changed = await deps.db.transaction((tx) => part(tx, deps.stores, deps.clock.now()));
        if (changed) deps.onChanged();
      } catch (error) {
        // One part that fails must not keep the others from theirs.
        deps.logger.error({ err: error, part: part.name }, 'upkeep failed, tried again at the next tick');
      }
    }
  }

  function run(): Promise<void> {
    running = running.then(runAll);
    return running;
  }

  function tick(): void {
    cancel = deps.clock.after(TICK_MS, () => {
      void run().then(() => {
        if (!stopped) tick();
      });
    });
  }

  return {
    start() {
      stopped = false;
      tick();
    },
    run,
    async stop() {
      stopped = true;
      cancel?.();
      await running;
    },
  };
}
