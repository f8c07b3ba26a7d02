/** The configuration of a Prometheus beside us: what it scrapes, which rules it evaluates. */

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
