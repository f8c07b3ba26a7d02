/** Plays a run on from its diagnosis, three times: with the first fix, with the tempting wrong one, and with nothing. */

import { MINUTE } from '../../src/domain/clock.js';
import type { Intervention } from '../../src/simulator/interventions.js';
import type { RunDiagnosis } from './diagnose-run.js';
import { interventionOf } from './interventions-of.js';
import type { RunPlan } from './run-plan.js';
import type { SimulationPool } from './simulation-pool.js';
import { truthOf } from './truths.js';

export type LoopOutcome = {
  readonly lever: string;
  readonly tempting: string;
  /** Minutes from the diagnosis until the SLO is met and stays so; the horizon where it never is. */
  readonly fixMinutes: number;
  readonly wrongMinutes: number;
  readonly nothingMinutes: number;
  /** By more than a minute. */
  readonly differs: boolean;
};

/** A model loads in minutes and a fleet is replaced one by one; whoever is not back by then is not saved by this fix. */
export const HORIZON_MS = 25 * MINUTE;
const DIFFERENCE_MINUTES = 1;

/** Null where the first fix that acts, or the tempting one, is nothing that the simulator can do. */
export async function playLoop(
  plan: RunPlan,
  diagnosis: RunDiagnosis,
  atMs: number,
  pool: SimulationPool,
): Promise<LoopOutcome | null> {
  const { tempting } = truthOf(plan.mechanisms[0] ?? '');
  const fix = diagnosis.fixes
    .map(({ lever, text }) => ({
      lever,
      what: interventionOf({ lever, text, cause: diagnosis.verdict.cause, workers: plan.workers }),
    }))
    .find(({ what }) => what !== null);
  const wrong =
    tempting === null
      ? null
      : interventionOf({ lever: tempting, text: '', cause: null, workers: plan.workers });
  if (fix === undefined || tempting === null || wrong === null) return null;
  const minutes = async (intervention: Intervention | null) => {
    const answer = await pool.run(() => ({
      kind: 'play_on',
      plan,
      intervention,
      atMs,
      horizonMs: HORIZON_MS,
    }));
    return (answer.kind === 'played_on' ? answer.minutes : null) ?? HORIZON_MS / MINUTE;
  };
  const [fixMinutes, wrongMinutes, nothingMinutes] = await Promise.all([
    minutes(fix.what),
    minutes(wrong),
    minutes(null),
  ]);
  const differs = Math.abs(fixMinutes - wrongMinutes) > DIFFERENCE_MINUTES;
  return { lever: fix.lever, tempting, fixMinutes, wrongMinutes, nothingMinutes, differs };
}
