/**
 * `wakewell demo`: a simulated fleet breaks by a mechanism, the alert takes its whole way, and the page is
 * shown as the on-call would get it. Real Prometheus and Alertmanager where installed, else in-process.
 */

import { systemClock } from '../app.js';
import { ALERTS } from '../catalog/alerts.js';
import { DEFAULT_THRESHOLDS } from '../catalog/thresholds.js';
import { findBinary, freePort, isFree } from '../prometheus/launch.js';
import { createFleet } from '../simulator/fleet.js';
import { createFleetRunner } from '../simulator/fleet-runner.js';
import { createRuleEvaluator } from '../simulator/rule-evaluator.js';
import { isScenarioName, SCENARIOS } from '../simulator/scenarios.js';
import { createSimulatedSource } from '../simulator/simulated-source.js';
import { startPeers } from './demo-peers.js';
import { type DemoMetrics, startService } from './demo-service.js';
import { standInFetch } from './demo-stand-ins.js';
import { createStory, createTeller } from './demo-story.js';
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
  const say = createTeller();
  const fleet = createFleet({ seed: 7 });
  const runner = createFleetRunner({ fleet, clock: systemClock, backfillMs: 60_000 });
  runner.start();
  cleanups.push(() => runner.stop());
  console.log(`8 simulated vLLM workers serve ${fleet.place.model} in ${fleet.place.cluster}.`);
  console.log(`Windows, "for" and holds are ${timeScale} times shorter than real.`);

  const wanted = Number(options.port);
  const port = wanted > 0 && (await isFree(wanted)) ? wanted : await freePort();
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

  const metrics: DemoMetrics = real
    ? { url: await startPeers({ fleet, timeScale, port, prometheus, alertmanager, cleanups }) }
    : { source: createSimulatedSource({ history: runner.history, place: fleet.place, timeScale }) };

  const story = createStory(say, (id) => app.readView(id));
  const app = await startService({ port, timeScale, metrics, fetch: standInFetch(story.events) });
  cleanups.push(() => app.stop());
  const url = `http://127.0.0.1:${port}`;
  if ('source' in metrics) {
    const evaluator = createRuleEvaluator({
      source: metrics.source,
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
  } else {
    say('To look around in the pages next time: npm run demo -- --stay');
  }
  return EXIT.fine;
}

async function post(url: string, body: unknown): Promise<boolean> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return response.ok;
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function race(what: Promise<unknown>, ended: Promise<'interrupted'>): Promise<'interrupted' | 'went on'> {
  return Promise.race([what.then(() => 'went on' as const), ended]);
}
