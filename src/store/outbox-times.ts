/** Corrects the outbox's times when they lost their meaning: after a restart, and when the wall clock was stepped. */

import { sql } from 'kysely';
import { MINUTE, SECOND } from '../domain/clock.js';
import { CLIMB_AFTER_MS } from '../domain/notification.js';
import type { Tx } from './tables.js';

/** No pause that a provider asks for is longer. */
const MAX_PAUSE_MS = 2 * MINUTE;

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

/** Nothing that was counted or planned may lie further ahead than it can have been meant. */
export async function boundTimes(tx: Tx, nowMs: number): Promise<void> {
  await tx.updateTable('account_calls').set({ at: nowMs }).where('at', '>', nowMs).execute();
  await tx
    .updateTable('accounts')
    .set({ paused_until: nowMs + MAX_PAUSE_MS })
    .where('paused_until', '>', nowMs + MAX_PAUSE_MS)
    .execute();
  await tx
    .updateTable('notifications')
    .set({ climb_at: nowMs + CLIMB_AFTER_MS })
    .where(unfinishedPage)
    .where('climb_at', '>', nowMs + CLIMB_AFTER_MS)
    .execute();
}

/** A page that was due and that nobody was offered is due from now on, so that it is offered before its ladder is climbed. */
export async function offerFirst(tx: Tx, nowMs: number): Promise<void> {
  await tx
    .updateTable('notifications')
    .set({ due_at: nowMs })
    .where(unfinishedPage)
    .where('attempts', '=', 0)
    .where('due_at', '<', nowMs)
    .execute();
}

/**
 * Moves what is measured in durations along with a wall clock that was stepped by `steppedMs`, so that a step
 * neither climbs every ladder at once nor mutes them, nor lets a budget be spent twice.
 */
export async function shiftTimes(tx: Tx, steppedMs: number, nowMs: number): Promise<void> {
  await tx
    .updateTable('account_calls')
    .set((eb) => ({ at: eb('at', '+', steppedMs) }))
    .execute();
  await tx
    .updateTable('accounts')
    .set((eb) => ({ paused_until: eb('paused_until', '+', steppedMs) }))
    .where('paused_until', 'is not', null)
    .execute();
  await tx
    .updateTable('notifications')
    .set((eb) => ({ climb_at: eb('climb_at', '+', steppedMs) }))
    .where(unfinishedPage)
    .execute();
  await boundTimes(tx, nowMs);
  await offerFirst(tx, nowMs);
}

const unfinishedPage = sql<boolean>`purpose = 'page' and climbed_at is null and state in ('queued', 'sending')`;
