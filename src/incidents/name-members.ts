/** Names new members of an umbrella at the pager, within a minute and waking nobody. */

import { LIST_EVERY_MS } from '../domain/page-ceiling.js';
import type { Tx } from '../store/database.js';
import type { WithheldGroup } from '../store/withheld-store.js';
import type { UmbrellaStores } from './umbrella-types.js';

/** Has the page that stands for a group say whom it speaks for now. True when it was asked to. */
export async function nameMembers(
  tx: Tx,
  stores: UmbrellaStores,
  group: WithheldGroup,
  nowMs: number,
): Promise<boolean> {
  if (group.unnamed === 0) return false;
  const { withheld, notifications } = stores;
  const { receiver } = group;
  let page = await withheld.umbrellaPage(tx, group.umbrellaId, receiver);
  // An umbrella that had no room for its page is named by the one above it, and so are those under it.
  if (page !== null && page.umbrellaId !== null) {
    page = await withheld.umbrellaPage(tx, page.umbrellaId, receiver);
  }
  // A page that is not accepted yet will name them itself.
  if (page === null || page.state !== 'sent') return false;
  const { incidentId, episodeId, lastToldMs } = page;
  const dueAtMs = Math.max(nowMs, Math.min(nowMs, lastToldMs ?? 0) + LIST_EVERY_MS);
  await notifications.enqueue(tx, [
    { incidentId, episodeId, receiver, purpose: 'page_update', dueAtMs, createdAtMs: nowMs },
  ]);
  return true;
}
