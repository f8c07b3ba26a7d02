import type { Conditions } from './conditions.js';
import {
  applyOperator,
  type EngineFlags,
  type Intervention,
  openGateway,
  type ScheduledIntervention,
} from './interventions.js';
import type { Mechanism } from './mechanism-names.js';
import { createRollingRestart, DRAIN_MS, type RollingRestart } from './rolling-restart.js';
import type { RouterPolicy } from './router.js';
import type { ServingConfig } from './serving-config.js';
import type { ServingWorker } from './serving-worker.js';
import { createSurgeRollout } from './surge-rollout.js';
import type { World } from './world.js';

/** What an earlier version or configuration did not have. */
const ROLLED_OUT: readonly Mechanism[] = ['decode_batch', 'errors_timeout', 'kv_leak', 'gpu_oom'];
/** Requests that stand for the traffic when long ones are to go first. */
const RECENT = 400;
/** What stays with the host and the GPU when a worker is replaced. */
const OF_THE_HOST = { hostDelayMs: 0, admissionsPerSecond: Number.POSITIVE_INFINITY, isGone: false } as const;

type Arrival = {
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly tenantIndex: number;
  readonly isInvalid: boolean;
};

export type Operator = {
  /** Does what is due; `runMs` is the time of the run, which interventions are scheduled in. */
  readonly tick: (nowMs: number, runMs: number) => void;
  readonly apply: (conditions: Conditions) => void;
  /** Whether a rollback has taken the mechanism away. */
  readonly undoes: (mechanism: Mechanism) => boolean;
  readonly routerPolicy: () => RouterPolicy;
  readonly refuses: (arrival: Arrival) => boolean;
  readonly isFull: (worker: ServingWorker) => boolean;
};

/** Carries out the interventions of a run on the workers of the watched model. */
export function createOperator(options: {
  readonly world: World;
  readonly config: ServingConfig;
  /** Grows when workers are added. */
  readonly workers: readonly ServingWorker[];
  readonly tenants: readonly string[];
  readonly scheduled: readonly ScheduledIntervention[];
  readonly addWorker: (nowMs: number) => void;
}): Operator {
  const { world, config, workers, tenants } = options;
  const loadMs = world.calibration.model_load_s * 1000;
  const gateway = openGateway(world.router.policy);
  const flags: (EngineFlags | undefined)[] = [];
  const replaced = new Set<number>();
  const pending = [...options.scheduled].sort((a, b) => a.atMs - b.atMs);
  /** Workers that a deploy took away. */
  const retired = new Set<number>();
  let rollouts: { readonly restart: RollingRestart; readonly done: () => void }[] = [];
  let isRolledBack = false;
  let shedDebt = 0;
  const recent: number[] = [];
  const byTenant = tenants.map(() => 0);

  function worst(): number {
    let index = 0;
    for (const [other, worker] of workers.entries()) {
      const best = workers[index];
      if (best !== undefined && worker.isUp() && worker.waiting() > best.waiting()) index = other;
    }
    return index;
  }

  function roll(
    order: readonly number[],
    drainMs: number,
    started: (index: number) => void,
    done = () => {},
  ) {
    rollouts.push({ restart: createRollingRestart(workers, order, loadMs, drainMs, started), done });
  }

  function setFlags(change: EngineFlags, restart: boolean): void {
    const put = (index: number) => {
      flags[index] = { ...flags[index], ...change };
    };
    const order = workers.map((_, index) => index);
    if (restart) roll(order, DRAIN_MS, put);
    else for (const index of order) put(index);
  }

  function begin(what: Intervention, nowMs: number, current: Conditions | null): void {
    switch (what.kind) {
      case 'cap_context':
        gateway.capTokens = what.tokens;
        return;
      case 'limit_admission':
        gateway.maxQueuedPerWorker = what.maxQueuedPerWorker;
        return;
      case 'halve_batch': {
        const now = current?.workers[0]?.maxBatch ?? config.maxBatch;
        setFlags({ maxBatch: Math.max(1, Math.floor(now / 2)) }, what.restart);
        return;
      }
      case 'set_batch':
        setFlags({ maxBatch: Math.max(1, what.maxBatch) }, what.restart);
        return;
      case 'set_token_budget':
        setFlags({ tokenBudget: Math.max(1, what.tokens) }, what.restart);
        return;
      case 'cap_long_prefill':
        setFlags({ longPrefillCap: Math.max(1, what.tokens) }, what.restart);
        return;
      case 'shed':
        gateway.shedShare = what.share;
        gateway.shedsLongFirst = what.which === 'long_first';
        return;
      case 'add_workers':
        for (let index = 0; index < what.count; index += 1) options.addWorker(nowMs);
        return;
      case 'restart_worker':
        roll([what.worker ?? worst()], 0, () => undefined);
        return;
      case 'restart_all':
        roll(
          workers.map((_, index) => index),
          DRAIN_MS,
          () => undefined,
        );
        return;
      case 'deploy': {
        const restart = createSurgeRollout(workers, options.addWorker, (index) => retired.add(index));
        rollouts.push({ restart, done: () => undefined });
        return;
      }
      case 'replace_worker':
        roll([what.worker ?? worst()], 0, (index) => replaced.add(index));
        return;
      case 'reroute':
        gateway.policy = 'least_loaded';
        gateway.ignoresPins = true;
        if (what.drain !== null) gateway.drained.add(what.drain);
        return;
      case 'raise_timeout':
        gateway.deadlineFactor = what.factor;
        return;
      case 'block_tenant': {
        const most = byTenant.indexOf(Math.max(...byTenant));
        gateway.blockedTenants.add(what.tenant === null ? most : tenants.indexOf(what.tenant));
        return;
      }
      case 'validate_input':
        gateway.validatesInput = true;
        return;
      case 'rollback': {
        const done = () => {
          isRolledBack = true;
        };
        if (!what.restart) {
          done();
          return;
        }
        roll(
          workers.map((_, index) => index),
          DRAIN_MS,
          () => undefined,
          done,
        );
        return;
      }
      default:
        throw new Error(`no such intervention: ${JSON.stringify(what satisfies never)}`);
    }
  }

  let latest: Conditions | null = null;

  /** The share asked for, spread evenly; with the long ones first, those above the share's own quantile. */
  function isShed({ promptTokens, outputTokens }: Arrival): boolean {
    if (gateway.shedShare <= 0) return false;
    if (gateway.shedsLongFirst && recent.length >= RECENT / 4) {
      const sorted = [...recent].sort((a, b) => a - b);
      const edge = sorted[Math.floor((1 - gateway.shedShare) * sorted.length)] ?? Number.POSITIVE_INFINITY;
      return promptTokens + outputTokens > edge;
    }
    shedDebt += gateway.shedShare;
    if (shedDebt < 1) return false;
    shedDebt -= 1;
    return true;
  }

  return {
    tick(nowMs, runMs) {
      while (pending.length > 0 && (pending[0]?.atMs ?? 0) <= runMs) {
        const next = pending.shift();
        if (next !== undefined) begin(next.intervention, nowMs, latest);
      }
      rollouts = rollouts.filter(({ restart, done }) => {
        const isOver = restart.tick(nowMs);
        if (isOver) done();
        return !isOver;
      });
      for (let index = 0; index < byTenant.length; index += 1)
        byTenant[index] = (byTenant[index] as number) * 0.98;
    },
    apply(conditions) {
      applyOperator(conditions, gateway, flags);
      for (const index of replaced) Object.assign(conditions.workers[index] ?? {}, OF_THE_HOST);
      for (const [index, own] of conditions.workers.entries()) {
        if (retired.has(index)) own.isGone = true;
        if (rollouts.some(({ restart }) => restart.drains(index))) own.isDrained = true;
      }
      latest = conditions;
    },
    undoes: (mechanism) => isRolledBack && ROLLED_OUT.includes(mechanism),
    routerPolicy: () => gateway.policy,
    refuses(arrival) {
      recent.push(arrival.promptTokens + arrival.outputTokens);
      if (recent.length > RECENT) recent.shift();
      byTenant[arrival.tenantIndex] = (byTenant[arrival.tenantIndex] ?? 0) + 1;
      return (
        arrival.promptTokens > gateway.capTokens ||
        gateway.blockedTenants.has(arrival.tenantIndex) ||
        (gateway.validatesInput && arrival.isInvalid) ||
        isShed(arrival)
      );
    },
    isFull: (worker) => worker.waiting() >= gateway.maxQueuedPerWorker,
  };
}
