/** What is asked of a simulating process, and what it answers. */

import type { Intervention } from '../../src/simulator/interventions.js';
import type { RunPlan } from './run-plan.js';

export type ExposeTask = {
  readonly kind: 'expose';
  readonly plan: RunPlan;
  /** Lines are appended to it. */
  readonly file: string;
  readonly startedAtMs: number;
};

export type PlayOnTask = {
  readonly kind: 'play_on';
  readonly plan: RunPlan;
  /** Nothing is done when null. */
  readonly intervention: Intervention | null;
  /** Of the run. */
  readonly atMs: number;
  readonly horizonMs: number;
};

export type SimulationTask = ExposeTask | PlayOnTask;

export type SimulationAnswer =
  | { readonly kind: 'exposed' }
  /** Minutes from the intervention until the SLO is met and stays so; null when it never is. */
  | { readonly kind: 'played_on'; readonly minutes: number | null }
  | { readonly kind: 'failed'; readonly detail: string };
