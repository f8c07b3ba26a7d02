/** What an investigation is made of: the outcome of one diagnosis, its frozen evidence, and what it needs. */

import type { Testimony } from '../diagnosis/witness.js';
import type { Clock } from '../domain/clock.js';
import type { IncidentView } from '../domain/incident-view.js';
import type { Enrichment, Finding, Verdict } from '../domain/verdict.js';
import type { Logger } from '../log/logger.js';
import type { Database } from '../store/database.js';
import type { DiagnosisStore } from '../store/diagnosis-store.js';
import type { NotificationStore } from '../store/notification-store.js';
import type { TimelineStore } from '../store/timeline-store.js';
import type { AfterDiagnosis } from './after-diagnosis.js';

export type DiagnosisOutcome = {
  readonly entryId: string;
  readonly entryIsDefault: boolean;
  readonly enrichment: Enrichment;
  readonly findings: readonly Finding[];
  readonly verdict: Verdict;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  /** What it was told, and of which moment; absent when it was read back from the database. */
  readonly evidence?: { readonly atMs: number; readonly testimony: readonly Testimony[] };
};

export type FrozenEvidence = {
  readonly formatVersion: number;
  readonly recordedAtMs: number;
  readonly body: Uint8Array;
};

export type InvestigateDeps = {
  readonly db: Database;
  readonly diagnoses: DiagnosisStore;
  readonly notifications: NotificationStore;
  readonly timeline: TimelineStore;
  /** Folds and unfolds by the verdict, in its transaction; nothing when absent. */
  readonly afterDiagnosis?: AfterDiagnosis;
  readonly readView: (incidentId: number) => Promise<IncidentView | null>;
  /** Runs the entry's steps against the metrics as of now; always within the diagnosis budget, never throws. */
  readonly diagnose: (view: IncidentView) => Promise<DiagnosisOutcome>;
  /** Keeps what the diagnosis saw, and reads every other catalog signal of the scope. Runs after the page was let go. */
  readonly freeze: (view: IncidentView, outcome: DiagnosisOutcome) => Promise<FrozenEvidence>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called when notifications became due. */
  readonly onDue: () => void;
};
