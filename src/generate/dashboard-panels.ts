/** The panels of the dashboard, row by row, in the order in which a person should look. Limits come from the catalog. */

import type { EngineFile } from '../catalog/engine-file.js';
import { type Thresholds, threshold } from '../catalog/thresholds.js';
import { bucketQueries, combinedQueries, type PanelQuery, signalQueries } from './dashboard-queries.js';

export type PanelKind = 'timeseries' | 'stat' | 'gauge' | 'heatmap' | 'table';

export type PanelPlan = {
  readonly title: string;
  readonly kind: PanelKind;
  /** Grafana's name of the unit. */
  readonly unit: string;
  readonly queries: readonly PanelQuery[];
  /** Colours from a value on, ascending; the first is below all. */
  readonly steps?: readonly (readonly [number | null, string])[];
  readonly description: string;
};

export type RowPlan = { readonly title: string; readonly panels: readonly PanelPlan[] };

export function dashboardRows(engines: readonly EngineFile[], thresholds: Thresholds): RowPlan[] {
  const of = (signal: string, label?: string) =>
    signalQueries(signal, engines, label === undefined ? {} : { label });
  const colours = (warning: string, critical?: string): NonNullable<PanelPlan['steps']> => [
    [null, 'green'],
    [threshold(thresholds, warning), 'yellow'],
    ...(critical === undefined ? [] : ([[threshold(thresholds, critical), 'red']] as const)),
  ];
  const panel = (
    title: string,
    unit: string,
    queries: readonly PanelQuery[],
    description: string,
    more: Partial<Pick<PanelPlan, 'kind' | 'steps'>> = {},
  ): PanelPlan => ({ title, kind: 'timeseries', unit, queries, description, ...more });
  return [
    {
      title: 'User experience',
      panels: [
        panel(
          'Time to first token',
          's',
          [
            ...of('ttft_p50_seconds', 'p50'),
            ...of('ttft_p95_seconds', 'p95'),
            ...of('ttft_p99_seconds', 'p99'),
          ],
          'Request received to first token. Blind to a stall: only tokens that came out are counted.',
          { steps: colours('ttft_p99_seconds.warning', 'ttft_p99_seconds.critical') },
        ),
        panel(
          'Time between tokens',
          's',
          [...of('tbt_p50_seconds', 'p50'), ...of('tbt_p99_seconds', 'p99')],
          'While generating. Follows the decode batch and GPU compute, not the queue.',
          { steps: colours('tbt_p99_seconds.warning', 'tbt_p99_seconds.critical') },
        ),
        panel(
          'Generation throughput',
          'short',
          of('generation_tokens_rate').map(({ expr, legend }) => ({
            expr: `sum(${expr})`,
            legend: `tokens/s ${legend}`,
          })),
          'Tokens generated a second, all workers.',
          { kind: 'stat' },
        ),
        panel('Error rate, 1 m', 'percentunit', of('error_ratio'), 'Failed share of requests.', {
          kind: 'stat',
          steps: colours('error_ratio.visible', 'error_ratio.warning'),
        }),
      ],
    },
    {
      title: 'GPU health',
      panels: [
        panel(
          'GPU utilization',
          'percentunit',
          of('gpu_utilization'),
          'Share of time any kernel ran. Low with a queue means scheduling, not compute.',
          { steps: colours('gpu_utilization.high', 'gpu_utilization.saturated') },
        ),
        panel(
          'GPU memory',
          'percentunit',
          of('gpu_memory_ratio'),
          'Pools are allocated at start: a high share is not load.',
          { steps: colours('gpu_memory_ratio.warning', 'gpu_memory_ratio.critical') },
        ),
        panel(
          'Free GPU memory',
          'decbytes',
          combinedQueries(
            ['gpu_memory_total_bytes', 'gpu_memory_used_bytes'],
            engines,
            (total, used) => `(${total}) - (${used})`,
          ),
          'Beyond weights, pool and activations.',
          { kind: 'gauge' },
        ),
        panel('GPU temperature', 'celsius', of('gpu_temperature_celsius'), 'Where an exporter has it.'),
      ],
    },
    {
      title: 'KV cache and scheduling',
      panels: [
        panel(
          'KV cache utilization',
          'percentunit',
          of('kv_cache_utilization'),
          'Looked at first. Full together with preemptions or a queue is exhaustion; full alone is good use.',
          { steps: colours('kv_cache_utilization.warning', 'kv_cache_utilization.critical') },
        ),
        panel(
          'Queue depth',
          'short',
          of('queue_depth'),
          'Requests waiting, by worker. Uneven means routing.',
          {
            steps: colours('queue_depth.warning', 'queue_depth.critical'),
          },
        ),
        panel('Batch size', 'short', of('requests_running'), 'Requests in the running batch.'),
      ],
    },
    {
      title: 'Diagnostics',
      panels: [
        panel(
          'Preemptions',
          'ops',
          [...of('preemption_rate'), ...of('preemption_rate_by_reason', 'reason')],
          'Requests evicted from the batch, by worker and by reason.',
          { steps: colours('preemption_rate.warning', 'preemption_rate.critical') },
        ),
        panel(
          'Request duration',
          's',
          bucketQueries('request_duration_p99_seconds', engines),
          'All requests, by how long they took.',
          { kind: 'heatmap' },
        ),
        panel(
          'Workers',
          'short',
          [
            'kv_cache_utilization',
            'queue_depth',
            'requests_running',
            'generation_tokens_rate',
            'preemption_rate',
          ].flatMap((signal) => of(signal, signal)),
          'Every worker now: KV cache, queue, batch, tokens and preemptions a second.',
          { kind: 'table' },
        ),
      ],
    },
    {
      title: 'Deployment and load',
      panels: [
        panel(
          'Replicas',
          'short',
          [...of('replicas_wanted', 'wanted'), ...of('replicas_available', 'available')],
          'Wanted and available; where Kubernetes is not seen, workers that report.',
        ),
        panel(
          'Pods not ready',
          'short',
          [...of('pods_not_ready', 'not ready'), ...of('pods_pending', 'pending')],
          'Pods of the same owner as those that serve.',
        ),
        panel('Restarts, 1 h', 'short', of('worker_restarts'), 'By worker.'),
        panel('Requests', 'reqps', of('request_rate'), 'A second.'),
        panel('Requests in progress', 'short', of('requests_in_progress'), 'Accepted and not finished.'),
        panel('Queue wait, p99', 's', of('queue_wait_p99_seconds'), 'Time in the queue.'),
        panel(
          'Quotas',
          'percentunit',
          of('quota_used_ratio'),
          'Used share of the namespace quota, by resource.',
        ),
      ],
    },
  ];
}
