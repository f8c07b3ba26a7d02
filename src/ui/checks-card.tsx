/** The automated checks in their order, each with its number, its limit and what can be opened to doubt it. */

import { formatValue } from '../catalog/format-value.js';
import { findSignal } from '../catalog/signals.js';
import type { Diagnosis, Finding } from '../domain/verdict.js';
import { clean, cut } from '../render/neutralise.js';
import { sparkline } from '../render/sparkline.js';
import { cleanBlock, RESULT, Time } from './text.js';

/** Every step of the diagnosis, in the order of the entry: KV cache first. */
export function ChecksCard({ diagnosis }: { readonly diagnosis: Diagnosis }) {
  const { findings } = diagnosis;
  const failing = findings.filter(({ status }) => status === 'fail').length;
  const unknown = findings.filter(({ status }) => status === 'unknown').length;
  return (
    <section class="card" id="checks">
      <div class="row spread">
        <h2>Checks</h2>
        <span class="small muted">
          <Time atMs={diagnosis.finishedAtMs} /> · {seconds(diagnosis.finishedAtMs - diagnosis.startedAtMs)} ·{' '}
          {findings.length} checks, {failing} fail{unknown === 0 ? '' : `, ${unknown} unknown`}
        </span>
      </div>
      {findings.length === 0 ? (
        <p>No check could be made.</p>
      ) : (
        <ol class="checks">
          {findings.map((finding, index) => (
            <Check key={finding.stepId} finding={finding} number={index + 1} />
          ))}
        </ol>
      )}
      <p class="small muted">
        By {diagnosis.entryIsDefault ? 'the default entry' : 'entry'}{' '}
        <a href={`/playbooks/${encodeURIComponent(diagnosis.entryId)}`}>{clean(diagnosis.entryId)}</a>
        {diagnosis.entryIsDefault ? ': this alert has none of its own' : ''}
      </p>
    </section>
  );
}

function Check({ finding, number }: { readonly finding: Finding; readonly number: number }) {
  const { mark, word, tone } = RESULT[finding.status];
  const bars = sparkline(finding.trend);
  const measured = finding.status === 'fail' || finding.status === 'ok';
  return (
    <li>
      <div class="row spread">
        <span>
          <span class={`badge ${tone}`}>
            {mark} {word}
          </span>{' '}
          <span class="name">
            {number} {clean(finding.title)}
          </span>
        </span>
        {measured && finding.value !== null ? (
          <span>
            <strong>{clean(finding.value)}</strong>
            {finding.limit === null ? '' : <span class="muted"> | limit {clean(finding.limit)}</span>}
          </span>
        ) : null}
      </div>
      <div class="row">
        {measured && repeatsNumber(finding) ? null : <span class="small">{clean(finding.says)}</span>}
        {bars === '' ? null : (
          <span class="spark" title="last 30 minutes">
            {bars}
          </span>
        )}
      </div>
      {finding.query === null && finding.workers.length === 0 ? null : <Doubt finding={finding} />}
    </li>
  );
}

/** Whether its sentence is only the number and the limit that stand above it. */
function repeatsNumber({ says, value, limit }: Finding): boolean {
  return value !== null && says === (limit === null ? value : `${value}, limit ${limit}`);
}

/** The question as it was asked, and the workers behind the number. */
function Doubt({ finding }: { readonly finding: Finding }) {
  const unit = findSignal(finding.signal ?? '')?.unit;
  const more = (finding.workerCount ?? finding.workers.length) - finding.workers.length;
  return (
    <details>
      <summary class="small">
        {finding.workers.length === 0 ? 'query' : finding.query === null ? 'workers' : 'workers and query'}
      </summary>
      {finding.workers.length === 0 ? null : (
        <table>
          <thead>
            <tr>
              <th>worst workers</th>
              <th class="num">value</th>
              <th>result</th>
            </tr>
          </thead>
          <tbody>
            {finding.workers.map((one) => (
              <tr key={one.worker}>
                <td>{cut(clean(one.worker), 80)}</td>
                <td class="num">{unit === undefined ? String(one.value) : formatValue(one.value, unit)}</td>
                <td class={one.fails ? 'critical' : 'ok'}>{one.fails ? '✗ FAIL' : '✓ OK'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {more > 0 && finding.workers.length > 0 ? <p class="small muted">and {more} more</p> : null}
      {finding.query === null ? null : (
        <pre>
          <code>{cleanBlock(finding.query)}</code>
        </pre>
      )}
      <p class="small muted">
        {[
          finding.signal === null ? null : `signal ${finding.signal}`,
          finding.engine === null ? null : `engine ${clean(finding.engine)}`,
          `took ${seconds(finding.tookMs)}`,
        ]
          .filter((part) => part !== null)
          .join(' · ')}
      </p>
    </details>
  );
}

function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
