/** Lets what waits go now, when the waiting lost its meaning: after a restart, and after the wall clock stepped back. */

import { SECOND } from '../domain/clock.js';
import type { Tx } from '../store/tables.js';

/**
 * Makes due what waits for a retry (the provider's state is not known any more), and what was stored in the
 * future (the clock was wrong then): both would otherwise be silent for longer than anybody decided. Held
 * resolves and pages that wait for their verdict keep their time.
 */
export async function makeDueAgain(tx: Tx, nowMs: number): Promise<void> {
  await tx
    .updateTable('notifications')
    .set({ due_at: nowMs })
    .where('state', '=', 'queued')
    .where('due_at', '>', nowMs)
    .where((eb) => eb.or([eb('attempts', '>', 0), eb('created_at', '>', nowMs + 5 * SECOND)]))
    .execute();
}
