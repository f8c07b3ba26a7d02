/** Why there is no diagnosis to show: still running, failed, or nothing could be seen. An honest reason, never silence. */

import type { IncidentView } from '../domain/incident-view.js';
import { clean, cut } from './neutralise.js';
import { presentDiagnosis } from './present-diagnosis.js';

export type NotDiagnosed = {
  readonly kind: 'running' | 'failed' | 'blind';
  /** "Not diagnosed: Prometheus unreachable": for the headline. */
  readonly short: string;
  /** The same with its detail: for cards and pages. */
  readonly says: string;
};

/** Null when there is a diagnosis that saw something. */
export function notDiagnosedBecause(view: IncidentView): NotDiagnosed | null {
  // An umbrella is not diagnosed; its members are.
  if (view.umbrella !== null) return null;
  const diagnosis = presentDiagnosis(view);
  if (diagnosis === null) return withoutDiagnosis(view);
  const looked = diagnosis.findings.filter((finding) => finding.status !== 'skipped');
  if (looked.length === 0 || looked.some((finding) => finding.status !== 'unknown')) return null;
  const details = looked.map((finding) => finding.says);
  // The verdict has counted the reasons; older ones and other makers did not say it so.
  const stated = /^not diagnosed: (.+)$/i.exec(diagnosis.verdict.short)?.[1];
  const reason = stated ?? commonReason(details) ?? commonReason(diagnosis.verdict.unseen);
  const detail = clean(details[0] ?? diagnosis.verdict.unseen[0] ?? '');
  const short = `Not diagnosed: ${reason ?? 'no check could be made'}`;
  // "Prometheus unreachable (Prometheus unreachable: refused)" says one thing twice.
  const says =
    detail.toLowerCase().startsWith((reason ?? '').toLowerCase()) && detail !== ''
      ? `Not diagnosed: ${detail}`
      : `${short}${detail === '' ? '' : ` (${detail})`}`;
  return { kind: 'blind', short, says: cut(says, 200) };
}

function withoutDiagnosis(view: IncidentView): NotDiagnosed {
  const failed = view.timeline.findLast(
    (entry) => entry.kind === 'diagnosis_failed' && entry.atMs >= view.episode.startedAtMs,
  );
  if (failed !== undefined) {
    return {
      kind: 'failed',
      short: 'Not diagnosed: the diagnosis failed',
      says: `Not diagnosed: ${cut(clean(failed.text), 200)}`,
    };
  }
  return {
    kind: 'running',
    short: 'Diagnosis still running',
    says: 'Diagnosis running: no check is done yet.',
  };
}

const REASONS: readonly (readonly [RegExp, string])[] = [
  [/timed? ?out|deadline/i, 'Prometheus timed out'],
  [/unreachable|refused|reset|not resolve|ENOTFOUND|ECONN|circuit|network/i, 'Prometheus unreachable'],
  [/no Prometheus|not configured/i, 'no Prometheus configured'],
  [/\b(401|403|unauthorized|forbidden)\b/i, 'Prometheus refused us'],
  [/\b5\d\d\b|http_error|http error/i, 'Prometheus gives errors'],
  [/label/i, 'scope labels missing'],
  [/no series|no data|no metric|renamed|stale/i, 'no data for this scope'],
];

/** The first reason that most of the texts give. */
function commonReason(texts: readonly string[]): string | null {
  for (const [pattern, reason] of REASONS) {
    const hits = texts.filter((text) => pattern.test(text.slice(0, 500))).length;
    if (hits > 0 && hits * 2 >= texts.length) return reason;
  }
  return null;
}
