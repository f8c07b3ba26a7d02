/** Serves the pages of several deployments to one Prometheus, each deployment in a cluster of its own. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { stringify } from 'yaml';
import type { Dialect } from './dialect.js';
import { NAMESPACE } from './truth.js';

export type Deployment = { readonly cluster: string; readonly dialects: readonly Dialect[] };

export type Served = {
  /** A Prometheus configuration that scrapes everything. */
  readonly prometheusYaml: string;
  /** ms since 1970 when the fleet began to count. */
  readonly startedAtMs: number;
  readonly close: () => Promise<void>;
};

export async function serveDeployments(
  deployments: readonly Deployment[],
  options: { readonly scrapeIntervalMs: number; readonly now: () => number },
): Promise<Served> {
  const startedAtMs = options.now();
  const pages = deployments.flatMap(({ cluster, dialects }) =>
    dialects.flatMap((dialect) =>
      dialect.pages.map((page) => ({ page, honorLabels: dialect.honorLabels, cluster })),
    ),
  );
  const server = createServer((request, response) => {
    const found = pages[Number(/^\/page\/(\d+)$/.exec(request.url ?? '')?.[1] ?? Number.NaN)];
    if (found === undefined) {
      response.writeHead(404).end();
      return;
    }
    const seconds = (options.now() - startedAtMs) / 1000;
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
    response.end(found.page.render(seconds, startedAtMs / 1000));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;

  const interval = `${options.scrapeIntervalMs}ms`;
  const jobs = [true, false].map((honorLabels) => ({
    job_name: honorLabels ? 'honoring' : 'plain',
    honor_labels: honorLabels,
    static_configs: pages.flatMap(({ page, cluster, honorLabels: own }, index) =>
      own === honorLabels
        ? [
            {
              targets: [address],
              labels: { namespace: NAMESPACE, ...page.labels, cluster, __metrics_path__: `/page/${index}` },
            },
          ]
        : [],
    ),
  }));
  return {
    startedAtMs,
    prometheusYaml: stringify({
      global: { scrape_interval: interval, scrape_timeout: interval },
      scrape_configs: jobs,
    }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
