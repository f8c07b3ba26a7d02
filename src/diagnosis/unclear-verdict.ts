/** The verdict when no cause can be named: what is fine, what is not, what was not seen, and what to look at. */

import type { Finding, UnseenReason, Verdict } from '../domain/verdict.js';
import type { PlaybookEntry } from '../playbook/schema.js';
import { shorten } from './verdict-short.js';
import type { Wording } from './wording.js';

/** Shown where an entry has no words of its own. */
const LOOK_AT =
  'Look at by hand, in this order: KV cache, queue per worker, context length, GPU; then recent deploys and the router';

/** At most 25 characters: "Not diagnosed: " and the reason are never cut on a lock screen. */
const BLIND: readonly (readonly [string, readonly UnseenReason[]])[] = [
  ['Prometheus unreachable', ['unreachable', 'circuit_open']],
  ['Prometheus timed out', ['timeout', 'not_in_time']],
  ['Prometheus gives errors', ['http_error', 'query_refused']],
  ['Prometheus unreadable', ['bad_response', 'too_large']],
  ['scope labels missing', ['label_missing']],
  ['no traffic in the window', ['no_traffic']],
  ['metrics stale', ['stale']],
  ['metrics renamed', ['renamed']],
  ['no data for this scope', ['no_series', 'not_a_number', 'unavailable']],
  ['the checks failed', ['check_failed']],
];

export type UnclearVerdict = Omit<Verdict, 'ruledOut' | 'unseen'>;

/** Confidence `none`; `cause` null. */
export function unclearVerdict(
  entry: PlaybookEntry,
  findings: readonly Finding[],
  wording: Wording,
): UnclearVerdict {
  const look = entry.unclear === null ? LOOK_AT : wording.text(entry.unclear);
  const seen = findings.filter((finding) => finding.status === 'ok' || finding.status === 'fail');
  const base = {
    cause: null,
    confidence: 'none',
    contributing: [],
    evidence: [],
    fixes: [],
    wrongFixes: [],
    explains: [],
  } as const;
  if (seen.length === 0) {
    const reason = blindBecause(findings);
    return {
      ...base,
      says: `Not diagnosed: ${reason}. ${look}`,
      short: shorten(`Not diagnosed: ${reason}`),
      why: findings.length === 0 ? 'no check ran' : `0 of ${findings.length} checks gave an answer`,
    };
  }
  const names = namesBy(entry, findings);
  const failing = names('fail');
  const fine = names('ok');
  const blind = names('unknown');
  const parts = [
    ...(failing.length > 0 ? [`${list(failing)} ${failing.length === 1 ? 'fails' : 'fail'}`] : []),
    ...(blind.length > 0 ? [`${list(blind)} not seen`] : []),
    ...(fine.length > 0
      ? [`${list(fine)} ${fine.length > 1 && failing.length + blind.length === 0 ? 'all OK' : 'OK'}`]
      : []),
  ];
  const first = [failing, blind].some((group) => group.length > 0)
    ? parts[0]
    : `${list(fine.slice(0, 3))} ${fine.length > 1 ? 'all OK' : 'OK'}`;
  return {
    ...base,
    says: `Cause unclear: ${parts.join('; ')}. ${look}`,
    short: shorten(`Cause unclear: ${first ?? 'nothing stands out'}`),
    why: 'no cause has what it stands on',
  };
}

/** Short names of the steps of a status, in their order. Steps done by hand are never seen and not counted. */
function namesBy(
  entry: PlaybookEntry,
  findings: readonly Finding[],
): (status: Finding['status']) => string[] {
  const shorts = new Map(entry.steps.map((step) => [step.id, step.short]));
  return (status) =>
    findings
      .filter((finding) => finding.status === status && finding.reason !== 'by_hand')
      .map((finding) => shorts.get(finding.stepId) ?? finding.title);
}

function list(names: readonly string[]): string {
  return names.join(', ');
}

/** The commonest reason why nothing was seen; of equals the one listed first. */
function blindBecause(findings: readonly Finding[]): string {
  let best = { text: 'no check could be made', count: 0 };
  for (const [text, reasons] of BLIND) {
    const count = findings.filter(
      (finding) => finding.reason != null && reasons.includes(finding.reason),
    ).length;
    if (count > best.count) best = { text, count };
  }
  return best.text;
}
