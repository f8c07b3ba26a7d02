/** What it is, what to do, what not to do: the three cards that are read at three in the morning. */

import type { Diagnosis, Fix, Verdict } from '../domain/verdict.js';
import { clean } from '../render/neutralise.js';
import type { NotDiagnosed } from '../render/not-diagnosed.js';
import { cleanBlock, type Tone } from './text.js';

const CONFIDENCE_TONE: Readonly<Record<Verdict['confidence'], Tone>> = {
  high: 'critical',
  medium: 'warning',
  low: 'unknown',
  none: 'unknown',
};

const NEEDS: Readonly<Record<Fix['needs'], string | null>> = {
  none: 'acts at once',
  scale: 'needs more workers',
  restart: 'needs a restart of the engine',
};

/** The verdict with its reasons, or an honest sentence why there is none. */
export function VerdictCard({
  diagnosis,
  notDiagnosed,
  heading,
}: {
  readonly diagnosis: Diagnosis | null;
  readonly notDiagnosed: NotDiagnosed | null;
  /** Replaces "Likely cause", for the check after the resolve. */
  readonly heading?: string;
}) {
  if (diagnosis === null || (notDiagnosed !== null && notDiagnosed.kind !== 'blind')) {
    return (
      <section class="card edge-unknown" id="verdict">
        <h2>{heading ?? 'Likely cause'}</h2>
        <p class="big">{clean(notDiagnosed?.says ?? 'Not diagnosed.')}</p>
        <p class="muted">
          {notDiagnosed?.kind === 'running'
            ? 'This page asks again by itself until the verdict is here.'
            : 'Go through the checks by hand: KV cache, queue depth, context length, GPU, in this order.'}
        </p>
      </section>
    );
  }
  const { verdict } = diagnosis;
  const unclear = verdict.cause === null;
  const tone = unclear ? 'unknown' : CONFIDENCE_TONE[verdict.confidence];
  const evidence = diagnosis.findings.filter((finding) => verdict.evidence.includes(finding.stepId));
  return (
    <section class={`card edge-${tone}`} id="verdict">
      <div class="row spread">
        <h2>{heading ?? (unclear ? 'Cause unclear' : 'Likely cause')}</h2>
        <span class={`badge small ${tone}`}>
          {verdict.confidence === 'none' ? 'no confidence' : `${verdict.confidence} confidence`}
        </span>
      </div>
      <p class="big">{clean(verdict.says.replace(/^cause unclear:?\s*/i, ''))}</p>
      <p>
        <span class="muted">Why: </span>
        {clean(verdict.why)}
      </p>
      {evidence.length === 0 ? null : (
        <ul>
          {evidence.map((finding) => (
            <li key={finding.stepId}>
              {clean(finding.title)}: {clean(finding.says)}
            </li>
          ))}
        </ul>
      )}
      <Sentences title="Contributing" items={verdict.contributing} />
      {verdict.ruledOut.length === 0 ? null : (
        <details>
          <summary>Less likely, or ruled out: {verdict.ruledOut.length}</summary>
          <ul>
            {verdict.ruledOut.map((one) => (
              <li key={one.cause}>
                {clean(one.says)}: <span class="muted">{clean(one.because)}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
      {verdict.unseen.length === 0 ? null : (
        <div class="unseen">
          <h3 class="unknown">? Could not see</h3>
          <ul>
            {verdict.unseen.map((sentence) => (
              <li key={sentence}>{clean(sentence)}</li>
            ))}
          </ul>
        </div>
      )}
    </section>
  );
}

/** The fixes in their order: shed or reroute, scale, restart. */
export function FixesCard({ verdict }: { readonly verdict: Verdict }) {
  if (verdict.fixes.length === 0) return null;
  return (
    <section class="card" id="do">
      <h2>Do this</h2>
      <ol class="fixes">
        {verdict.fixes.map((fix) => (
          <li key={fix.do}>
            <div class="do">{clean(fix.do)}</div>
            {fix.command === null ? null : (
              <pre>
                <code>{cleanBlock(fix.command)}</code>
              </pre>
            )}
            <p class="small muted">
              {[
                fix.expect === null ? null : `Expect: ${clean(fix.expect)}`,
                fix.protects === null ? null : `protects ${clean(fix.protects)}`,
                NEEDS[fix.needs],
              ]
                .filter((part) => part !== null)
                .join(' · ')}
            </p>
            {fix.risk === null ? null : <p class="small warning">▲ Risk: {clean(fix.risk)}</p>}
          </li>
        ))}
      </ol>
    </section>
  );
}

/** The tempting fixes that are wrong here, each with its reason. */
export function DoNotCard({ verdict }: { readonly verdict: Verdict }) {
  if (verdict.wrongFixes.length === 0) return null;
  return (
    <section class="card edge-critical" id="do-not">
      <h2>Do not</h2>
      {verdict.wrongFixes.map((wrong) => (
        <div key={wrong.fix}>
          <p>
            <span class="badge critical">✗ {clean(wrong.fix)}</span>
          </p>
          <p>
            <span class="muted">because </span>
            {clean(wrong.because)}
          </p>
        </div>
      ))}
    </section>
  );
}

function Sentences({ title, items }: { readonly title: string; readonly items: readonly string[] }) {
  if (items.length === 0) return null;
  return (
    <p>
      <span class="muted">{title}: </span>
      {items.map((item) => clean(item)).join('; ')}
    </p>
  );
}
