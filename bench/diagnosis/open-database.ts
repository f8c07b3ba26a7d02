/** The real Prometheus on a backfilled database, and the product's own source over it. */

import { systemClock } from '../../src/app.js';
import type { EngineFile } from '../../src/catalog/engine-file.js';
import type { MetricsSource } from '../../src/domain/metrics-source.js';
import { launchPrometheus } from '../../src/prometheus/launch.js';
import { createPrometheusClient, type PrometheusClient } from '../../src/prometheus/prometheus-client.js';
import { createPrometheusSource } from '../../src/prometheus/prometheus-source.js';

export type OpenDatabase = {
  readonly client: PrometheusClient;
  readonly source: MetricsSource;
  readonly close: () => Promise<void>;
};

/** What is measured is judgement, not speed: nothing may be unknown because the machine is busy. */
const PATIENCE_MS = 120_000;
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;

/**
 * A scrape that fails ends its series at once by a staleness marker, which backfilling cannot write: without one a
 * series stays for the whole look-back, 5 min by default. Fifty seconds bridge two missed scrapes of 15 s and let a
 * lost worker vanish in the next minute.
 */
const LOOKBACK = '50s';

export async function openDatabase(options: {
  readonly prometheus: string;
  readonly dataDirectory: string;
  readonly engines: readonly EngineFile[];
}): Promise<OpenDatabase> {
  const server = await launchPrometheus({
    binary: options.prometheus,
    dataDirectory: options.dataDirectory,
    configYaml: 'scrape_configs: []\n',
    flags: [
      '--storage.tsdb.retention.time=20y',
      `--query.lookback-delta=${LOOKBACK}`,
      `--query.timeout=${PATIENCE_MS / 1000}s`,
    ],
  });
  const client = createPrometheusClient({
    baseUrl: server.url,
    timeoutMs: PATIENCE_MS,
    maxBodyBytes: MAX_ANSWER_BYTES,
    clock: systemClock,
  });
  return {
    client,
    source: createPrometheusSource({ client, engines: options.engines, clock: systemClock }),
    async close() {
      await client.close();
      await server.close();
    },
  };
}
