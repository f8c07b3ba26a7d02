/** The metrics sources of commands that ask Prometheus themselves, without a running service. */

import { systemClock } from '../app.js';
import type { EngineFile } from '../catalog/engine-file.js';
import type { Config } from '../config/config.js';
import { AppError } from '../domain/errors.js';
import { connectLogs } from '../prometheus/connect-logs.js';
import { type ConnectedSources, connectSources } from '../prometheus/connect-sources.js';
import { CommandFailure, EXIT } from './exit-codes.js';

/** Throws a usage failure where no Prometheus is configured, or one of them cannot be as it is. */
export function connectPrometheus(config: Config, engines: readonly EngineFile[]): ConnectedSources {
  if (config.prometheus.length === 0) {
    throw new CommandFailure(EXIT.usage, 'there is nothing to ask: set PROMETHEUS_URL');
  }
  try {
    const metrics = connectSources({
      sources: config.prometheus,
      engines,
      scopeLabels: config.scopeLabels,
      queryMs: config.timings.queryMs,
      clock: systemClock,
      timeScale: config.timeScale,
    });
    const logs = connectLogs(config.loki, { timeoutMs: config.timings.queryMs, clock: systemClock });
    return {
      ...metrics,
      sourceFor: (scope) => logs.beside(metrics.sourceFor(scope)),
      async close() {
        await logs.close();
        await metrics.close();
      },
    };
  } catch (error) {
    if (error instanceof AppError) throw new CommandFailure(EXIT.usage, error.message);
    throw error;
  }
}
