/** What the steps saw and what follows from it. Same evidence, same verdict. */

import type { EmptyReason, FailureReason } from './signal.js';

export const FINDING_STATUSES = ['fail', 'ok', 'unknown', 'skipped'] as const;
export type FindingStatus = (typeof FINDING_STATUSES)[number];

/** How many workers a per-worker step found failing. */
export type Spread = 'none' | 'few' | 'most';

/** Why a step is `unknown`: what the source said, or why it could not be asked in time. */
export type UnseenReason = EmptyReason | FailureReason | 'stale' | 'not_in_time' | 'by_hand' | 'check_failed';

export type WorkerValue = { readonly worker: string; readonly value: number; readonly fails: boolean };

/** The result of one step. */
export type Finding = {
  readonly stepId: string;
  readonly title: string;
  readonly status: FindingStatus;
  /** One line of evidence with number, unit and limit: "97% on 7 of 8 workers, limit 90%". For `unknown`: what is missing and why. */
  readonly says: string;
  /** The number a reader would quote, formatted with unit ("97%", "41 requests"); null when none was seen. */
  readonly value: string | null;
  readonly limit: string | null;
  readonly spread: Spread | null;
  /** Worst first, at most five. */
  readonly workers: readonly WorkerValue[];
  readonly workerCount: number | null;
  readonly signal: string | null;
  readonly engine: string | null;
  readonly query: string | null;
  /** Up to 20 values of the last 30 minutes, oldest first, for a sparkline. */
  readonly trend: readonly number[];
  readonly tookMs: number;
  /** Numbers by name (`max`, `median`, `p99`, `failing`, …) for texts to quote. */
  readonly numbers: Readonly<Record<string, number>>;
  /** Set when `unknown`, or when some of it was not seen. Absent in findings of older versions. */
  readonly reason?: UnseenReason | null;
};

export const CONFIDENCES = ['high', 'medium', 'low', 'none'] as const;
export type Confidence = (typeof CONFIDENCES)[number];

export type Fix = {
  readonly do: string;
  readonly command: string | null;
  readonly expect: string | null;
  readonly protects: string | null;
  /** `none`: acts at once; `restart`: needs a restart of the engine. */
  readonly needs: 'none' | 'restart' | 'scale';
  readonly risk: string | null;
};

export type WrongFix = { readonly fix: string; readonly because: string };

export type RuledOut = { readonly cause: string; readonly says: string; readonly because: string };

export type Verdict = {
  /** Cause id in the entry; null = cause unclear. */
  readonly cause: string | null;
  /** "KV cache full, prefill waits for blocks", or what to look at when the cause is unclear. */
  readonly says: string;
  /** 3–6 words with the number for the lock screen: "KV full 97% on 7 of 8". */
  readonly short: string;
  readonly confidence: Confidence;
  /** Why this confidence, in words of the rule: "3 checks for, 0 against". */
  readonly why: string;
  readonly contributing: readonly string[];
  /** Step ids whose findings support the cause. */
  readonly evidence: readonly string[];
  readonly ruledOut: readonly RuledOut[];
  /** What would speak against the cause, was checked and is not so: "one full worker among others". Missing in older verdicts. */
  readonly absent?: readonly string[];
  /** What could not be seen: one sentence a thing, with its reason. */
  readonly unseen: readonly string[];
  readonly fixes: readonly Fix[];
  readonly wrongFixes: readonly WrongFix[];
  /** Alert names that this cause explains. */
  readonly explains: readonly string[];
};

export type HealthFigure = {
  readonly name: string;
  readonly status: 'healthy' | 'warning' | 'critical' | 'unknown';
  readonly value: string | null;
  readonly detail: string;
};

/** What is fetched for every alert before its steps run. Each figure says itself when it could not be had. */
export type Enrichment = {
  readonly expression: string | null;
  /** Present value of the alert's own expression, an hour ago, and the same hour yesterday; null when not had. */
  readonly valueNow: number | null;
  readonly valueHourAgo: number | null;
  readonly valueDayAgo: number | null;
  readonly health: readonly HealthFigure[];
  readonly workersAffected: readonly string[];
  readonly workersTotal: number | null;
  readonly restartsLastHour: number | null;
  readonly replicaChangesLastHour: number | null;
  readonly unseen: readonly string[];
};

export type Diagnosis = {
  readonly id: number;
  readonly incidentId: number;
  readonly episodeId: number;
  readonly trigger: 'opened' | 'joined' | 'resolved' | 'asked';
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  /** File name of the entry without `.yaml`, and whether it is the built-in default. */
  readonly entryId: string;
  readonly entryIsDefault: boolean;
  readonly enrichment: Enrichment;
  readonly findings: readonly Finding[];
  readonly verdict: Verdict;
};
