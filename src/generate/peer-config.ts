/** Configuration of the peers beside us: what Prometheus scrapes, where Alertmanager sends. */

import { stringify } from 'yaml';

/** One page of metrics to scrape, and the labels that say whose it is. */
export type ScrapeTarget = {
  /** `host:port`. */
  readonly address: string;
  readonly path: string;
  readonly labels: Readonly<Record<string, string>>;
};

export function prometheusConfig(options: {
  readonly targets: readonly ScrapeTarget[];
  readonly rulesFile: string | null;
  /** `host:port` of Alertmanager; null sends alerts nowhere. */
  readonly alertmanagerAddress: string | null;
  readonly scrapeIntervalMs: number;
  readonly evaluationIntervalMs: number;
}): string {
  const scrape = `${options.scrapeIntervalMs}ms`;
  return stringify({
    global: {
      scrape_interval: scrape,
      scrape_timeout: scrape,
      evaluation_interval: `${options.evaluationIntervalMs}ms`,
    },
    ...(options.rulesFile === null ? {} : { rule_files: [options.rulesFile] }),
    ...(options.alertmanagerAddress === null
      ? {}
      : { alerting: { alertmanagers: [{ static_configs: [{ targets: [options.alertmanagerAddress] }] }] } }),
    scrape_configs: [
      {
        job_name: 'llm',
        // What an exporter says about itself beats what we attach.
        honor_labels: true,
        static_configs: options.targets.map((target) => ({
          targets: [target.address],
          labels: { ...target.labels, __metrics_path__: target.path },
        })),
        // Pages of one port are told apart by their pod.
        relabel_configs: [{ source_labels: ['pod'], target_label: 'instance', regex: '(.+)' }],
      },
    ],
  });
}

export function alertmanagerConfig(options: {
  readonly webhookUrl: string;
  readonly bearerToken?: string;
  readonly groupWaitMs: number;
  readonly groupIntervalMs: number;
  readonly repeatIntervalMs: number;
}): string {
  return stringify({
    route: {
      receiver: 'wakewell',
      group_by: ['cluster', 'namespace', 'model'],
      group_wait: `${options.groupWaitMs}ms`,
      group_interval: `${options.groupIntervalMs}ms`,
      repeat_interval: `${options.repeatIntervalMs}ms`,
    },
    receivers: [
      {
        name: 'wakewell',
        webhook_configs: [
          {
            url: options.webhookUrl,
            send_resolved: true,
            ...(options.bearerToken === undefined
              ? {}
              : { http_config: { authorization: { type: 'Bearer', credentials: options.bearerToken } } }),
          },
        ],
      },
    ],
    inhibit_rules: [
      {
        source_matchers: ['severity="critical"'],
        target_matchers: ['severity="warning"'],
        equal: ['alertname', 'cluster', 'namespace', 'model'],
      },
    ],
  });
}
