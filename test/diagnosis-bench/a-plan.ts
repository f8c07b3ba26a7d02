import type { RunPlan } from '../../bench/diagnosis/run-plan.js';

const MINUTE = 60_000;

/** A plan of four workers that speak `llm`, healthy for four minutes, with whatever else is given. */
export function aPlan(own: Partial<RunPlan> = {}): RunPlan {
  return {
    id: 'run-0000',
    seed: 12,
    mechanisms: ['healthy'],
    severity: 0.7,
    workers: 4,
    loadFactor: 1,
    engine: 'llm',
    faultAtMs: 4 * MINUTE,
    rampMs: 0,
    endMs: null,
    durationMs: 20 * MINUTE,
    sampleEveryMs: 15_000,
    gaps: [],
    counterReset: null,
    hasBlindTwin: false,
    inClosedLoop: false,
    ...own,
  };
}
