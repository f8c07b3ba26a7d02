/** What was fetched for the alert before any step ran: its own value over time, health of the scope, recent changes. */

import type { Enrichment, HealthFigure } from '../domain/verdict.js';
import { clean, cut } from '../render/neutralise.js';
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

export function AroundCard({ enrichment }: { readonly enrichment: Enrichment }) {
  const { expression, health, workersAffected, workersTotal } = enrichment;
  return (
    <section class="card" id="around">
      <h2>Around it</h2>
      <dl class="facts">
        <dt>now</dt>
        <dd>{number(enrichment.valueNow)}</dd>
        <dt>an hour ago</dt>
        <dd>{number(enrichment.valueHourAgo)}</dd>
        <dt>this hour yesterday</dt>
        <dd>{number(enrichment.valueDayAgo)}</dd>
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

/** "2 of 8: decode-3, decode-5". */
function affected(workers: readonly string[], total: number | null): string {
  if (workers.length === 0) return 'none seen';
  const count = total === null ? String(workers.length) : `${workers.length} of ${total}`;
  return `${count}: ${workers.map((worker) => cut(clean(worker), 60)).join(', ')}`;
}

/** The expression's unit is the operator's business, so the number stands alone. */
function number(value: number | null): string {
  if (value === null) return 'not seen';
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}

function count(value: number | null): string {
  return value === null ? 'not seen' : String(value);
}
