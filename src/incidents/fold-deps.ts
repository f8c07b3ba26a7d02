/** What folding and unfolding need. */

import { createAlertStore } from '../store/alert-store.js';
import { createDiagnosisStore, type DiagnosisStore } from '../store/diagnosis-store.js';
import { createFoldStore, type FoldStore } from '../store/fold-store.js';
import { createIncidentStore } from '../store/incident-store.js';
import { createNotificationStore } from '../store/notification-store.js';
import { createReceiptStore } from '../store/receipt-store.js';
import { createTimelineStore } from '../store/timeline-store.js';
import { createWorkStore } from '../store/work-store.js';
import type { IntakeDeps } from './intake-types.js';
import type { WriteStores } from './write-types.js';

export type FoldOptions = Pick<IntakeDeps, 'explains' | 'route' | 'resolveHoldMs'> & {
  readonly scopeLabels: readonly string[];
  readonly pageDeadlineMs: number;
};

export type FoldDeps = FoldOptions &
  WriteStores & { readonly folding: FoldStore; readonly diagnoses: DiagnosisStore };

export function createFoldDeps(options: FoldOptions): FoldDeps {
  return {
    ...options,
    alerts: createAlertStore(),
    incidents: createIncidentStore(),
    receipts: createReceiptStore(),
    timeline: createTimelineStore(),
    work: createWorkStore(),
    notifications: createNotificationStore(),
    folding: createFoldStore(),
    diagnoses: createDiagnosisStore(),
  };
}
