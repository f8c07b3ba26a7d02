/** What folding and unfolding need. */

import { createDiagnosisStore, type DiagnosisStore } from '../store/diagnosis-store.js';
import { createFoldStore, type FoldStore } from '../store/fold-store.js';
import type { IntakeDeps } from './intake-types.js';
import { createWriteStores, type WriteStores } from './write-types.js';

export type FoldOptions = Pick<IntakeDeps, 'explains' | 'route' | 'resolveHoldMs' | 'flapping' | 'storm'> & {
  readonly scopeLabels: readonly string[];
  readonly pageDeadlineMs: number;
};

export type FoldDeps = FoldOptions &
  WriteStores & { readonly folding: FoldStore; readonly diagnoses: DiagnosisStore };

export function createFoldDeps(options: FoldOptions): FoldDeps {
  return {
    ...options,
    ...createWriteStores(),
    folding: createFoldStore(),
    diagnoses: createDiagnosisStore(),
  };
}
