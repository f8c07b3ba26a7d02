/**
 * One run of a world: traffic, faults and interventions over a fleet, as a lazy sequence of snapshots. The same plan
 * gives the same snapshots. What went wrong is in the plan; nothing here looks at a metric.
 */

import { computeShare, rateAt, steadyState } from './capacity.js';
import { type Conditions, calmConditions } from './conditions.js';
import { fitTrace } from './fit-trace.js';
import { createGatewayCounters } from './gateway-counters.js';
import type { ScheduledIntervention } from './interventions.js';
import { type InjectedFault, levelAt, type MechanismContext, prepareFault } from './mechanisms.js';
import { createOperator } from './operator.js';
import { createRandom } from './random.js';
import { createRouter } from './router.js';
import type { ServedRequest } from './served-request.js';
import { servingConfigOf } from './serving-config.js';
import { createServingWorker, type ServingWorker, type WorkerEvents } from './serving-worker.js';
import { createSloMeter, type SloFacts } from './slo-facts.js';
import type { FleetSnapshot } from './snapshot.js';
import type { TraceArrival } from './trace.js';
import type { World } from './world.js';
import { CHAT, createWorldTraffic, demandOf, type WorldArrival } from './world-traffic.js';

export type RunPlan = {
  readonly seed: number;
  readonly world: World;
  /** Of all models together. */
  readonly workers: number;
  readonly durationMs: number;
  readonly sampleEveryMs: number;
  readonly faults: readonly InjectedFault[];
  readonly interventions: readonly ScheduledIntervention[];
  /** Recorded traffic instead of the world's own, played at the world's load. */
  readonly trace: readonly TraceArrival[] | null;
  /** Times the world's usual rate. */
  readonly loadFactor: number;
  /** What the watched model, the world's first, is called in this run. */
  readonly place: { readonly cluster: string; readonly namespace: string; readonly model: string };
  /** 0 to 1: where in its swing and in the trace the run begins. */
  readonly startPhase: number;
};

/** A snapshot with what callers of the watched model felt over the last minute. */
export type RunSnapshot = FleetSnapshot & { readonly slo: SloFacts };

/** Simulated before the first snapshot, so that a run starts in its steady state. */
const WARM_UP_MS = 120_000;
/** Faults and operators act in steps of this length. */
const TICK_MS = 1000;
/** Processes that never restarted are this old when a run begins. */
const AGE_MS = 6 * 3_600_000;

/** Plays a run. The first snapshot is at 0 ms, the last at `durationMs`. */
export function* simulateRun(plan: RunPlan): Generator<RunSnapshot, void, undefined> {
  const run = createRun(plan);
  for (let atMs = 0; atMs <= plan.durationMs; atMs += plan.sampleEveryMs) {
    run.advanceTo(atMs);
    yield run.snapshot();
  }
}

type Run = { readonly advanceTo: (atMs: number) => void; readonly snapshot: () => RunSnapshot };

function createRun(plan: RunPlan): Run {
  const { world, place } = plan;
  const models = world.models.map(({ name }, index) => (index === 0 ? place.model : name));
  const workersOf = split(
    plan.workers,
    world.models.map(({ worker_share: share }) => share),
  );
  const configs = world.models.map(({ step_factor: factor }) => servingConfigOf(world, factor));
  const config = configs[0] as (typeof configs)[number];
  const tenants = world.traffic.tenants.map(({ name }) => name);
  const gateway = createGatewayCounters(models);
  const slo = createSloMeter();
  const isWatched: boolean[] = [];
  const classes: (number | undefined)[] = [];
  let nowMs = 0;

  const events: WorkerEvents = {
    firstToken(request, seconds) {
      gateway.firstToken(request, seconds);
      if (isWatched[request.classIndex]) slo.firstToken(nowMs, seconds);
    },
    laterTokens(gap, byClass) {
      gateway.laterTokens(gap, byClass);
      let watched = 0;
      for (let index = 0; index < byClass.length; index += 1) {
        if (isWatched[index]) watched += byClass[index] as number;
      }
      if (watched > 0) slo.gap(nowMs, gap, watched);
    },
    finished(request, outcome, seconds) {
      gateway.finished(request, outcome, seconds);
      if (isWatched[request.classIndex]) slo.ended(nowMs, outcome.kind, seconds);
    },
  };

  const pools = workersOf.map((count, modelIndex) =>
    Array.from({ length: count }, (_, index) => {
      const before = workersOf.slice(0, modelIndex).reduce((sum, other) => sum + other, 0);
      return createServingWorker(
        `worker-${before + index}`,
        configs[modelIndex] ?? config,
        events,
        models[modelIndex],
      );
    }),
  );
  const watched = pools[0] as ServingWorker[];
  const everyone = () => [...pools.flat()];
  let all = everyone();

  const trace = plan.trace === null ? null : fitTrace(plan.trace, config);
  const { demand, outputQuantile } = demandOf(world, config, trace);
  const ratePerWorker = usualRate(plan, config, demand);
  const traffic = createWorldTraffic({
    world,
    seed: plan.seed,
    trace,
    ratePerWorker,
    workersOf,
    startPhase: plan.startPhase,
  });
  const random = createRandom(plan.seed, 'faults');
  const context: MechanismContext = {
    world,
    config,
    workers: watched.length,
    ratePerWorker,
    demand,
    outputQuantile,
    random,
  };
  const faults = plan.faults.map((fault) => {
    const lasting = fault.mechanism === 'recovered' && fault.endMs === null;
    const ended = lasting ? { ...fault, endMs: fault.atMs + fault.rampMs + 360_000 } : fault;
    return { fault: ended, effect: prepareFault(ended, context) };
  });
  const operator = createOperator({
    world,
    config,
    workers: watched,
    tenants,
    scheduled: [
      ...plan.interventions,
      ...plan.faults
        .filter(({ mechanism }) => mechanism === 'rolling_deploy')
        .map(({ atMs }) => ({ atMs, intervention: { kind: 'deploy' } as const })),
    ],
    addWorker(atMs) {
      const worker = createServingWorker(`worker-${all.length}`, config, events, models[0]);
      watched.push(worker);
      worker.boot(atMs, world.calibration.model_load_s * 1000);
      all = everyone();
    },
  });
  const spillAt = world.router.spill_at ?? Number.POSITIVE_INFINITY;
  const routers = pools.map((pool, index) =>
    createRouter(pool, (worker) => index === 0 && conditions.workers[worker]?.isDrained === true, spillAt),
  );

  let conditions: Conditions = calm();
  let nextTick = 0;
  let count = 0;
  /** How much of its life each process has used up where something makes it crash. */
  const worn: ({ done: number; readonly enough: number } | undefined)[] = [];
  const gone = new Set<number>();

  function calm(): Conditions {
    return calmConditions(config, watched.length, tenants.length, world.calibration.deadline_s * 1000);
  }

  function tick(): void {
    const runMs = nowMs - WARM_UP_MS;
    operator.tick(nowMs, runMs);
    conditions = calm();
    const incarnations = watched.map((worker) => worker.incarnation());
    for (const { fault, effect } of faults) {
      const level = operator.undoes(fault.mechanism) ? 0 : levelAt(fault, runMs);
      if (level > 0) effect(level, conditions, { sinceOnsetMs: runMs - fault.atMs, incarnations });
    }
    operator.apply(conditions);
    traffic.follow(conditions, nowMs);
    for (const [index, worker] of watched.entries()) strain(worker, index);
    for (const worker of all) worker.tick(nowMs);
  }

  function strain(worker: ServingWorker, index: number): void {
    const own = conditions.workers[index];
    if (own === undefined) return;
    Object.assign(worker.strain, {
      hostDelayMs: own.hostDelayMs,
      admissionsPerSecond: own.admissionsPerSecond,
      leakShare: own.leakShare,
      isDeadlocked: own.isDeadlocked,
      isHung: own.isHung,
      maxBatch: own.maxBatch,
      tokenBudget: own.tokenBudget,
      longPrefillCap: own.longPrefillCap,
      graphBatch: own.graphBatch,
      eagerMs: own.eagerMs,
    });
    const loadMs = world.calibration.model_load_s * 1000;
    if (own.isGone && !gone.has(index)) {
      worker.crash(nowMs, Number.POSITIVE_INFINITY, 'crash');
      gone.add(index);
    } else if (!own.isGone && gone.delete(index)) {
      worker.boot(nowMs, loadMs);
    }
    if (own.memoryBytesPerSecond > 0) {
      worker.growMemory((own.memoryBytesPerSecond * TICK_MS) / 1000, nowMs, loadMs);
    }
    const wear = worker.isUp() ? (worn[index] ?? { done: 0, enough: 0.6 + 0.8 * random.next() }) : undefined;
    worn[index] = wear;
    if (wear === undefined) return;
    wear.done += TICK_MS / own.crashEveryMs;
    if (wear.done < wear.enough) return;
    worn[index] = undefined;
    worker.crash(nowMs, own.crashDownMs, 'crash');
  }

  function classOf({ modelIndex, tenantIndex, endpoint, priority }: WorldArrival): number {
    const kind = (endpoint === CHAT ? 0 : 1) + (priority === 'high' ? 2 : 0);
    const key = (modelIndex * tenants.length + tenantIndex) * 4 + kind;
    const known = classes[key];
    if (known !== undefined) return known;
    const model = models[modelIndex] ?? '';
    const tenant = tenants.length > 1 ? (tenants[tenantIndex] ?? null) : null;
    const index = gateway.classOf({ model, endpoint, priority, tenant });
    classes[key] = index;
    isWatched[index] = modelIndex === 0;
    return index;
  }

  function dispatch(arrival: WorldArrival): void {
    const isOwn = arrival.modelIndex === 0;
    const { endpoint, priority } = arrival;
    const classIndex = classOf(arrival);
    count += 1;
    const request: ServedRequest = {
      id: count,
      arrivedMs: arrival.atMs,
      promptTokens: arrival.promptTokens,
      outputTokens: arrival.outputTokens,
      endpoint,
      priority,
      classIndex,
      prefixId: arrival.prefixId,
      prefixTokens: arrival.prefixTokens,
      deadlineMs: isOwn ? conditions.deadlineMs : world.calibration.deadline_s * 1000,
      isInvalid: arrival.isInvalid,
    };
    gateway.arrived(request);
    if (isOwn && operator.refuses(arrival)) {
      events.finished(request, { kind: 'refused' }, 0.002);
      return;
    }
    const router = routers[arrival.modelIndex];
    const pinned = isOwn && arrival.isPinned ? watched[conditions.pinnedWorker] : undefined;
    const takesPinned = pinned?.isUp() && conditions.workers[conditions.pinnedWorker]?.isDrained !== true;
    const worker = takesPinned
      ? pinned
      : router?.choose(arrival, isOwn ? operator.routerPolicy() : world.router.policy);
    if (worker === null || worker === undefined) {
      events.finished(request, { kind: 'error', errorType: 'crash' }, 0.01);
    } else if (isOwn && operator.isFull(worker)) {
      events.finished(request, { kind: 'refused' }, 0.002);
    } else {
      worker.accept(request, nowMs);
    }
  }

  /** Between arrivals each worker moves on its own: they meet only at the router. */
  function runWorkers(untilMs: number): void {
    for (const worker of all) {
      for (let at = worker.nextAtMs(); at <= untilMs; at = worker.nextAtMs()) {
        nowMs = at;
        worker.advance(at);
      }
    }
    nowMs = untilMs;
  }

  return {
    advanceTo(atMs) {
      const until = atMs + WARM_UP_MS;
      for (;;) {
        const next = Math.min(traffic.nextAtMs(), nextTick);
        if (next > until) break;
        runWorkers(next);
        if (nextTick <= next) {
          tick();
          nextTick += TICK_MS;
        } else {
          dispatch(traffic.take());
        }
      }
      runWorkers(until);
    },
    snapshot: () => ({
      simulatedMs: nowMs - WARM_UP_MS,
      scenario: world.name,
      place,
      workers: all.map((worker) => {
        const seen = worker.snapshot(nowMs);
        const startedMs = seen.restarts === 0 && seen.startedMs === 0 ? -AGE_MS : seen.startedMs - WARM_UP_MS;
        return { ...seen, startedMs };
      }),
      gateway: gateway.snapshot(),
      slo: slo.facts(nowMs, {
        eachUnanswered: (call) => {
          for (const worker of watched) worker.eachUnanswered(nowMs, call);
        },
        eachStall: (call) => {
          for (const worker of watched) {
            const { gapMs, requests } = worker.decodeStall(nowMs);
            if (requests > 0) call(gapMs, requests);
          }
        },
      }),
    }),
  };
}

/** Whole workers for each share. In a small fleet the watched model, the first, has them all. */
function split(workers: number, shares: readonly number[]): number[] {
  const total = shares.reduce((sum, share) => sum + share, 0);
  const counts = shares.map((share) => Math.floor((workers * share) / total));
  const others = counts.slice(1).reduce((sum, count) => sum + count, 0);
  counts[0] = Math.max(1, workers - others);
  return counts;
}

/** The rate that loads a worker as the world's own traffic would: a trace's requests ask for more or less each. */
function usualRate(
  { world, trace, loadFactor }: RunPlan,
  config: ReturnType<typeof servingConfigOf>,
  demand: MechanismContext['demand'],
): number {
  const rate = world.traffic.rate_per_worker_s * (world.models[0]?.rate_factor ?? 1) * loadFactor;
  if (trace === null) return rate;
  const own = steadyState(config, demandOf(world, config, null).demand(1, 1), rate);
  const mix = demand(1, 1);
  return Math.min(
    rateAt(config, mix, 'compute', Math.min(0.95, computeShare(own))),
    rateAt(config, mix, 'kv', Math.min(1, own.kvShare)),
    rateAt(config, mix, 'batch', Math.min(1, own.batchShare)),
  );
}
