/** Whether a receiver may be paged now; see domain/page-ceiling.ts. */

import { longestWindowMs, type PageCeiling, type Room, roomUnder } from '../domain/page-ceiling.js';
import type { Tx } from '../store/database.js';
import type { NotificationStore } from '../store/notification-store.js';

export async function roomAt(
  tx: Tx,
  notifications: Pick<NotificationStore, 'pagedAt'>,
  asked: { readonly receiver: string; readonly ceilings: readonly PageCeiling[]; readonly nowMs: number },
): Promise<Room> {
  const { receiver, ceilings, nowMs } = asked;
  const sinceMs = nowMs - longestWindowMs(ceilings);
  return roomUnder(ceilings, await notifications.pagedAt(tx, { receiver, sinceMs, nowMs }), nowMs);
}
