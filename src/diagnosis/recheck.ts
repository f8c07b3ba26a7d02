/** One requirement of an entry, looked at anew with live metrics: only the checks that it names are run. */

import type { Finding } from '../domain/verdict.js';
import type { PlaybookEntry, Requirement } from '../playbook/schema.js';
import { type RunStepsOptions, runSteps } from './run-steps.js';
import { weigh } from './weigh-cause.js';

export type Rechecked = {
  /** `unseen`: it could not be seen, or does not apply to this engine. */
  readonly state: 'holds' | 'not' | 'unseen';
  /** "Free KV blocks: 0 blocks on 3 of 8 workers, limit 1", or why it was not seen. */
  readonly says: string;
};

/** Never throws, and ends by the deadline. */
export async function recheck(requirement: Requirement, options: RunStepsOptions): Promise<Rechecked> {
  const wanted = new Set(requirement.anyOf.map((one) => one.step));
  const entry: PlaybookEntry = {
    ...options.entry,
    steps: options.entry.steps.filter((step) => wanted.has(step.id)),
    // The trends that a requirement rests on are read for its sake.
    causes: [{ ...BLANK_CAUSE, requires: [requirement] }],
  };
  const findings = await runSteps({ ...options, entry });
  const byId = new Map(findings.map((finding) => [finding.stepId, finding]));
  const { state, step } = weigh(requirement, byId, options.thresholds);
  const finding: Finding | undefined = byId.get(step);
  return {
    state: state === 'met' ? 'holds' : state === 'unmet' ? 'not' : 'unseen',
    says: finding === undefined ? `no check is called ${step}` : `${finding.title}: ${finding.says}`,
  };
}

const BLANK_CAUSE: PlaybookEntry['causes'][number] = {
  id: 'recheck',
  says: '',
  short: '',
  requires: [],
  refutedBy: [],
  beats: [],
  explains: [],
  fixes: [],
  doNot: [],
};
