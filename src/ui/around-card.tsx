/** What was fetched for the alert before any step ran: its own value over time, health of the scope, recent changes. */

import type { Enrichment, HealthFigure } from '../domain/verdict.js';
import { clean, cut } from '../render/neutralise.js';
import { formatSymptom, type SymptomUnit } from '../render/symptom.js';
import { Badge, cleanBlock, type Tone } from './text.js';

const HEALTH: Readonly<Record<HealthFigure['status'], { readonly mark: string; readonly tone: Tone }>> = {
  healthy: { mark: '✓', tone: 'ok' },
  warning: { mark: '▲', tone: 'warning' },
  critical: { mark: '●', tone: 'critical' },
  unknown: { mark: '?', tone: 'unknown' },
};

const HEALTH_NAME: Readonly<Record<string, string>> = {
  gpu: 'GPU',
  kv_cache: 'KV cache',
  latency: 'Latency',
  errors: 'Errors',
  queue: 'Queue',
};

/** `unit` is that of the alert's own value; `none` where nobody knows it. */
export function AroundCard({
  enrichment,
  unit,
}: {
  readonly enrichment: Enrichment;
  readonly unit: SymptomUnit;
}) {
  const { expression, health, workersAffected, workersTotal } = enrichment;
  return (
    <section class="card" id="around">
      <h2>Around it</h2>
      <dl class="facts">
        <dt>its value now</dt>
        <dd>{number(enrichment.valueNow, unit)}</dd>
        <dt>an hour ago</dt>
        <dd>{number(enrichment.valueHourAgo, unit)}</dd>
        <dt>this hour yesterday</dt>
        <dd>{number(enrichment.valueDayAgo, unit)}</dd>
        <dt>workers affected</dt>
        <dd>{affected(workersAffected, workersTotal)}</dd>
        <dt>restarts, last hour</dt>
        <dd>{count(enrichment.restartsLastHour)}</dd>
        <dt>replica changes, last hour</dt>
        <dd>{count(enrichment.replicaChangesLastHour)}</dd>
      </dl>
      {health.length === 0 ? null : (
        <table>
          <thead>
            <tr>
              <th>health</th>
              <th>value</th>
              <th>state</th>
            </tr>
          </thead>
          <tbody>
            {health.map((figure) => (
              <tr key={figure.name}>
                <td class="name">{HEALTH_NAME[figure.name] ?? clean(figure.name)}</td>
                <td>
                  {clean(figure.value ?? '')}
                  <div class="small muted">{clean(figure.detail)}</div>
                </td>
                <td>
                  <Badge tone={HEALTH[figure.status].tone}>
                    {HEALTH[figure.status].mark} {figure.status.toUpperCase()}
                  </Badge>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {enrichment.unseen.length === 0 ? null : (
        <ul class="small unknown">
          {enrichment.unseen.map((sentence) => (
            <li key={sentence}>not seen: {clean(sentence)}</li>
          ))}
        </ul>
      )}
      {expression === null ? null : (
        <details>
          <summary class="small">the alert's own expression</summary>
          <pre>
            <code>{cleanBlock(expression)}</code>
          </pre>
        </details>
      )}
    </section>
  );
}

/** "2 of 8: decode-3, decode-5"; "all 8". */
function affected(workers: readonly string[], total: number | null): string {
  if (workers.length === 0) return 'none seen';
  if (workers.length === total) return `all ${total}`;
  const count = total === null ? String(workers.length) : `${workers.length} of ${total}`;
  return `${count}: ${workers.map((worker) => cut(clean(worker), 60)).join(', ')}`;
}

/** The unit of an operator's own expression is the operator's business, so its number stands alone. */
function number(value: number | null, unit: SymptomUnit): string {
  if (value === null) return 'not seen';
  if (unit !== 'none') return formatSymptom(value, unit);
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}

function count(value: number | null): string {
  return value === null ? 'not seen' : String(value);
}
