/** Configuration of the peers beside us: what Prometheus scrapes, where Alertmanager sends. */

import { stringify } from 'yaml';
import { WAKEWELL_DOWN, WATCHDOG } from '../catalog/self-alerts.js';
import { MINUTE } from '../domain/clock.js';

/** How often Alertmanager delivers a Watchdog: its absence pages after two and a half of it. */
const WATCHDOG_EVERY_MS = MINUTE;

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

/**
 * Where Alertmanager sends. A Watchdog goes by a route of its own, since its interval is what its absence is measured
 * by. With `pagerRoutingKey` what says that we are down goes straight to PagerDuty.
 */
export function alertmanagerConfig(options: {
  readonly webhookUrl: string;
  readonly bearerToken?: string;
  readonly groupWaitMs: number;
  readonly groupIntervalMs: number;
  readonly repeatIntervalMs: number;
  /** Secret: the text then holds it. */
  readonly pagerRoutingKey?: string;
}): string {
  const { pagerRoutingKey } = options;
  const routes = [
    ...(pagerRoutingKey === undefined
      ? []
      : [{ matchers: [`alertname="${WAKEWELL_DOWN}"`], receiver: 'pager', group_wait: '0s' }]),
    {
      matchers: [`alertname="${WATCHDOG}"`],
      receiver: 'wakewell',
      group_wait: '0s',
      group_interval: `${WATCHDOG_EVERY_MS}ms`,
      // Below the group_interval: at equal times every second delivery would be found to be just too early.
      repeat_interval: `${WATCHDOG_EVERY_MS * 0.8}ms`,
    },
  ];
  return stringify({
    route: {
      receiver: 'wakewell',
      group_by: ['cluster', 'namespace', 'model'],
      group_wait: `${options.groupWaitMs}ms`,
      group_interval: `${options.groupIntervalMs}ms`,
      repeat_interval: `${options.repeatIntervalMs}ms`,
      routes,
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
      ...(pagerRoutingKey === undefined
        ? []
        : [{ name: 'pager', pagerduty_configs: [{ routing_key: pagerRoutingKey }] }]),
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
