/**
 * A fleet of workers behind a router, as a discrete-event simulation: the same seed and the same calls
 * give the same snapshots. It knows no real time; fleet-runner.ts ties it to a clock.
 */

import { createGatewayCounters } from './gateway-counters.js';
import { createRandom } from './random.js';
import { DEFAULT_SCOPE, SCENARIOS, type Scenario, type ScenarioName } from './scenarios.js';
import { DEFAULT_SERVING, type ServingConfig } from './serving-config.js';
import { createServingWorker, type ServingWorker } from './serving-worker.js';
import type { FleetSnapshot } from './snapshot.js';
import type { TraceArrival } from './trace.js';
import { type Arrival, createTraffic } from './traffic.js';

export type FleetOptions = {
  readonly seed: number;
  readonly workers?: number;
  readonly cluster?: string;
  readonly namespace?: string;
  readonly model?: string;
  readonly worker?: Partial<ServingConfig>;
  /** Recorded traffic instead of Poisson arrivals. */
  readonly trace?: readonly TraceArrival[];
  /** Simulated before the fleet is handed out, so that it starts in its steady state. Default 40 s. */
  readonly warmUpMs?: number;
};

export type Fleet = {
  /** Lets `ms` of simulated time pass. */
  readonly advance: (ms: number) => void;
  readonly snapshot: () => FleetSnapshot;
  readonly setScenario: (name: ScenarioName) => void;
  readonly scenario: () => ScenarioName;
  readonly place: FleetSnapshot['place'];
  readonly workerNames: readonly string[];
};

const DEFAULT_WARM_UP_MS = 40_000;

export function createFleet(options: FleetOptions): Fleet {
  const place = {
    cluster: options.cluster ?? DEFAULT_SCOPE.cluster,
    namespace: options.namespace ?? DEFAULT_SCOPE.namespace,
    model: options.model ?? DEFAULT_SCOPE.model,
  };
  const random = createRandom(options.seed, 'traffic');
  const traffic = createTraffic(random, options.trace ?? null);
  const gateway = createGatewayCounters([place.model]);
  const config = { ...DEFAULT_SERVING, ...options.worker };
  const workers = Array.from({ length: options.workers ?? 8 }, (_, index) =>
    createServingWorker(`worker-${index}`, config, gateway, place.model),
  );
  let nowMs = 0;
  let name: ScenarioName = 'healthy';
  let scenario: Scenario = SCENARIOS.healthy;
  let nextFaultAt = Number.POSITIVE_INFINITY;
  let faultCount = 0;
  let turn = 0;

  /** Least loaded; ties go round, or the first worker would get every burst. */
  function leastLoaded(): ServingWorker | null {
    turn += 1;
    let best: ServingWorker | null = null;
    for (let step = 0; step < workers.length; step += 1) {
      const worker = workers[(turn + step) % workers.length];
      if (worker === undefined || !worker.isUp()) continue;
      if (best === null || worker.load() < best.load()) best = worker;
    }
    return best;
  }

  function choose(arrival: Arrival): ServingWorker | null {
    const { affinity } = scenario;
    if (arrival.isPinned && affinity !== null) {
      const pinned = workers[affinity.worker % workers.length];
      if (pinned?.isUp() && pinned.load() < affinity.spillAt) return pinned;
    }
    return leastLoaded();
  }

  function dispatch(arrival: Arrival): void {
    const { endpoint, priority } = arrival.request;
    const classIndex = gateway.classOf({ model: place.model, endpoint, priority, tenant: null });
    const request = { ...arrival.request, classIndex };
    gateway.arrived(request);
    const worker = choose(arrival);
    if (worker === null) gateway.finished(request, { kind: 'error', errorType: 'crash' }, 0.01);
    else worker.accept(request, nowMs);
  }

  function strike(): void {
    const { faults } = scenario;
    if (faults === null) return;
    const victim = workers[(faults.workers[faultCount % faults.workers.length] ?? 0) % workers.length];
    if (victim?.isUp()) victim.crash(nowMs, faults.downMs, faults.errorType);
    faultCount += 1;
    nextFaultAt = nowMs + faults.everyMs;
  }

  function advance(ms: number): void {
    const until = nowMs + ms;
    for (;;) {
      let due: ServingWorker | null = null;
      let at = Math.min(traffic.nextAtMs(), nextFaultAt);
      for (const worker of workers) {
        if (worker.nextAtMs() >= at) continue;
        at = worker.nextAtMs();
        due = worker;
      }
      if (at > until) break;
      nowMs = at;
      if (due !== null) due.advance(nowMs);
      else if (at === nextFaultAt) strike();
      else dispatch(traffic.take());
    }
    nowMs = until;
  }

  advance(options.warmUpMs ?? DEFAULT_WARM_UP_MS);
  return {
    advance,
    snapshot: () => ({
      simulatedMs: nowMs,
      scenario: name,
      place,
      workers: workers.map((worker) => worker.snapshot(nowMs)),
      gateway: gateway.snapshot(),
    }),
    setScenario(next) {
      const wasStrained = name !== 'healthy';
      name = next;
      scenario = SCENARIOS[next];
      traffic.follow(scenario, nowMs);
      faultCount = 0;
      nextFaultAt = scenario.faults === null ? Number.POSITIVE_INFINITY : nowMs + 1000;
      for (const worker of workers) {
        worker.strain.hostDelayMs = scenario.hostDelayMs;
        // Back to healthy is what an operator does: drop the backlog, cut what still generates.
        if (next === 'healthy' && wasStrained) worker.shed(nowMs);
      }
    },
    scenario: () => name,
    place,
    workerNames: workers.map((worker) => worker.name),
  };
}
