/** The metrics source of commands that ask Prometheus themselves, without a running service. */

import { systemClock } from '../app.js';
import type { EngineFile } from '../catalog/engine-file.js';
import type { Config } from '../config/config.js';
import type { MetricsSource } from '../domain/metrics-source.js';
import type { FindScopes } from '../domain/serving-health.js';
import { createScopeFinder } from '../prometheus/find-scopes.js';
import { createPrometheusClient, type PrometheusClient } from '../prometheus/prometheus-client.js';
import { createPrometheusSource } from '../prometheus/prometheus-source.js';
import { CommandFailure, EXIT } from './exit-codes.js';

export type Connected = {
  readonly client: PrometheusClient;
  readonly source: MetricsSource;
  readonly findScopes: FindScopes;
  readonly close: () => Promise<void>;
};

/** Throws a usage failure where no Prometheus is configured. */
export function connectPrometheus(config: Config, engines: readonly EngineFile[]): Connected {
  const { prometheus, timeScale } = config;
  if (prometheus.url === null) {
    throw new CommandFailure(EXIT.usage, 'there is nothing to ask: set PROMETHEUS_URL');
  }
  const { bearerToken, basicAuth } = prometheus;
  const client = createPrometheusClient({
    baseUrl: prometheus.url,
    ...(bearerToken === undefined ? {} : { bearerToken: bearerToken.reveal() }),
    ...(basicAuth === undefined
      ? {}
      : { basicAuth: { username: basicAuth.username, password: basicAuth.password.reveal() } }),
    headers: prometheus.headers,
    timeoutMs: config.timings.queryMs,
    clock: systemClock,
  });
  return {
    client,
    source: createPrometheusSource({ client, engines, clock: systemClock, timeScale }),
    findScopes: createScopeFinder(client, engines, config.scopeLabels),
    close: () => client.close(),
  };
}
