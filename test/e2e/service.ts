/**
 * The whole service over real sockets, with doubles of PagerDuty and Slack, and nothing else that it may reach.
 * What was told is counted exactly, and `close` fails on any outgoing call that nobody expected.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, buildApp } from '../../src/app.js';
import { readConfig } from '../../src/config/config.js';
import type { IncidentView } from '../../src/domain/incident-view.js';
import { createLogger } from '../../src/log/logger.js';
import { type FakePagerDuty, startFakePagerDuty } from '../support/fake-pagerduty.js';
import { type FakeSlack, type SlackMessage, startFakeSlack } from '../support/fake-slack.js';

const ROUTING_KEY = 'e2e00000000000000000000000000000';
/** What Alertmanager presents to the service. */
export const WEBHOOK_TOKEN = 'e2e-webhook-token';
const POLL_MS = 50;

type Fetch = typeof globalThis.fetch;

export type Told = {
  /** Incidents that the pager woke somebody for; each by exactly one trigger. */
  readonly pages: number;
  readonly resolves: number;
  /** Messages of Slack that are no replies. */
  readonly cards: number;
};

export type Doubles = {
  readonly pager: FakePagerDuty;
  readonly slack: FakeSlack;
  readonly cards: () => readonly SlackMessage[];
  /** Throws with every total that differs. `close` counts once more: nothing may follow the last count. */
  readonly expectTold: (told: Told) => void;
};

export type Service = Doubles & {
  readonly app: App;
  readonly url: string;
  /** Posts what Alertmanager would, and throws unless the answer is 200. */
  readonly receive: (body: unknown) => Promise<void>;
  /** The only incident; fails when there are several. Null while there is none. */
  readonly incident: () => Promise<IncidentView | null>;
  /** Polls until `ready` gives something, at most `withinMs`. */
  readonly until: <T>(
    what: string,
    withinMs: number,
    ready: () => Promise<T | null | undefined | false>,
  ) => Promise<T>;
  /** Stops everything; throws when anybody was called with what nobody expected. */
  readonly close: () => Promise<void>;
};

export type ServiceOptions = {
  /** 0: any. */
  readonly port?: number;
  readonly prometheusUrl: string;
  /** More of the configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Stands between the service and the network: a fault of the service, planted to see that it is noticed. */
  readonly tamper?: (fetch: Fetch) => Fetch;
};

export async function startService(options: ServiceOptions): Promise<Service> {
  const stop: (() => unknown)[] = [];
  const pager = await startFakePagerDuty({ routingKeys: [ROUTING_KEY] });
  stop.push(() => pager.close());
  const slack = await startFakeSlack({ channels: { C0E2E: 'C0E2E' } });
  stop.push(() => slack.close());
  const directory = mkdtempSync(join(tmpdir(), 'wakewell-e2e-'));
  stop.push(() => rmSync(directory, { recursive: true, force: true }));

  const read = readConfig({
    yamlText: JSON.stringify({
      port: options.port ?? 0,
      database_url: `file:${join(directory, 'e2e.db')}`,
      prometheus: { url: options.prometheusUrl },
      tokens: { webhook: [{ name: 'alertmanager', token: WEBHOOK_TOKEN }] },
      receivers: [
        { name: 'pager', kind: 'pagerduty', routing_key: ROUTING_KEY, events_url: pager.url },
        {
          name: 'slack',
          kind: 'slack',
          bot_token: 'xoxb-e2e',
          channel: 'C0E2E',
          api_url: slack.url.replace(/\/$/, ''),
        },
      ],
      ...options.config,
    }),
    env: {},
  });
  if (read.kind === 'faulty') throw new Error(read.faults.join('\n'));
  const guard = guardedFetch([pager.url, slack.url]);
  const app = await buildApp(read.config, {
    logger: createLogger({ level: 'silent' }),
    fetch: options.tamper?.(guard.fetch) ?? guard.fetch,
  });
  stop.push(() => app.stop());
  const { url } = await app.start();

  const cards = () => slack.messages().filter((message) => message.threadTs === null);
  let lastTold: Told | null = null;
  function expectTold(told: Told): void {
    const events = (action: string) => pager.events().filter((event) => event.action === action).length;
    const counts = [
      ['incidents at the pager', pager.incidents().length, told.pages],
      ['triggers', events('trigger'), told.pages],
      ['resolves', events('resolve'), told.resolves],
      ['cards', cards().length, told.cards],
    ] as const;
    const wrong = counts.filter(([, found, expected]) => found !== expected);
    // A count that failed is not repeated: the first difference is the one to read.
    lastTold = wrong.length > 0 ? null : told;
    if (wrong.length > 0) {
      throw new Error(
        wrong.map(([what, found, expected]) => `${found} ${what}, expected ${expected}`).join('; '),
      );
    }
  }

  return {
    app,
    url,
    pager,
    slack,
    cards,
    expectTold,
    async receive(body) {
      const response = await fetch(`${url}/api/v1/alertmanager`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${WEBHOOK_TOKEN}` },
        body: JSON.stringify(body),
      });
      if (response.status !== 200) throw new Error(`the webhook answered ${response.status}`);
    },
    async incident() {
      const [first, second] = await Promise.all([app.readView(1), app.readView(2)]);
      if (second !== null) throw new Error(`a second incident was opened: ${second.incident.alertName}`);
      return first;
    },
    async until(what, withinMs, ready) {
      const end = performance.now() + withinMs;
      for (;;) {
        const value = await ready();
        if (value !== null && value !== undefined && value !== false) return value;
        if (performance.now() > end) throw new Error(`not within ${withinMs / 1000} s: ${what}`);
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    },
    async close() {
      for (const step of stop.reverse()) await step();
      if (lastTold !== null) expectTold(lastTold);
      guard.expectNoUnexpected();
      pager.expectNoUnexpected();
      slack.expectNoUnexpected();
    },
  };
}

/** Reaches the doubles only. Any other address is refused, and remembered. */
function guardedFetch(allowed: readonly string[]): { fetch: Fetch; expectNoUnexpected: () => void } {
  const origins = new Set(allowed.map((url) => new URL(url).origin));
  const unexpected: string[] = [];
  return {
    async fetch(input, init) {
      const url = new URL(input instanceof Request ? input.url : input);
      if (origins.has(url.origin)) return fetch(input, init);
      unexpected.push(`${init?.method ?? 'GET'} ${url.href}`);
      throw new TypeError(`${url.origin} may not be called`);
    },
    expectNoUnexpected() {
      if (unexpected.length > 0) throw new Error(`called elsewhere: ${unexpected.join(' | ')}`);
    },
  };
}
