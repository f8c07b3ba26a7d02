/**
 * The whole service on time that only the test moves, between pagers and a Slack that fail as they are told.
 * Every call that leaves it is written down with its time, and a test declares windows that must account for
 * all of them: a call too many fails it as a missing one does (Alertmanager's acceptance tests do the same).
 */

import { expect, onTestFinished } from 'vitest';
import { type App, buildApp } from '../../src/app.js';
import { readConfig } from '../../src/config/config.js';
import { labelsFrom } from '../../src/domain/labels.js';
import type { MetricsSource } from '../../src/domain/metrics-source.js';
import { createLogger } from '../../src/log/logger.js';
import { webhookBody } from '../../src/simulator/webhook-body.js';
import { type FakePagerDuty, startFakePagerDuty } from '../support/fake-pagerduty.js';
import { type FakeSlack, startFakeSlack } from '../support/fake-slack.js';
import type { Failure } from '../support/http-fake.js';
import { createManualClock, type ManualClock } from '../support/manual-clock.js';
import { createScriptedSource } from '../support/scripted-source.js';

export const START_MS = Date.UTC(2026, 10, 22, 3, 0, 0);
/** Long enough for a call over loopback to be answered, on a busy machine as well. */
const PATIENCE_MS = 2_000;
const STEP_MS = 1_000;

export type PagerName = 'pager' | 'pager-b';

export type Call = {
  /** Since the world began. */
  readonly atMs: number;
  readonly to: PagerName | 'slack' | 'elsewhere';
  /** `trigger`, `acknowledge`, `resolve`, or the method of Slack. */
  readonly what: string;
  /** The model whose incident it is about, as far as its text says. */
  readonly about: string;
  readonly body: string;
  /** Status, or `none` where no answer came. */
  answer: number | 'none' | 'open';
};

/** So many calls of this kind within these times, ms. `ok` means answered 202 by a pager, 200 by Slack. */
export type Window = {
  readonly to: Call['to'];
  readonly what: string;
  readonly about?: string;
  readonly ok: boolean;
  readonly from: number;
  readonly until: number;
  readonly times: number | readonly [number, number];
};

export type World = {
  readonly app: App;
  readonly url: string;
  readonly clock: ManualClock;
  readonly pagers: Readonly<Record<PagerName, FakePagerDuty>>;
  readonly slack: FakeSlack;
  readonly log: () => readonly Record<string, unknown>[];
  /** The next `times` calls to it fail, all of them when absent. */
  readonly fail: (to: PagerName | 'slack', failure: Failure, times?: number) => void;
  /** What hangs already goes on hanging. */
  readonly heal: (to: PagerName | 'slack') => void;
  /** A critical TTFT of a model; returns the status of the answer. */
  readonly fire: (model: string, severity?: 'critical' | 'warning') => Promise<number>;
  readonly end: (model: string) => Promise<number>;
  /** The same critical as some call carries it, whatever was said before: late, doubled, out of order. */
  readonly deliver: (
    model: string,
    times: { readonly startedAtMs: number; readonly endedAtMs: number | null },
  ) => Promise<number>;
  /** What a person does to an incident, by its number. */
  readonly act: (incidentId: number, act: 'acknowledge' | 'resolve') => Promise<void>;
  /** Lets time pass, and the network do its part in between. */
  readonly pass: (ms: number) => Promise<void>;
  /** The process ends, as asked to. */
  readonly stop: () => Promise<void>;
  readonly calls: () => readonly Call[];
  /** Every call so far must fall into exactly one window, and each window must hold as many as it says. */
  readonly expectCalls: (windows: readonly Window[]) => void;
  /** `kind: text` of an incident's story. */
  readonly story: (incidentId: number) => Promise<readonly string[]>;
  readonly get: (path: string) => Promise<{ readonly status: number; readonly text: string }>;
};

const KEYS = { pager: 'a'.repeat(32), 'pager-b': 'b'.repeat(32) } as const;

export async function startWorld(
  options: {
    /** More of the configuration. */
    readonly config?: Readonly<Record<string, unknown>>;
    /** `configured` is the Prometheus that the configuration names. */
    readonly source?: MetricsSource | 'configured';
    /** When the world begins, ms since 1970. */
    readonly startMs?: number;
    /** Where the pagers' events go in place of the doubles. */
    readonly eventsUrl?: string;
    /** Without a second pager the ladder ends in Slack. */
    readonly pagers?: readonly PagerName[];
    readonly random?: () => number;
  } = {},
): Promise<World> {
  const startMs = options.startMs ?? START_MS;
  const clock = createManualClock({ nowMs: startMs });
  const nowMs = clock.now;
  const pagers = {
    pager: await startFakePagerDuty({ nowMs }),
    'pager-b': await startFakePagerDuty({ nowMs }),
  };
  const slack = await startFakeSlack({ nowMs });
  const names = options.pagers ?? ['pager', 'pager-b'];
  const read = readConfig({
    yamlText: JSON.stringify({
      port: 0,
      database_url: 'file::memory:',
      // Reminders are told by another test.
      reminders: { critical: '100h', warning: '100h' },
      // So are storms and ceilings, which would speak for several of these problems at once.
      storm: { incidents: 1_000_000 },
      page_ceilings: [{ pages: 1_000_000, within: '1m' }],
      receivers: [
        ...names.map((name) => ({
          name,
          kind: 'pagerduty',
          routing_key: KEYS[name],
          events_url: options.eventsUrl ?? pagers[name].url,
        })),
        {
          name: 'slack',
          kind: 'slack',
          bot_token: 'xoxb-faults',
          channel: 'C0INCIDENTS',
          api_url: slack.url.replace(/\/$/, ''),
          mention: 'U0MIA',
        },
      ],
      routes: [{ matchers: ['severity="critical"'], receivers: ['pager', 'slack'] }],
      ...options.config,
    }),
    env: {},
  });
  if (read.kind === 'faulty') throw new Error(read.faults.join('\n'));

  const calls: Call[] = [];
  const lines: string[] = [];
  const hanging = new Set<Call['to']>();
  const app = await buildApp(read.config, {
    clock,
    random: options.random ?? (() => 0.5),
    ...(options.source === 'configured' ? {} : { source: options.source ?? createScriptedSource({}) }),
    logger: createLogger({ level: 'debug', destination: { write: (line) => void lines.push(line) } }),
    async fetch(input, init) {
      const call = toCall(String(input), typeof init?.body === 'string' ? init.body : '', nowMs() - startMs);
      calls.push(call);
      try {
        const response = await fetch(input, init);
        call.answer = response.status;
        return response;
      } catch (error) {
        call.answer = 'none';
        throw error;
      }
    },
  });
  onTestFinished(async () => {
    for (const one of [pagers.pager, pagers['pager-b'], slack]) one.heal();
    await stop();
    for (const one of [pagers.pager, pagers['pager-b'], slack]) await one.close();
  });
  const { url } = await app.start();

  async function stop(): Promise<void> {
    const stopping = app.stop();
    for (let i = 0; i < 15; i++) await clock.advance(1_000);
    await stopping;
  }

  function toCall(address: string, body: string, atMs: number): Call {
    const to =
      (['pager', 'pager-b'] as const).find((name) => body.includes(`"routing_key":"${KEYS[name]}"`)) ??
      (address.startsWith(slack.url) ? 'slack' : 'elsewhere');
    const what =
      to === 'slack'
        ? address.slice(slack.url.length)
        : (/"event_action":"(\w+)"/.exec(body)?.[1] ?? address);
    const known = /m(?:odel)?-\d+/.exec(decodeURIComponent(body.replaceAll('+', ' ')))?.[0];
    return { atMs, to, what, about: known ?? keyed(body), body, answer: 'open' };
  }

  /** A follow-up names its episode by its key only: the trigger that had it says whose it is. */
  function keyed(body: string): string {
    const key = /"dedup_key":"(\w+)"/.exec(body)?.[1];
    if (key === undefined) return '';
    return calls.find((one) => one.what === 'trigger' && one.body.includes(key))?.about ?? '';
  }

  /** Until the network has answered what it will answer: not what hangs, once it has arrived there. */
  async function settle(): Promise<void> {
    const until = performance.now() + PATIENCE_MS;
    while (performance.now() < until) {
      for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
      const open = calls.filter((call) => call.answer === 'open');
      if (open.every((call) => hanging.has(call.to) && hasArrived(call.to))) return;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  function hasArrived(to: Call['to']): boolean {
    if (to === 'elsewhere' || options.eventsUrl !== undefined) return true;
    const double = to === 'slack' ? slack : pagers[to];
    return double.requests().length >= calls.filter((call) => call.to === to).length;
  }

  function post(model: string, severity: string, endedAtMs: number | null): Promise<number> {
    const startedAtMs = started.get(model) ?? nowMs();
    started.set(model, startedAtMs);
    return deliver(model, severity, { startedAtMs, endedAtMs });
  }

  async function deliver(
    model: string,
    severity: string,
    times: { readonly startedAtMs: number; readonly endedAtMs: number | null },
  ): Promise<number> {
    const labels = labelsFrom([
      ['alertname', 'LLMHighTTFT'],
      ['severity', severity],
      ['cluster', 'prod-us'],
      ['model', model],
    ]);
    const alert = { labels, annotations: labelsFrom([]), ...times };
    const response = await fetch(`${url}/api/v1/alertmanager`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(webhookBody(labels, [alert])),
    });
    await response.arrayBuffer();
    await settle();
    return response.status;
  }
  const started = new Map<string, number>();

  return {
    app,
    url,
    clock,
    pagers,
    slack,
    fail(to, failure, times = Number.POSITIVE_INFINITY) {
      hanging.delete(to);
      if (failure.kind === 'hang') hanging.add(to);
      (to === 'slack' ? slack : pagers[to]).failNext(failure, times);
    },
    heal(to) {
      (to === 'slack' ? slack : pagers[to]).heal();
    },
    log: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>),
    fire: (model, severity = 'critical') => post(model, severity, null),
    end: (model) => post(model, 'critical', nowMs()),
    deliver: (model, times) => deliver(model, 'critical', times),
    async act(incidentId, act) {
      const response = await fetch(`${url}/api/v1/incidents/${incidentId}/${act}`, { method: 'POST' });
      expect(response.status).toBe(200);
      await response.arrayBuffer();
      await settle();
    },
    async pass(ms) {
      for (let left = ms; left > 0; left -= STEP_MS) {
        await clock.advance(Math.min(STEP_MS, left));
        await settle();
      }
    },
    stop,
    calls: () => calls,
    expectCalls(windows) {
      const rest = [...calls];
      const found = windows.map((window) => {
        const mine = rest.filter((call) => fits(call, window));
        for (const call of mine) rest.splice(rest.indexOf(call), 1);
        return { ...window, times: within(mine.length, window.times) };
      });
      expect(found).toEqual(windows);
      expect(rest.map(({ atMs, to, what, about, answer }) => ({ atMs, to, what, about, answer }))).toEqual(
        [],
      );
    },
    async story(incidentId) {
      const view = await app.readView(incidentId);
      return (view?.timeline ?? []).map((one) => `${one.kind}: ${one.text}`);
    },
    async get(path) {
      const response = await fetch(`${url}${path}`, { headers: { accept: 'text/html' } });
      return { status: response.status, text: await response.text() };
    },
  };
}

function fits(call: Call, window: Window): boolean {
  const isOk = call.to === 'slack' ? call.answer === 200 : call.answer === 202;
  return (
    call.to === window.to &&
    call.what === window.what &&
    isOk === window.ok &&
    (window.about === undefined || window.about === call.about) &&
    call.atMs >= window.from &&
    call.atMs <= window.until
  );
}

/** The wanted number where it is met, else the found one, so that a failure shows both. */
function within(found: number, wanted: Window['times']): Window['times'] {
  if (typeof wanted === 'number') return found;
  return found >= wanted[0] && found <= wanted[1] ? wanted : found;
}
