/** Alertmanager's configuration: where alerts go, how they are grouped, which of them is silent beside another. */

import { stringify } from 'yaml';
import { ALERTS } from '../catalog/alerts.js';
import { WAKEWELL_DOWN, WATCHDOG } from '../catalog/self-alerts.js';
import { MINUTE } from '../domain/clock.js';

/** How often Alertmanager delivers a Watchdog: its absence pages after two and a half of it. */
const WATCHDOG_EVERY_MS = MINUTE;

/** Alerts of one problem arrive together. */
const GROUP_BY = ['cluster', 'namespace', 'model'];

export type AlertmanagerConfigOptions = {
  readonly webhookUrl: string;
  /** Secret: the text then holds it. */
  readonly bearerToken?: string;
  /** A file that Alertmanager reads it from, in place of the above. */
  readonly bearerTokenFile?: string;
  readonly groupWaitMs: number;
  readonly groupIntervalMs: number;
  readonly repeatIntervalMs: number;
  /** Secret: the text then holds it. With a key, what says that we are down goes straight to PagerDuty. */
  readonly pagerRoutingKey?: string;
  readonly pagerRoutingKeyFile?: string;
};

/** One matcher a label: any of the values. */
type Inhibition = {
  readonly source: Readonly<Record<string, readonly string[]>>;
  readonly target: Readonly<Record<string, readonly string[]>>;
  readonly equal: readonly string[];
};

/** The graver of two alerts about one thing silences the milder one at the same place. */
export const INHIBITIONS: readonly Inhibition[] = [
  {
    source: { severity: ['critical'] },
    target: { severity: ['warning'] },
    equal: ['alertname', ...GROUP_BY],
  },
  ...ALERTS.flatMap(({ name, inhibitedBy }) =>
    inhibitedBy === undefined
      ? []
      : [{ source: { alertname: inhibitedBy }, target: { alertname: [name] }, equal: GROUP_BY }],
  ),
];

/**
 * A whole configuration. A Watchdog goes by a route of its own, since its interval is what its absence is measured by;
 * what says that we are down must not go through us.
 */
export function alertmanagerConfig(options: AlertmanagerConfigOptions): string {
  const { bearerToken, bearerTokenFile, pagerRoutingKey, pagerRoutingKeyFile } = options;
  const credentials =
    bearerTokenFile !== undefined
      ? { type: 'Bearer', credentials_file: bearerTokenFile }
      : bearerToken !== undefined
        ? { type: 'Bearer', credentials: bearerToken }
        : null;
  const pager =
    pagerRoutingKeyFile !== undefined
      ? { routing_key_file: pagerRoutingKeyFile }
      : pagerRoutingKey !== undefined
        ? { routing_key: pagerRoutingKey }
        : null;
  return written({
    route: {
      receiver: 'wakewell',
      group_by: GROUP_BY,
      group_wait: ms(options.groupWaitMs),
      group_interval: ms(options.groupIntervalMs),
      repeat_interval: ms(options.repeatIntervalMs),
      routes: [
        ...(pager === null
          ? []
          : [{ matchers: [`alertname="${WAKEWELL_DOWN}"`], receiver: 'pager', group_wait: '0s' }]),
        {
          matchers: [`alertname="${WATCHDOG}"`],
          receiver: 'wakewell',
          group_wait: '0s',
          group_interval: ms(WATCHDOG_EVERY_MS),
          // Below the group_interval: at equal times every second delivery would be found to be just too early.
          repeat_interval: ms(WATCHDOG_EVERY_MS * 0.8),
        },
      ],
    },
    receivers: [
      {
        name: 'wakewell',
        webhook_configs: [
          {
            url: options.webhookUrl,
            send_resolved: true,
            ...(credentials === null ? {} : { http_config: { authorization: credentials } }),
          },
        ],
      },
      ...(pager === null ? [] : [{ name: 'pager', pagerduty_configs: [pager] }]),
    ],
    inhibit_rules: INHIBITIONS.map(({ source, target, equal }) => ({
      source_matchers: matchers(source),
      target_matchers: matchers(target),
      equal,
    })),
  });
}

/**
 * The same as the Prometheus operator's AlertmanagerConfig (monitoring.coreos.com/v1alpha1). Its secrets stand in the
 * Kubernetes secret `wakewell`, keys `webhook-token` and `pagerduty-routing-key`.
 */
export function alertmanagerConfigResource(options: {
  readonly webhookUrl: string;
  readonly groupWaitMs: number;
  readonly groupIntervalMs: number;
  readonly repeatIntervalMs: number;
}): string {
  const secret = (key: string) => ({ name: 'wakewell', key });
  const only = (alertname: string) => [{ name: 'alertname', value: alertname, matchType: '=' }];
  return written({
    apiVersion: 'monitoring.coreos.com/v1alpha1',
    kind: 'AlertmanagerConfig',
    metadata: { name: 'wakewell' },
    spec: {
      route: {
        receiver: 'wakewell',
        groupBy: GROUP_BY,
        groupWait: ms(options.groupWaitMs),
        groupInterval: ms(options.groupIntervalMs),
        repeatInterval: ms(options.repeatIntervalMs),
        routes: [
          { matchers: only(WAKEWELL_DOWN), receiver: 'pager', groupWait: '0s' },
          {
            matchers: only(WATCHDOG),
            receiver: 'wakewell',
            groupWait: '0s',
            groupInterval: ms(WATCHDOG_EVERY_MS),
            repeatInterval: ms(WATCHDOG_EVERY_MS * 0.8),
          },
        ],
      },
      receivers: [
        {
          name: 'wakewell',
          webhookConfigs: [
            {
              url: options.webhookUrl,
              sendResolved: true,
              httpConfig: { authorization: { type: 'Bearer', credentials: secret('webhook-token') } },
            },
          ],
        },
        { name: 'pager', pagerdutyConfigs: [{ routingKey: secret('pagerduty-routing-key') }] },
      ],
      inhibitRules: INHIBITIONS.map(({ source, target, equal }) => ({
        sourceMatch: resourceMatchers(source),
        targetMatch: resourceMatchers(target),
        equal,
      })),
    },
  });
}

/** No anchors: what is pasted elsewhere has to stand by itself. */
function written(config: unknown): string {
  return stringify(config, { aliasDuplicateObjects: false });
}

function matchers(labels: Inhibition['source']): string[] {
  return resourceMatchers(labels).map(({ name, matchType, value }) => `${name}${matchType}"${value}"`);
}

function resourceMatchers(labels: Inhibition['source']) {
  return Object.entries(labels).map(([name, values]) => ({
    name,
    value: values.join('|'),
    matchType: values.length === 1 ? '=' : '=~',
  }));
}

/** Alertmanager's durations are whole: `60000ms` reads as `1m`. */
function ms(duration: number): string {
  const whole = Math.round(duration);
  if (whole % 60_000 === 0) return `${whole / 60_000}m`;
  return whole % 1000 === 0 ? `${whole / 1000}s` : `${whole}ms`;
}
