/**
 * `wakewell demo`: a simulated fleet breaks by a mechanism, the alert takes its whole way, and the page is
 * shown as the on-call would get it. Real Prometheus and Alertmanager where installed, else in-process.
 */

import { type App, buildApp, systemClock } from '../app.js';
import { ALERTS } from '../catalog/alerts.js';
import { builtInEnginesDirectory, loadEngineFiles } from '../catalog/engine-file.js';
import { DEFAULT_THRESHOLDS } from '../catalog/thresholds.js';
import { readConfig } from '../config/config.js';
import { parsePublicId } from '../domain/incident.js';
import type { MetricsSource } from '../domain/metrics-source.js';
import { generateAlertRules } from '../generate/alert-rules.js';
import { alertmanagerConfig, prometheusConfig } from '../generate/peer-config.js';
import { createLogger } from '../log/logger.js';
import { findBinary, freePort, launchAlertmanager, launchPrometheus } from '../prometheus/launch.js';
import { renderPlainText } from '../render/plain-text.js';
import { startExporterServer } from '../simulator/exporter-server.js';
import { createFleet, type Fleet } from '../simulator/fleet.js';
import { createFleetRunner } from '../simulator/fleet-runner.js';
import { createRuleEvaluator } from '../simulator/rule-evaluator.js';
import { isScenarioName, SCENARIOS } from '../simulator/scenarios.js';
import { createSimulatedSource } from '../simulator/simulated-source.js';
import { PAGER_HOST, SLACK_HOST, standInFetch } from './demo-stand-ins.js';
import { CommandFailure, EXIT } from './exit-codes.js';

export type DemoOptions = {
  readonly scenario: string;
  readonly timeScale: string;
  readonly port: string;
  readonly stay: boolean;
  readonly inProcess: boolean;
};

/** Healthy for so long before it breaks, so that the difference shows. */
const HEALTHY_MS = 5000;
/** Broken for so long after the card was shown. */
const BROKEN_MS = 12_000;
const SCRAPE_MS = 1000;

/** Runs until the incident is resolved, or with `stay` until Ctrl-C. Returns the exit status. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const { scenario } = options;
  if (!isScenarioName(scenario)) {
    throw new CommandFailure(
      EXIT.noSuchThing,
      `no scenario is called "${scenario}" (known: ${Object.keys(SCENARIOS).join(', ')})`,
    );
  }
  const timeScale = Number(options.timeScale);
  if (!(timeScale >= 1)) throw new CommandFailure(EXIT.usage, '--time-scale takes a number from 1 on');

  const cleanups: (() => void | Promise<void>)[] = [];
  const ended = new Promise<'interrupted'>((end) => {
    process.once('SIGINT', () => end('interrupted'));
    process.once('SIGTERM', () => end('interrupted'));
  });
  try {
    return await play(scenario, timeScale, options, cleanups, ended);
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
    console.log('Stopped.');
  }
}

async function play(
  scenario: keyof typeof SCENARIOS,
  timeScale: number,
  options: DemoOptions,
  cleanups: (() => void | Promise<void>)[],
  ended: Promise<'interrupted'>,
): Promise<number> {
  const began = performance.now();
  const say = (text: string) => {
    const seconds = Math.round((performance.now() - began) / 1000);
    const clock = `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
    console.log(`${clock}  ${text.replaceAll('\n', '\n       ')}`);
  };
  const fleet = createFleet({ seed: 7 });
  const runner = createFleetRunner({ fleet, clock: systemClock, backfillMs: 60_000 });
  runner.start();
  cleanups.push(() => runner.stop());
  console.log(`8 simulated vLLM workers serve ${fleet.place.model} in ${fleet.place.cluster}.`);
  console.log(`Windows, "for" and holds are ${timeScale} times shorter than real.`);

  const port = await choosePort(Number(options.port));
  const path = process.env.PATH ?? '';
  const prometheus = options.inProcess ? null : findBinary(['prometheus'], path);
  const alertmanager = options.inProcess
    ? null
    : findBinary(['prometheus-alertmanager', 'alertmanager'], path);
  const real = prometheus !== null && alertmanager !== null;
  console.log(
    real
      ? 'Prometheus and Alertmanager are installed: the real ones are used.'
      : 'Prometheus and Alertmanager are not used: rules are evaluated in-process and sent to the same webhook.',
  );
  console.log('PagerDuty and Slack are stand-ins in this process: nothing leaves this machine.\n');

  const peers = real
    ? await startPeers({ fleet, timeScale, port, prometheus, alertmanager, cleanups })
    : {
        url: null,
        source: createSimulatedSource({ history: runner.history, place: fleet.place, timeScale }),
      };

  const story = createStory(say, (id) => app.readView(id));
  const app = await startService({ port, timeScale, peers, fetch: standInFetch(story.events) });
  cleanups.push(() => app.stop());
  const url = `http://127.0.0.1:${port}`;
  if (!real && peers.source !== undefined) {
    const evaluator = createRuleEvaluator({
      source: peers.source,
      alerts: ALERTS,
      thresholds: DEFAULT_THRESHOLDS,
      scope: fleet.place,
      clock: systemClock,
      timeScale,
      deliver: (body) => post(`${url}/api/v1/alertmanager`, body),
    });
    evaluator.start();
    cleanups.push(() => evaluator.stop());
  }
  say(`The fleet is healthy. Pages: ${url}/incidents and ${url}/outbox`);
  if ((await race(wait(HEALTHY_MS), ended)) === 'interrupted') return EXIT.fine;
  fleet.setScenario(scenario);
  say(`${scenario} begins. ${SCENARIOS[scenario].description}`);
  if (SCENARIOS[scenario].expected.alertNames.length === 0) {
    say('No alert is expected. Ctrl-C ends the demo.');
    await ended;
    return EXIT.fine;
  }

  if ((await race(story.shown, ended)) === 'interrupted') return EXIT.fine;
  if ((await race(wait(BROKEN_MS), ended)) === 'interrupted') return EXIT.fine;
  fleet.setScenario('healthy');
  say('The traffic returns to normal: the fleet recovers.');
  if ((await race(story.resolved, ended)) === 'interrupted') return EXIT.fine;
  if (options.stay) {
    say(`The incident stays at ${url}/incidents until Ctrl-C.`);
    await ended;
  }
  return EXIT.fine;
}

type Peers = { readonly url: string | null; readonly source?: MetricsSource };

async function startPeers(options: {
  readonly fleet: Fleet;
  readonly timeScale: number;
  readonly port: number;
  readonly prometheus: string;
  readonly alertmanager: string;
  readonly cleanups: (() => void | Promise<void>)[];
}): Promise<Peers> {
  const { fleet, timeScale, cleanups } = options;
  const exporter = await startExporterServer({ fleet, port: 0, dialect: 'vllm' });
  cleanups.push(() => exporter.close());
  const alertmanager = await launchAlertmanager({
    binary: options.alertmanager,
    configYaml: alertmanagerConfig({
      webhookUrl: `http://127.0.0.1:${options.port}/api/v1/alertmanager`,
      groupWaitMs: Math.round(30_000 / timeScale),
      groupIntervalMs: Math.round(300_000 / timeScale),
      repeatIntervalMs: Math.round(14_400_000 / timeScale),
    }),
  });
  cleanups.push(() => alertmanager.close());
  const prometheus = await launchPrometheus({
    binary: options.prometheus,
    configYaml: prometheusConfig({
      targets: exporter.targets,
      rulesFile: 'rules.yml',
      alertmanagerAddress: new URL(alertmanager.url).host,
      scrapeIntervalMs: SCRAPE_MS,
      evaluationIntervalMs: SCRAPE_MS,
    }),
    files: {
      'rules.yml': generateAlertRules({
        alerts: ALERTS,
        // The names that the exporter serves: its engines', and the canonical ones of its GPUs.
        engines: loadEngineFiles(builtInEnginesDirectory()).filter(({ engine }) =>
          ['vllm', 'llm'].includes(engine),
        ),
        thresholds: DEFAULT_THRESHOLDS,
        timeScale,
        publicUrl: `http://127.0.0.1:${options.port}`,
      }),
    },
  });
  cleanups.push(() => prometheus.close());
  return { url: prometheus.url };
}

async function startService(options: {
  readonly port: number;
  readonly timeScale: number;
  readonly peers: Peers;
  readonly fetch: typeof globalThis.fetch;
}): Promise<App> {
  const read = readConfig({
    yamlText: JSON.stringify({
      port: options.port,
      database_url: 'file::memory:',
      time_scale: options.timeScale,
      ...(options.peers.url === null ? {} : { prometheus: { url: options.peers.url } }),
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
    ...(options.peers.source === undefined ? {} : { source: options.peers.source }),
  });
  await app.start();
  return app;
}

/** Turns what the stand-ins receive into lines on the terminal, and tells when the story goes on. */
function createStory(say: (text: string) => void, readView: App['readView']) {
  let cardShown: () => void = () => {};
  let over: () => void = () => {};
  const shown = new Promise<void>((done) => {
    cardShown = done;
  });
  const resolved = new Promise<void>((done) => {
    over = done;
  });
  let last = '';
  let awake = false;
  return {
    shown,
    resolved,
    events: {
      paged(summary: string) {
        awake = true;
        say(`PAGED  ${summary}`);
      },
      pageChanged(action: string) {
        say(`The page is ${action === 'resolve' ? 'resolved' : 'acknowledged'} at the pager.`);
        if (action === 'resolve') over();
      },
      reply: (text: string) => say(`in the thread: ${text}`),
      card(incident: string, posted: boolean) {
        const id = parsePublicId(incident);
        if (id === null) return;
        void readView(id).then((view) => {
          if (view === null) return;
          const text = renderPlainText(view, { publicUrl: null });
          if (posted || view.incident.state !== last) say(`${posted ? 'CARD' : 'CARD, updated'}\n${text}\n`);
          last = view.incident.state;
          if (view.diagnosis !== null) cardShown();
          // A pager hears of the resolve only after the hold, in case the alert fires again.
          if (view.incident.state === 'resolved' && !awake) over();
        });
      },
    },
  };
}

async function post(url: string, body: unknown): Promise<boolean> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return response.ok;
}

/** The wanted port when it is free, else any. */
async function choosePort(wanted: number): Promise<number> {
  const taken = await fetch(`http://127.0.0.1:${wanted}/healthz`, { signal: AbortSignal.timeout(500) }).then(
    () => true,
    () => false,
  );
  return taken ? freePort() : wanted;
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function race(what: Promise<unknown>, ended: Promise<'interrupted'>): Promise<'interrupted' | 'went on'> {
  return Promise.race([what.then(() => 'went on' as const), ended]);
}
