/**
 * Looks after umbrellas and what waits under them: new members are named at the pager, somebody is woken for them as
 * soon as there is room, and umbrellas end with what they spoke for.
 */

import { createWithheldStore } from '../store/withheld-store.js';
import { nameMembers } from './name-members.js';
import { settleUmbrella } from './settle-umbrella.js';
import type { UmbrellaOptions } from './umbrella-types.js';
import type { Upkeep } from './upkeep.js';
import { wakeWithheld } from './wake-withheld.js';

/** Makes the part of the upkeep that looks after umbrellas. */
export function createKeepUmbrellas(options: UmbrellaOptions): Upkeep {
  const withheld = createWithheldStore();

  return async function keepUmbrellas(tx, writeStores, nowMs) {
    const stores = { ...writeStores, withheld };
    const umbrellas = await withheld.standingUmbrellas(tx);
    const waiting = await withheld.withheldGroups(tx);
    if (umbrellas.length === 0 && waiting.length === 0) return false;

    await stores.notifications.freeCarried(tx);
    let changed = (await withheld.dropNeedless(tx, nowMs)) > 0;
    for (const { isClosed, ids } of waiting) {
      // Nobody speaks for them any more: each takes its chance by itself.
      if (isClosed) await withheld.releaseWithheld(tx, ids, nowMs);
      if (isClosed) changed = true;
    }
    if (await wakeWithheld(tx, stores, options, nowMs)) changed = true;
    for (const group of await withheld.withheldGroups(tx)) {
      if (await nameMembers(tx, stores, group, nowMs)) changed = true;
    }
    for (const umbrella of umbrellas) {
      if (await settleUmbrella(tx, stores, options, umbrella, nowMs)) changed = true;
    }
    return changed;
  };
}
