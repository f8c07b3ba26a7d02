/** How the service is configured under torture: all its times shortened, one pager, no Slack. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const WEBHOOK_TOKEN = 'torture-webhook-token-0123456789';
export const PAGE_DEADLINE_MS = 1_000;

const TIMINGS = {
  page_deadline: `${PAGE_DEADLINE_MS}ms`,
  diagnosis: '800ms',
  query: '500ms',
  resolve_hold: '1500ms',
  reopen_window: '3s',
};

const configOf = (timings: Readonly<Record<string, string>>) => `
timings: ${JSON.stringify({ ...TIMINGS, ...timings })}
# One page an episode is what is counted, so nothing may speak for several.
storm: { incidents: 1000000 }
flapping: { cycles: 1000000 }
page_ceilings: [{ pages: 1000000, within: 1m }]
# Time runs many times faster here, and so do pages.
receivers:
  - { name: pagerduty, kind: pagerduty, routing_key: "\${PAGERDUTY_ROUTING_KEY}", events_per_minute: 6000 }
`;

/** Writes the configuration file and gives the environment that points to it. */
export function serviceEnv(options: {
  readonly workDirectory: string;
  readonly database: string;
  readonly prometheusUrl: string;
  readonly pagerDutyUrl: string;
  /** Durations that differ, as the file has them. */
  readonly timings?: Readonly<Record<string, string>>;
}): Record<string, string> {
  const config = join(options.workDirectory, 'wakewell.yaml');
  writeFileSync(config, configOf(options.timings ?? {}));
  return {
    WAKEWELL_CONFIG: config,
    WAKEWELL_HOST: '127.0.0.1',
    WAKEWELL_WEBHOOK_TOKEN: WEBHOOK_TOKEN,
    DATABASE_URL: `file:${options.database}`,
    PROMETHEUS_URL: options.prometheusUrl,
    PAGERDUTY_ROUTING_KEY: '0123456789abcdef0123456789abcdef',
    PAGERDUTY_EVENTS_URL: options.pagerDutyUrl,
  };
}
