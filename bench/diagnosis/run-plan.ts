/** One run of the benchmark: what goes wrong in which fleet, and how it is watched. Everything follows from it. */

import type { EngineName } from './dialects/snapshot-dialect.js';

export type RunPlan = {
  /** Also the run's cluster label, so that many runs live in one database. */
  readonly id: string;
  readonly seed: number;
  /** The true cause: one mechanism, or two at once; the first is the one planned for. */
  readonly mechanisms: readonly string[];
  /** 0 to 1, each mechanism's own measure. */
  readonly severity: number;
  readonly workers: number;
  /** Times the world's traffic. */
  readonly loadFactor: number;
  readonly engine: EngineName;
  readonly faultAtMs: number;
  readonly rampMs: number;
  /** When a fault that ends does so, or null. */
  readonly endMs: number | null;
  readonly durationMs: number;
  readonly sampleEveryMs: number;
  /** Scrapes of all targets that are missing, as [from, to) in ms of the run. */
  readonly gaps: readonly (readonly [number, number])[];
  /** When one worker's counters begin anew without its process being replaced, or null. */
  readonly counterReset: { readonly worker: number; readonly atMs: number } | null;
  /** A second database entry without the deciding signal's series. */
  readonly hasBlindTwin: boolean;
  readonly inClosedLoop: boolean;
};

/** The cluster label of a run's blind twin. */
export function blindCluster(plan: RunPlan): string {
  return `${plan.id}-blind`;
}

/** `low`, `normal` or `high`: what the confusion matrix is split by. */
export function loadBand(plan: RunPlan): 'low' | 'normal' | 'high' {
  return plan.loadFactor < 0.85 ? 'low' : plan.loadFactor <= 1.05 ? 'normal' : 'high';
}
