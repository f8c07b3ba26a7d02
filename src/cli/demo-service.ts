/** The service of the demo: the whole app on a database in memory, with stand-ins as its receivers. */

import { type App, buildApp } from '../app.js';
import { readConfig } from '../config/config.js';
import type { MetricsSource } from '../domain/metrics-source.js';
import { createLogger } from '../log/logger.js';
import { PAGER_HOST, SLACK_HOST } from './demo-stand-ins.js';

/** Where the service sees metrics: a real Prometheus, or the fleet itself. */
export type DemoMetrics = { readonly url: string } | { readonly source: MetricsSource };

export async function startService(options: {
  readonly port: number;
  readonly timeScale: number;
  readonly metrics: DemoMetrics;
  readonly fetch: typeof globalThis.fetch;
}): Promise<App> {
  const { metrics } = options;
  const read = readConfig({
    yamlText: JSON.stringify({
      port: options.port,
      database_url: 'file::memory:',
      time_scale: options.timeScale,
      ...('url' in metrics ? { prometheus: { url: metrics.url } } : {}),
      receivers: [
        {
          name: 'pager',
          kind: 'pagerduty',
          routing_key: 'demo0123456789abcdef0123456789ab',
          events_url: `https://${PAGER_HOST}/v2/enqueue`,
        },
        {
          name: 'slack',
          kind: 'slack',
          bot_token: 'xoxb-demo',
          channel: 'C0DEMO',
          api_url: `https://${SLACK_HOST}/api`,
        },
      ],
    }),
    env: {},
  });
  if (read.kind === 'faulty') throw new Error(read.faults.join('\n'));
  const app = await buildApp(read.config, {
    fetch: options.fetch,
    logger: createLogger({ level: 'silent' }),
    ...('source' in metrics ? { source: metrics.source } : {}),
  });
  await app.start();
  return app;
}
