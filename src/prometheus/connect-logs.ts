/** Logs beside the metrics, where the configuration says where they are. */

import type { Config } from '../config/config.js';
import type { Clock } from '../domain/clock.js';
import type { MetricsSource } from '../domain/metrics-source.js';
import { createLogCounts } from './log-counts.js';
import { createPrometheusClient } from './prometheus-client.js';

export type ConnectedLogs = {
  /** The source, which then also searches logs; as it is where no Loki is configured. */
  readonly beside: (source: MetricsSource) => MetricsSource;
  readonly close: () => Promise<void>;
};

/** Asks nothing yet. */
export function connectLogs(
  loki: Config['loki'],
  options: { readonly timeoutMs: number; readonly clock: Clock },
): ConnectedLogs {
  if (loki === undefined) return { beside: (source) => source, close: () => Promise.resolve() };
  const { url, bearerToken, basicAuth, headers, labels } = loki;
  const client = createPrometheusClient({
    baseUrl: `${url.replace(/\/+$/, '')}/loki`,
    ...(bearerToken === undefined ? {} : { bearerToken: bearerToken.reveal() }),
    ...(basicAuth === undefined
      ? {}
      : { basicAuth: { username: basicAuth.username, password: basicAuth.password.reveal() } }),
    headers,
    ...options,
  });
  const readLogs = createLogCounts({ client, labels });
  return { beside: (source) => ({ ...source, readLogs }), close: () => client.close() };
}
