/** How two diagnoses of the same evidence differ: in what was decided, in what a check found, or only in words. */

import type { Finding, Verdict } from '../domain/verdict.js';

type Made = { readonly findings: readonly Finding[]; readonly verdict: Verdict };

export type Difference = { readonly what: string; readonly was: string; readonly is: string };

export type Comparison = {
  /** `same`: byte for byte; `words`: texts and numbers; `findings`: a check came out otherwise; `verdict`: the decision. */
  readonly kind: 'same' | 'words' | 'findings' | 'verdict';
  /** Of the decision first. */
  readonly differences: readonly Difference[];
  /** Ids of the steps and causes that came out otherwise. */
  readonly touched: ReadonlySet<string>;
};

/** How long a check took is no evidence, and left out. Keys in a fixed order: a file may have them in any. */
export function canonicalDiagnosis({ findings, verdict }: Made): string {
  return JSON.stringify([findings.map(({ tookMs: _took, ...rest }) => sorted(rest)), sorted(verdict)]);
}

export function compareDiagnoses(before: Made, after: Made): Comparison {
  if (canonicalDiagnosis(before) === canonicalDiagnosis(after)) {
    return { kind: 'same', differences: [], touched: new Set() };
  }
  const touched = new Set<string>();
  const decision = decisionDifferences(before.verdict, after.verdict, touched);
  const statuses: Difference[] = [];
  const words: Difference[] = [];
  const old = new Map(before.findings.map((one) => [one.stepId, one]));
  for (const finding of after.findings) {
    const earlier = old.get(finding.stepId);
    old.delete(finding.stepId);
    if (canonical(earlier) === canonical(finding)) continue;
    touched.add(finding.stepId);
    const what = `check ${finding.stepId}`;
    if (earlier?.status === finding.status) {
      words.push({ what, was: earlier.says, is: finding.says });
    } else {
      const was = earlier === undefined ? 'not there' : `${earlier.status}: ${earlier.says}`;
      statuses.push({ what, was, is: `${finding.status}: ${finding.says}` });
    }
  }
  for (const gone of old.values()) {
    touched.add(gone.stepId);
    statuses.push({ what: `check ${gone.stepId}`, was: `${gone.status}: ${gone.says}`, is: 'not there' });
  }
  const kind = decision.length > 0 ? 'verdict' : statuses.length > 0 ? 'findings' : 'words';
  return { kind, differences: [...decision, ...statuses, ...words], touched };
}

/** What somebody would do otherwise: cause, how sure, what was ruled out, the fixes and the wrong ones. */
function decisionDifferences(was: Verdict, is: Verdict, touched: Set<string>): Difference[] {
  const ids = (verdict: Verdict) => verdict.ruledOut.map(({ cause }) => cause);
  const rows: readonly (readonly [string, string, string])[] = [
    ['cause', named(was), named(is)],
    ['confidence', was.confidence, is.confidence],
    ['contributing', was.contributing.join(', '), is.contributing.join(', ')],
    ['ruled out', ids(was).join(', '), ids(is).join(', ')],
    ['explains', was.explains.join(', '), is.explains.join(', ')],
    ['first fix', was.fixes[0]?.do ?? '', is.fixes[0]?.do ?? ''],
    ['fixes', was.fixes.map((one) => one.do).join('; '), is.fixes.map((one) => one.do).join('; ')],
    [
      'not to do',
      was.wrongFixes.map((one) => one.fix).join('; '),
      is.wrongFixes.map((one) => one.fix).join('; '),
    ],
  ];
  const differences = rows.flatMap(([what, a, b]) =>
    a === b ? [] : [{ what, was: a === '' ? 'none' : a, is: b === '' ? 'none' : b }],
  );
  if (differences.length > 0) {
    for (const id of [was.cause, is.cause]) if (id !== null) touched.add(id);
    for (const verdict of [was, is]) for (const id of verdict.contributing) touched.add(id);
    const [a, b] = [ids(was), ids(is)];
    for (const id of [...a, ...b]) if (a.includes(id) !== b.includes(id)) touched.add(id);
  }
  return differences;
}

function named({ cause, says }: Verdict): string {
  return cause === null ? 'unclear' : `${cause}: ${says}`;
}

function canonical(finding: Finding | undefined): string {
  if (finding === undefined) return '';
  const { tookMs: _took, ...rest } = finding;
  return JSON.stringify(sorted(rest));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
