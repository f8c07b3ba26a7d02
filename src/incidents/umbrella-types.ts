/** What looking after umbrellas needs. */

import type { PageCeiling } from '../domain/page-ceiling.js';
import type { WithheldStore } from '../store/withheld-store.js';
import type { WriteStores } from './write-types.js';

export type UmbrellaOptions = {
  readonly ceilings: readonly PageCeiling[];
  /** An umbrella of a storm pages again no more often. */
  readonly stormPageEveryMs: number;
  readonly resolveHoldMs: number;
};

export type UmbrellaStores = Pick<WriteStores, 'incidents' | 'notifications' | 'timeline' | 'storms'> & {
  readonly withheld: WithheldStore;
};
