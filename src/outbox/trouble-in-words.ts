/** What is wrong with an account at a provider, as one sentence for pages, readiness and logs. */

import { clockTime } from '../render/duration.js';
import type { AccountState } from '../store/account-store.js';

/** "oncall refuses our credentials since 03:12 UTC (HTTP 403): replace them". Possibly hostile: the detail is the provider's. */
export function troubleInWords({ account, failing, pausedUntilMs }: AccountState): string {
  const pause = pausedUntilMs === null ? '' : `; it asked for a pause until ${clockTime(pausedUntilMs)}`;
  if (failing === null) return `${account} is paused${pause.slice(1)}`;
  const since = clockTime(failing.sinceMs);
  if (failing.reason === 'auth') {
    return `${account} refuses our credentials since ${since} (${failing.detail}): replace them. Pages go on to the next of its ladder`;
  }
  return `${account} accepts nothing since ${since} (${failing.detail}); one message asks every few seconds${pause}`;
}
