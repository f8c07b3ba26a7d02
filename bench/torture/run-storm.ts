/** One storm: the built service with its shipped settings between two Alertmanagers, PagerDuty and Slack. */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Pool } from 'undici';
import {
  EVENTS_PER_MINUTE,
  type FakePagerDuty,
  startFakePagerDuty,
} from '../../test/support/fake-pagerduty.js';
import { startFakeSlack } from '../../test/support/fake-slack.js';
import { startBlankPrometheus } from './blank-prometheus.js';
import { createPostWebhook } from './post-webhook.js';
import { createRandom } from './random.js';
import { readDatabase } from './read-database.js';
import { realClock, sleep } from './real-clock.js';
import { createService } from './service.js';
import { WEBHOOK_TOKEN } from './service-settings.js';
import {
  closeBooks,
  LISTED_WITHIN_MS,
  namedIn,
  type PagerCall,
  type StormFindings,
  stillUnlisted,
} from './storm-books.js';
import { createStormLoad } from './storm-load.js';
import { planBurst, planStorm } from './storm-world.js';

export type StormOptions = {
  readonly dist: string;
  /** Emptied first. */
  readonly workDirectory: string;
  readonly perMinute: number;
  readonly durationMs: number;
  /** Alerts in the one large body, which comes at half time; 0 for none. */
  readonly burst: number;
  readonly seed: number;
  readonly onProgress: (line: string) => void;
};

export type StormReport = StormFindings & {
  /** The most memory that the process ever held. */
  readonly rss_mb: number;
  /** From sending the large body to its answer; 0 without one. */
  readonly burst_ms: number;
  readonly webhooks: number;
  readonly incidents: number;
  readonly pager_throttled: number;
  readonly slack_calls: number;
  readonly slack_throttled: number;
  readonly integrity: string;
};

const SLACK_TOKEN = 'xoxb-storm-bot-token';
const SLACK_CHANNEL = 'C0INCIDENTS';
const KEYS = { pagerduty: '0123456789abcdef0123456789abcdef', infra: 'fedcba9876543210fedcba9876543210' };

/** Two pagers, so that a budget a key is seen to be one a key; everything else as it comes. */
const configOf = (eventsUrl: string) => `
receivers:
  - { name: pagerduty, kind: pagerduty, routing_key: "${KEYS.pagerduty}", events_url: "${eventsUrl}" }
  - { name: infra, kind: pagerduty, routing_key: "${KEYS.infra}", events_url: "${eventsUrl}" }
routes:
  - { matchers: ['severity="critical"', 'alertname=~"NodeNotReady|NetworkErrors"'], receivers: [infra, slack] }
  - { matchers: ['severity="critical"'], receivers: [pagerduty, slack] }
  - { matchers: ['severity="warning"'], receivers: [slack] }
`;

export async function runStorm(options: StormOptions): Promise<StormReport> {
  const { workDirectory, durationMs, onProgress } = options;
  rmSync(workDirectory, { recursive: true, force: true });
  mkdirSync(workDirectory, { recursive: true });
  const database = join(workDirectory, 'wakewell.db');
  const dice = (purpose: number) => createRandom(options.seed * 16 + purpose);
  const world = planStorm(dice(1), durationMs);
  const burst = planBurst(options.burst);

  const pagerDuty = await startFakePagerDuty({ eventsPerMinute: EVENTS_PER_MINUTE });
  const slack = await startFakeSlack({ token: SLACK_TOKEN, withLimits: true });
  const prometheus = await startBlankPrometheus(dice(2));
  writeFileSync(join(workDirectory, 'wakewell.yaml'), configOf(pagerDuty.url));
  const service = await createService({
    distDirectory: options.dist,
    workDirectory,
    logFile: join(workDirectory, 'service.log'),
    clock: realClock,
    env: {
      WAKEWELL_CONFIG: join(workDirectory, 'wakewell.yaml'),
      WAKEWELL_HOST: '127.0.0.1',
      WAKEWELL_WEBHOOK_TOKEN: WEBHOOK_TOKEN,
      WAKEWELL_LOG_LEVEL: 'warn',
      DATABASE_URL: `file:${database}`,
      PROMETHEUS_URL: prometheus.url,
      SLACK_BOT_TOKEN: SLACK_TOKEN,
      SLACK_CHANNEL,
      SLACK_API_URL: slack.url,
    },
  });
  const pool = new Pool(service.url, { connections: 16 });
  const load = createStormLoad({
    clock: realClock,
    random: dice(3),
    post: createPostWebhook(pool),
    groups: world.groups,
    perMinute: options.perMinute,
    durationMs,
  });

  try {
    service.spawn();
    if (!(await service.untilReady())) throw new Error('the service did not become ready');
    const playing = load.play();
    await sleep(durationMs / 2);
    const burstMs = burst.alerts.length === 0 ? 0 : await load.burst(burst.alerts);
    onProgress(`${burst.alerts.length} alerts in one body were answered after ${Math.round(burstMs)} ms`);
    await playing;
    onProgress(`${load.posts().length} webhooks answered; waiting until every critical is named`);

    const read = () => {
      const { bodies: _, ...stored } = readDatabase(database);
      return { ...stored, triggers: triggersOf(pagerDuty) };
    };
    const giveUpAt = realClock.monotonic() + LISTED_WITHIN_MS;
    while (realClock.monotonic() < giveUpAt && stillUnlisted(read()) > 0) await sleep(2_000);
    const rssMb = peakRssMb(service.pid());
    const stored = read();
    const findings = closeBooks({
      ...stored,
      posts: load.posts(),
      calls: [...pagerDuty.events(), ...pagerDuty.throttled()].sort((a, b) => a.atMs - b.atMs),
      pages_sent: pagerDuty.incidents().length,
      problems: world.problems + burst.problems,
      nowMs: realClock.now(),
    });
    return {
      ...findings,
      rss_mb: rssMb,
      burst_ms: Math.round(burstMs),
      webhooks: load.posts().length,
      incidents: stored.incidents.length,
      pager_throttled: pagerDuty.throttled().length,
      slack_calls: slack.calls().length,
      slack_throttled: slack.rateLimited(),
      integrity: stored.integrity,
    };
  } finally {
    await service.stop();
    await pool.destroy();
    await pagerDuty.close();
    await slack.close();
    await prometheus.close();
  }
}

function triggersOf(pagerDuty: FakePagerDuty): PagerCall[] {
  return pagerDuty
    .events()
    .filter(({ action }) => action === 'trigger')
    .map(({ atMs, routingKey, payload }) => ({ atMs, routingKey, names: namedIn(JSON.stringify(payload)) }));
}

/** The high-water mark of a process, MB. */
function peakRssMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1024);
}
