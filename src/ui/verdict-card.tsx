/** What it is, what to do, what not to do: the three cards that are read at three in the morning. */

import type { Diagnosis, Fix, Verdict } from '../domain/verdict.js';
import { groupUnseen, unseenInWords } from '../render/group-unseen.js';
import { clean } from '../render/neutralise.js';
import type { NotDiagnosed } from '../render/not-diagnosed.js';
import { cleanBlock } from './text.js';

const NEEDS: Readonly<Record<Fix['needs'], string | null>> = {
  none: 'acts at once',
  scale: 'needs more workers',
  restart: 'needs a restart of the engine',
};

/** The verdict with its reasons, or an honest sentence why there is none. */
export function VerdictCard({
  diagnosis,
  notDiagnosed,
}: {
  readonly diagnosis: Diagnosis | null;
  readonly notDiagnosed: NotDiagnosed | null;
}) {
  if (diagnosis === null || (notDiagnosed !== null && notDiagnosed.kind !== 'blind')) {
    return (
      <section class="card edge-unknown" id="verdict">
        <h2>Likely cause</h2>
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
  const doubtful = unclear || verdict.confidence === 'low';
  const evidence = diagnosis.findings.filter((finding) => verdict.evidence.includes(finding.stepId));
  return (
    <section class={`card${doubtful ? ' edge-unknown' : ''}`} id="verdict">
      <div class="row spread">
        <h2>{unclear ? 'Cause unclear' : 'Likely cause'}</h2>
        <span class={`badge small${doubtful ? ' unknown' : ''}`}>
          {verdict.confidence === 'none' ? 'no confidence' : `${verdict.confidence} confidence`}
        </span>
      </div>
      <p class="big">{clean(verdict.says.replace(/^cause unclear:?\s*/i, ''))}</p>
      <FirstLines verdict={verdict} />
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
      <Sentences title="Checked, absent" items={verdict.absent ?? []} />
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
        <p>
          <a class="unknown" href="#unseen">
            ? {verdict.unseen.length === 1 ? '1 thing' : `${verdict.unseen.length} things`} could not be seen
          </a>
        </p>
      )}
    </section>
  );
}

/** A phone shows little more than this: the reasons and the commands stand further down. */
function FirstLines({ verdict }: { readonly verdict: Verdict }) {
  const [first] = verdict.fixes;
  const [wrong] = verdict.wrongFixes;
  return (
    <>
      {first === undefined ? null : (
        <p>
          <strong>Do first: </strong>
          {clean(first.do)} <a href="#do">how</a>
        </p>
      )}
      {wrong === undefined ? null : (
        <p>
          <strong class="critical">Do NOT: </strong>
          {clean(wrong.fix)} <a href="#do-not">why</a>
        </p>
      )}
    </>
  );
}

/** What was asked for and not seen, with its reason: it is never taken for OK. */
export function UnseenCard({ diagnosis }: { readonly diagnosis: Diagnosis }) {
  if (diagnosis.verdict.unseen.length === 0) return null;
  return (
    <section class="card edge-unknown" id="unseen">
      <h2>? Could not see</h2>
      <ul>
        {groupUnseen(diagnosis.verdict.unseen, diagnosis.findings)
          .map(unseenInWords)
          .map((sentence) => (
            <li key={sentence}>{clean(sentence)}</li>
          ))}
      </ul>
    </section>
  );
}

/** What the check after the resolve found: is it really over? */
export function AfterCard({ diagnosis }: { readonly diagnosis: Diagnosis }) {
  const { findings } = diagnosis;
  const failing = findings.filter(({ status }) => status === 'fail');
  const unknown = findings.filter(({ status }) => status === 'unknown');
  const ok = findings.filter(({ status }) => status === 'ok').length;
  const tone = failing.length > 0 ? 'warning' : unknown.length > 0 ? 'unknown' : 'ok';
  return (
    <section class={`card edge-${tone}`} id="after">
      <h2>After the resolve</h2>
      <p class="big">
        {failing.length > 0
          ? `▲ ${failing.length} of ${findings.length} checks still fail`
          : unknown.length > 0
            ? `? Nothing fails, but ${unknown.length} of ${findings.length} checks could not be made`
            : `✓ ${ok} checks are OK again`}
      </p>
      {failing.length + unknown.length === 0 ? null : (
        <ul>
          {[...failing, ...unknown].map((finding) => (
            <li key={finding.stepId}>
              {clean(finding.title)}: {clean(finding.says)}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** The fixes in their order: shed or reroute, scale, restart. */
export function FixesCard({
  verdict,
  incidentId,
  done,
}: {
  readonly verdict: Verdict;
  readonly incidentId: number;
  /** What the timeline says of steps that were done. */
  readonly done: readonly string[];
}) {
  if (verdict.fixes.length === 0) return null;
  return (
    <section class="card" id="do">
      <h2>Do this</h2>
      <ol class="fixes">
        {verdict.fixes.map((fix, index) => (
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
            {done.some((text) => text.includes(`done: ${fix.do}`)) ? (
              <p class="small ok">✓ done</p>
            ) : (
              <form method="post" action={`/i/${incidentId}/steps/${index + 1}`}>
                <button type="submit" class="quiet">
                  Mark as done
                </button>
              </form>
            )}
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
