/**
 * Log lines counted by pattern, from Loki. Its HTTP API answers range queries as Prometheus' does, so the same client
 * asks, with its deadline, its circuit breaker and its bound on what is read: counts come back, never lines.
 *
 * Source: Loki 3.x docs/reference/loki-http-api.md (query_range, form parameters by POST) and docs/query/metric_queries.
 */

import { MINUTE } from '../domain/clock.js';
import { labelValue } from '../domain/labels.js';
import type { MetricsSource } from '../domain/metrics-source.js';
import type { SignalReading } from '../domain/signal.js';
import type { PrometheusClient } from './prometheus-client.js';
import { buildSelector, quote } from './selector.js';

export type LogCountsOptions = {
  /** Of Loki: its base URL ends in `/loki`. */
  readonly client: Pick<PrometheusClient, 'queryRange'>;
  /** Scope label → stream label. */
  readonly labels: Readonly<Record<string, string>>;
};

const ENGINE = 'loki';

type ReadLogs = NonNullable<MetricsSource['readLogs']>;

/**
 * No line at all in the window is `no_series`, since then a pattern that nobody wrote proves nothing; a scope label that
 * is missing is never left out of the selector.
 */
export function createLogCounts({ client, labels }: LogCountsOptions): ReadLogs {
  return async (patterns, scope, { atMs, windowMs, signal }) => {
    const pairs: [string, string][] = [];
    for (const [name, stream] of Object.entries(labels)) {
      const value = labelValue(scope, name);
      if (value === undefined || value === '')
        return nothing(
          'label_missing',
          `the alert has no label "${name}", and logs are not searched without it`,
          null,
        );
      pairs.push([stream, value]);
    }
    const selector = `{${buildSelector(pairs)}}`;
    const range = `[${Math.max(1, Math.round(windowMs / 1000))}s]`;
    const names = Object.keys(patterns);
    const shown = `${selector} |~ ${quote(Object.values(patterns).join('|'))}`;
    const count = (filter: string) => `sum(count_over_time(${selector}${filter} ${range}))`;
    const filters = ['', ...Object.values(patterns).map((pattern) => ` |~ ${quote(pattern)}`)];
    const answers = await Promise.all(
      filters.map((filter) =>
        client.queryRange(count(filter), {
          startMs: atMs,
          endMs: atMs,
          stepMs: MINUTE,
          ...(signal === undefined ? {} : { signal }),
        }),
      ),
    );
    const values: number[] = [];
    for (const answer of answers) {
      if (answer.kind === 'failed') return { ...answer, engine: ENGINE, query: shown };
      values.push(answer.series[0]?.points.at(-1)?.[1] ?? 0);
    }
    const [lines = 0, ...counts] = values;
    if (lines === 0) {
      const detail = `no log line of ${selector} in the last ${Math.round(windowMs / MINUTE)} min: are these the labels of its streams (loki.labels)?`;
      return nothing('no_series', detail, shown);
    }
    return {
      kind: 'value',
      engine: ENGINE,
      query: shown,
      samples: names.map((name, index) => ({
        worker: null,
        labels: { pattern: name },
        value: counts[index] ?? 0,
      })),
    };
  };
}

function nothing(reason: 'label_missing' | 'no_series', detail: string, query: string | null): SignalReading {
  return { kind: 'empty', reason, detail, engine: ENGINE, query };
}
