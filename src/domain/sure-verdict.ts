/** What a verdict says about other alerts, where it is sure enough to decide what belongs together. */

import { CONFIDENCES, type Confidence, type Verdict } from './verdict.js';

export type SureVerdict = {
  readonly cause: string;
  readonly confidence: Confidence;
  /** Alert names that the cause explains, the diagnosed one included. */
  readonly explains: readonly string[];
};

/**
 * Null for a verdict that decides nothing: cause unclear, one signal only (an incident that swallows another hides
 * it), or a cause whose entry does not say what it explains.
 */
export function sureVerdict(verdict: Verdict, diagnosedName: string): SureVerdict | null {
  const { cause, confidence, explains } = verdict;
  if (cause === null || explains.length === 0) return null;
  if (confidence !== 'high' && confidence !== 'medium') return null;
  return { cause, confidence, explains: [...new Set([...explains, diagnosedName])] };
}

/** Whether two incidents were found to have different causes, the second at least as surely as the first. */
export function contradicts(first: SureVerdict, second: SureVerdict | null): boolean {
  if (second === null || second.cause === first.cause) return false;
  return CONFIDENCES.indexOf(second.confidence) <= CONFIDENCES.indexOf(first.confidence);
}

export function sureVerdictToText(verdict: SureVerdict | null): string | null {
  return verdict === null ? null : JSON.stringify(verdict);
}

export function sureVerdictFromText(text: string | null): SureVerdict | null {
  return text === null ? null : (JSON.parse(text) as SureVerdict);
}
