/** How much speaks for one cause: each of its requirements against the findings. Pure. */

import type { Confidence, Finding, UnseenReason } from '../domain/verdict.js';
import { holds, type Numbers } from '../playbook/condition.js';
import type { PlaybookCause, Requirement, StepRequirement } from '../playbook/schema.js';

/** `absent`: the step does not apply here, so it counts neither way. */
export type RequirementState = 'met' | 'unmet' | 'unknown' | 'absent';

export type Weighed = {
  readonly state: RequirementState;
  readonly requirement: Requirement;
  readonly step: string;
};

export type CauseWeight = {
  readonly cause: PlaybookCause;
  readonly requires: readonly Weighed[];
  readonly refuters: readonly Weighed[];
  /** The finding's step that refutes it, or null. */
  readonly refutedBy: string | null;
  readonly met: number;
  readonly unmet: number;
  /** Distinct steps that could not be seen, those that could have refuted it included. */
  readonly unknownSteps: readonly string[];
  /** `none` = it cannot be the cause, or too little speaks for it. */
  readonly confidence: Confidence;
  /** Steps of what it requires that do not apply here: nothing of this engine measures them. */
  readonly absentSteps: readonly string[];
  /** Not named, and not excluded either: what it stands on was not seen. The step that was not, or null. */
  readonly openFor: string | null;
  /** Certainly not the cause, as far as was seen: refuted, or what it stands on is not so. */
  readonly ruledOutBy: string | null;
};

export type FindingsById = ReadonlyMap<string, Finding>;

/**
 * The rule. A cause stands on its first requirement, and on those that are a must: unless they were seen to be so, it
 * is not named at all. Then: high = everything it requires agrees, nothing refutes it, nothing is unknown, and
 * more than one step agrees; medium = most agree and none is unknown, or all agree but for one unknown;
 * low = one signal only, or less than that.
 */
export function weighCause(cause: PlaybookCause, findings: FindingsById, thresholds: Numbers): CauseWeight {
  const requires = cause.requires.map((requirement) => weigh(requirement, findings, thresholds));
  const refuters = cause.refutedBy.map((requirement) => weigh(requirement, findings, thresholds));
  const refuter = refuters.find((one) => one.state === 'met');
  const count = (state: RequirementState) => requires.filter((one) => one.state === state).length;
  const met = count('met');
  const unmet = count('unmet');
  const unknownSteps = [
    ...new Set([...requires, ...refuters].filter((one) => one.state === 'unknown').map((one) => one.step)),
  ];
  const first = requires[0];
  const musts = requires.filter((one, index) => index === 0 || one.requirement.must === true);
  // What it requires and nobody measures is a gap as well, though no fault of the source.
  const absentSteps = requires.flatMap(({ state, requirement }) =>
    state === 'absent' ? requirement.anyOf.map(({ step }) => step) : [],
  );
  // Open is a cause whose very ground was not seen, and that nothing else excludes.
  const isOpen =
    refuter === undefined &&
    first?.state === 'unknown' &&
    !musts.some(({ state }) => state === 'unmet' || state === 'absent');
  const agreeing = new Set(requires.filter((one) => one.state === 'met').map((one) => one.step)).size;

  let confidence: Confidence = 'none';
  // A must that nobody measures is no proof against, and leaves little more than a guess.
  const guessed = musts.slice(1).some(({ state }) => state === 'absent');
  const stands = musts.every(({ state }, index) => state === 'met' || (index > 0 && state === 'absent'));
  if (refuter === undefined && stands && met >= unmet) {
    if (agreeing < 2 || guessed) confidence = 'low';
    else if (unmet === 0 && unknownSteps.length === 0) confidence = 'high';
    else if (unmet === 0 ? unknownSteps.length === 1 : met > unmet && unknownSteps.length === 0)
      confidence = 'medium';
    else confidence = 'low';
  }
  const ruledOutBy = refuter?.step ?? musts.find((one) => one.state === 'unmet')?.step ?? null;
  return {
    cause,
    requires,
    refuters,
    refutedBy: refuter?.step ?? null,
    met,
    unmet,
    unknownSteps,
    confidence,
    absentSteps,
    openFor: isOpen ? (first?.step ?? null) : null,
    ruledOutBy,
  };
}

/** `step` names the alternative that decided: the one that holds, else the first that could not be seen, else the first. */
export function weigh(requirement: Requirement, findings: FindingsById, thresholds: Numbers): Weighed {
  const states = requirement.anyOf.map((one) => ({
    step: one.step,
    state: stateOf(one, findings.get(one.step), thresholds),
  }));
  const decided =
    states.find((one) => one.state === 'met') ??
    states.find((one) => one.state === 'unknown') ??
    states.find((one) => one.state === 'unmet') ??
    states[0];
  return { requirement, state: decided?.state ?? 'absent', step: decided?.step ?? '' };
}

function stateOf(
  requirement: StepRequirement,
  finding: Finding | undefined,
  thresholds: Numbers,
): RequirementState {
  if (finding === undefined) return 'unknown';
  if (finding.status === 'skipped') return 'absent';
  const { is } = requirement;
  switch (is.kind) {
    case 'rising':
    case 'falling': {
      const moved = finding.numbers[is.kind];
      return moved === undefined ? 'unknown' : moved === 1 ? 'met' : 'unmet';
    }
    case 'compare':
      return fromBoolean(holds(is.comparison, finding.numbers.value, finding.numbers, thresholds));
    case 'status': {
      if (is.status === 'missing') return isMissing(finding) ? 'met' : 'unmet';
      if (is.status === 'ok')
        return finding.status === 'ok' ? 'met' : finding.status === 'fail' ? 'unmet' : 'unknown';
      const fails = is.on === null ? failed(finding) : failsOn(finding, is.on);
      return fromBoolean(fails === null ? null : is.status === 'fail' ? fails : !fails);
    }
  }
}

/** Prometheus answers, and what should be there is not, is old, or has another name: the metrics are at fault, not the asking. */
const MISSING: ReadonlySet<UnseenReason> = new Set(['no_series', 'stale', 'renamed', 'not_a_number']);

function isMissing({ status, reason }: Finding): boolean {
  return status === 'unknown' && reason != null && MISSING.has(reason);
}

function failed(finding: Finding): boolean | null {
  return finding.status === 'unknown' ? null : finding.status === 'fail';
}

/** Counts workers that are not seen both ways: seven good ones of eight are enough to say "not on most". */
function failsOn(finding: Finding, on: 'most' | 'few'): boolean | null {
  if (finding.status === 'ok') return false;
  const { workers, failing, unseen = 0 } = finding.numbers;
  if (workers === undefined || failing === undefined) return null;
  const atLeast = failing > 0 && failing * 2 >= workers;
  const atMost = (failing + unseen) * 2 >= workers && failing + unseen > 0;
  const most = atLeast ? true : atMost ? null : false;
  // A step that could not be judged for another reason than its workers proves nothing but "too few".
  if (finding.status === 'unknown' && most !== false) return null;
  if (on === 'most') return most;
  if (finding.status === 'unknown') return null;
  return failing === 0 ? false : most === null ? null : !most;
}

function fromBoolean(value: boolean | null): RequirementState {
  return value === null ? 'unknown' : value ? 'met' : 'unmet';
}
