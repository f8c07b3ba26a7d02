/**
 * The faults, each as what happens and never as what is measured. A mechanism is sized for the world it strikes ("so
 * much more than the cache holds"), once, when the run begins; each second it then changes the run's conditions
 * according to its level, which rises from 0 to 1 over its ramp and is 0 again after its end.
 */

import {
  bisect,
  capacityOf,
  computeShare,
  FULL_LOAD,
  type MixDemand,
  rateAt,
  steadyState,
} from './capacity.js';
import type { Conditions } from './conditions.js';
import type { Mechanism } from './mechanism-names.js';
import type { Random } from './random.js';
import type { ServingConfig } from './serving-config.js';
import type { World } from './world.js';

export type InjectedFault = {
  readonly mechanism: Mechanism;
  readonly atMs: number;
  readonly rampMs: number;
  /** Null: it lasts. */
  readonly endMs: number | null;
  /** 0 to 1, between the ends of the mechanism's effect. */
  readonly severity: number;
  /** Index of the worker that it strikes, where it strikes one; drawn from the seed when absent. */
  readonly worker?: number | undefined;
};

export type MechanismContext = {
  readonly world: World;
  readonly config: ServingConfig;
  /** Workers of the watched model. */
  readonly workers: number;
  /** Requests a second to each when nothing is wrong. */
  readonly ratePerWorker: number;
  /** The traffic's demand with its lengths stretched. */
  readonly demand: (promptScale: number, outputScale: number) => MixDemand;
  /** Output tokens that this share of the usual requests stays below. */
  readonly outputQuantile: (share: number) => number;
  readonly random: Random;
};

export type Moment = {
  readonly sinceOnsetMs: number;
  /** How often each worker has started: what a restart cures is cured. */
  readonly incarnations: readonly number[];
};

/** Changes the conditions; `level` from 0 to 1. */
export type Effect = (level: number, conditions: Conditions, moment: Moment) => void;

type Definition = {
  readonly says: string;
  /** The unit of `effect`, and its ends at severity 0 and 1 when the world says nothing. */
  readonly unit: string;
  readonly effect: readonly [number, number];
  readonly prepare: (effect: number, fault: InjectedFault, context: MechanismContext) => Effect;
};

/** The others keep some traffic, or nothing would show that they could serve it. */
const MOST_PINNED = 0.85;

const nothing: Effect = () => undefined;
/** From 1 to `factor` as the level rises. */
const grown = (factor: number, level: number) => 1 + (factor - 1) * level;

export const MECHANISM_DEFINITIONS: Readonly<Record<Mechanism, Definition>> = {
  healthy: { says: 'Nothing is wrong.', unit: 'none', effect: [0, 0], prepare: () => nothing },
  kv_load: {
    says: 'More requests of the usual kind than the KV cache holds.',
    unit: 'traffic, times what fills the cache',
    effect: [1.04, 1.5],
    prepare: (effect, _, context) => {
      const { output } = kvBound(context);
      const mix = context.demand(1, output);
      const rate = (rateAt(context.config, mix, 'kv') * effect) / context.ratePerWorker;
      return (level, conditions) => {
        conditions.rate *= grown(Math.max(1, rate), level);
        conditions.outputScale *= grown(output, level);
      };
    },
  },
  kv_long_prompts: {
    says: 'The usual number of requests, with prompts and answers so long that the KV cache fills.',
    unit: 'demand for cache, times what there is',
    effect: [1.04, 1.5],
    prepare: (effect, _, context) => {
      const { prompt, output } = longerUntilFull(context, effect);
      return (level, conditions) => {
        conditions.promptScale *= grown(prompt, level);
        conditions.outputScale *= grown(output, level);
      };
    },
  },
  kv_leak: {
    says: 'Finished requests do not give all their blocks back.',
    unit: 'share of the cache lost in a minute, at the usual traffic',
    effect: [0.03, 0.15],
    prepare: (effect, { worker }, context) => {
      const { config, ratePerWorker } = context;
      const mix = context.demand(1, 1);
      const blocksPerSecond = (ratePerWorker * (mix.contextTokens + mix.outputTokens / 2)) / config.blockSize;
      const share = Math.min(0.9, (config.blocks * effect) / 60 / blocksPerSecond);
      return (level, { workers }) => {
        for (const [index, own] of workers.entries()) {
          if (worker === undefined || worker === index)
            own.leakShare = Math.max(own.leakShare, share * level);
        }
      };
    },
  },
  long_prefill: {
    says: 'A few huge prompts occupy the prefill of their workers; the cache has room.',
    unit: "share of the workers' time spent on them",
    effect: [0.15, 0.35],
    prepare: (effect, _, context) => {
      const { config, ratePerWorker, workers } = context;
      // Two at once must leave the cache well below full.
      const tokens = Math.min(config.contextMax * 0.85, config.blocks * config.blockSize * 0.16);
      const steps = tokens / Math.min(config.tokenBudget, config.longPrefillCap);
      const each =
        tokens * (config.prefillMsPerToken + (config.prefillMsPerTokenPer1kContext * tokens) / 2 / 1000) +
        steps * (config.baseMs + config.hostMs);
      const usual = computeShare(steadyState(config, context.demand(1, 1), ratePerWorker));
      // The callers' own load is what the huge prompts leave room for: few, or compute would be short for all.
      const room = Math.max(0.05, (0.6 - effect) / Math.max(usual, 1e-6));
      return (level, conditions) => {
        conditions.rate *= grown(Math.min(1, room), level);
        const ratePerSecond = (effect * level * workers * 1000) / each;
        conditions.documents = { ratePerSecond, tokens, outputTokens: 40 };
      };
    },
  },
  hot_worker: {
    says: 'The router sends one worker more than it can serve while the others have room.',
    unit: "that worker's traffic, times its capacity",
    effect: [1.15, 2],
    prepare: (effect, fault, context) => {
      const target = targetOf(fault, context);
      const capacity = capacityOf(context.config, context.demand(1, 1)).rate;
      const total = context.ratePerWorker * context.workers;
      // Where all of the traffic would not drown one worker, it grows as well.
      const rate = Math.max(1, (capacity * effect) / (total * MOST_PINNED));
      const share = (capacity * effect) / (total * rate);
      return (level, conditions) => {
        conditions.rate *= grown(rate, level);
        conditions.pinnedShare = Math.max(conditions.pinnedShare, share * level);
        conditions.pinnedWorker = target;
      };
    },
  },
  decode_batch: {
    says: 'A larger batch was rolled out than the decode kernels are captured for, and traffic fills it.',
    unit: 'ms of one decode step',
    effect: [95, 190],
    prepare: decodeBatch,
  },
  gpu_starved: {
    says: 'The host is too slow to feed the GPU: each step waits for it, and requests are taken in too slowly.',
    unit: 'traffic, times what the host takes in',
    effect: [1.15, 2.2],
    prepare: (effect, _, context) => {
      const { config, ratePerWorker } = context;
      const mix = context.demand(1, 1);
      const usual = steadyState(config, mix, ratePerWorker);
      const gpuMs = usual.stepMs - config.hostMs;
      const taken = ratePerWorker / effect;
      // As slow as the cache and the batch allow at what is still taken in: the queue is before them, not in them.
      const room = bisect(gpuMs * 0.5, gpuMs * 8, (extra) => {
        const state = steadyState(config, mix, taken, extra);
        return state.kvShare > 0.6 || state.batchShare > 0.7;
      });
      const delay = Math.min(room, gpuMs * (1.5 + effect));
      return (level, { workers }) => {
        for (const own of workers) {
          own.hostDelayMs += delay * level;
          own.admissionsPerSecond = Math.min(own.admissionsPerSecond, taken / Math.max(level, 1e-3));
        }
      };
    },
  },
  wedged: {
    says: 'Engines make no progress and answer their health check: a scheduler that admits nothing, or a collective that never returns.',
    unit: 'share of the workers, one at least',
    effect: [0, 0.6],
    prepare: (effect, fault, context) => {
      const struck = strikes(effect, fault, context);
      const hangs = context.random.next() < 0.4;
      let known: readonly number[] | null = null;
      return (level, { workers }, { incarnations }) => {
        if (level <= 0) return;
        known ??= incarnations;
        for (const index of struck) {
          const own = workers[index];
          // A restart is the cure, and it does not come back.
          if (own === undefined || incarnations[index] !== known[index]) continue;
          if (hangs) own.isHung = true;
          else own.isDeadlocked = true;
        }
      };
    },
  },
  worker_lost: {
    says: 'Workers are gone and nothing brings them back: a node or its GPU died.',
    unit: 'share of the workers, one at least',
    effect: [0.1, 0.5],
    prepare: (effect, fault, context) => {
      const struck = strikes(effect, fault, context);
      return (level, { workers }) => {
        if (level <= 0) return;
        for (const index of struck) (workers[index] ?? { isGone: true }).isGone = true;
      };
    },
  },
  worker_restarting: {
    says: 'A worker crashes soon after each start.',
    unit: 'seconds it stays up',
    effect: [150, 20],
    prepare: (effect, fault, context) => {
      const struck = strikes(0.15, fault, context);
      let known: readonly number[] | null = null;
      return (level, { workers }, { incarnations }) => {
        if (level <= 0) return;
        known ??= incarnations;
        for (const index of struck) {
          const own = workers[index];
          if (own === undefined) continue;
          own.crashEveryMs = effect * 1000;
          // The kubelet waits 10 s after the first crash, twice as long after each, five minutes at most.
          const crashes = (incarnations[index] ?? 0) - (known[index] ?? 0);
          const backOffMs = Math.min(300_000, 10_000 * 2 ** crashes);
          own.crashDownMs = context.world.calibration.model_load_s * 1000 + backOffMs;
        }
      };
    },
  },
  gpu_oom: {
    says: 'Something takes GPU memory and does not give it back, until the engine dies for want of it.',
    unit: 'seconds from a start to exhaustion',
    effect: [420, 120],
    prepare: (effect, fault, context) => {
      const { config } = context;
      const struck = strikes(fault.severity > 0.5 ? 0.5 : 0.2, fault, context);
      const spare = config.gpuMemoryBytes * (1 - config.gpuMemoryShare);
      return (level, { workers }) => {
        for (const index of struck) {
          const own = workers[index];
          if (own !== undefined) own.memoryBytesPerSecond += (spare / effect) * level;
        }
      };
    },
  },
  errors_input: {
    says: 'Callers send malformed requests that the tokeniser refuses.',
    unit: 'share of the requests',
    effect: [0.06, 0.35],
    prepare: (effect) => (level, conditions) => {
      conditions.invalidShare = Math.max(conditions.invalidShare, effect * level);
    },
  },
  errors_timeout: {
    says: 'The gateway gives requests less time than they need.',
    unit: 'share of the requests that need longer',
    effect: [0.07, 0.4],
    prepare: (effect, _, context) => {
      const deadlineMs = deadlineFor(effect, context);
      const usual = context.world.calibration.deadline_s * 1000;
      return (level, conditions) => {
        const now = usual * (deadlineMs / usual) ** level;
        if (level > 0) conditions.deadlineMs = Math.min(conditions.deadlineMs, now);
      };
    },
  },
  errors_crash: {
    says: 'Requests make engines crash, now one and now another; the supervisor starts them again at once.',
    unit: 'share of the requests that die with an engine',
    effect: [0.07, 0.25],
    prepare: (effect, _, context) => {
      const { config, ratePerWorker, world } = context;
      const restartMs = world.calibration.engine_restart_s * 1000;
      const held = Math.max(1, steadyState(config, context.demand(1, 1), ratePerWorker).running);
      // More often, and the workers left would be short of capacity: another fault.
      const everyMs = Math.max(restartMs * 3, (held / (ratePerWorker * effect)) * 1000);
      return (level, { workers }) => {
        if (level <= 0) return;
        for (const own of workers) {
          own.crashEveryMs = Math.min(own.crashEveryMs, everyMs / level);
          own.crashDownMs = restartMs;
        }
      };
    },
  },
  over_capacity: {
    says: 'More requests than the GPUs can compute; the KV cache is not what is short.',
    unit: 'traffic, times what can be computed',
    effect: [1.08, 1.6],
    prepare: (effect, _, context) => {
      const { output } = computeBound(context);
      const mix = context.demand(1, output);
      const capacity = Math.min(rateAt(context.config, mix, 'compute'), rateAt(context.config, mix, 'batch'));
      const rate = (capacity * effect) / context.ratePerWorker;
      return (level, conditions) => {
        conditions.rate *= grown(Math.max(1, rate), level);
        conditions.outputScale *= grown(output, level);
      };
    },
  },
  noisy_tenant: {
    says: 'One tenant of several sends so much that all of them suffer.',
    unit: 'traffic of all, times the capacity',
    effect: [1.1, 1.6],
    prepare: (effect, _, context) => {
      const { tenants } = context.world.traffic;
      const all = tenants.reduce((sum, { share }) => sum + share, 0);
      const least = tenants.reduce((small, one) => (one.share < small.share ? one : small));
      const index = tenants.indexOf(least);
      const share = least.share / all;
      const wanted = (capacityOf(context.config, context.demand(1, 1)).rate * effect) / context.ratePerWorker;
      const factor = 1 + Math.max(0, wanted - 1) / share;
      return (level, { tenantRate }) => {
        tenantRate[index] = (tenantRate[index] ?? 1) * grown(factor, level);
      };
    },
  },
  recovered: {
    says: 'More requests than can be served, for a while; it is over before anybody looks.',
    unit: 'traffic, times the capacity',
    effect: [1.3, 2],
    prepare: (effect, _, context) => {
      const rate = (capacityOf(context.config, context.demand(1, 1)).rate * effect) / context.ratePerWorker;
      return (level, conditions) => {
        conditions.rate *= grown(Math.max(1, rate), level);
      };
    },
  },
  traffic_peak: {
    says: 'The busy hour, within what the workers can serve.',
    unit: 'of the capacity',
    effect: [0.55, 0.68],
    prepare: (effect, _, context) => {
      const rate = (capacityOf(context.config, context.demand(1, 1)).rate * effect) / context.ratePerWorker;
      return (level, conditions) => {
        conditions.rate *= grown(Math.max(1, rate), level);
      };
    },
  },
  kv_high_fine: {
    says: 'The cache is well used by longer answers, and nobody waits for it.',
    unit: 'of the cache',
    effect: [0.6, 0.8],
    prepare: (effect, _, context) => {
      const { config, ratePerWorker } = context;
      const usualMs = steadyState(config, context.demand(1, 1), ratePerWorker).stepMs;
      const output = bisect(1, 20, (scale) => {
        const state = steadyState(config, context.demand(1, scale), ratePerWorker);
        // Well below what would make anybody wait, for a first token or between two.
        const isFelt = computeShare(state) >= 0.56 || state.stepMs > 1.3 * usualMs;
        return state.kvShare >= effect || isFelt || state.batchShare >= 0.85;
      });
      return (level, conditions) => {
        conditions.swing *= 0.3;
        conditions.outputScale *= grown(output, level);
      };
    },
  },
  rolling_deploy: {
    says: 'A deploy replaces the workers one by one, each new one loaded before an old one leaves.',
    unit: 'workers at once',
    effect: [1, 1],
    // The run's own rollout does it: it needs to see who is empty and who is back.
    prepare: () => nothing,
  },
};

/** The effect of a fault in this world, ready to be applied second by second. */
export function prepareFault(fault: InjectedFault, context: MechanismContext): Effect {
  const definition = MECHANISM_DEFINITIONS[fault.mechanism];
  const [low, high] = context.world.faults[fault.mechanism]?.effect ?? definition.effect;
  return definition.prepare(low + (high - low) * fault.severity, fault, context);
}

/** From 0 to 1: how far the fault has come. */
export function levelAt({ atMs, rampMs, endMs }: InjectedFault, nowMs: number): number {
  if (nowMs < atMs || (endMs !== null && nowMs >= endMs)) return 0;
  return rampMs <= 0 ? 1 : Math.min(1, (nowMs - atMs) / rampMs);
}

function targetOf({ worker }: InjectedFault, { workers, random }: MechanismContext): number {
  return worker === undefined ? Math.floor(random.next() * workers) : worker % workers;
}

/** The workers a fault strikes: the target first, as many as the share asks for. */
function strikes(share: number, fault: InjectedFault, context: MechanismContext): readonly number[] {
  const first = targetOf(fault, context);
  const count = Math.min(context.workers, Math.max(1, Math.round(share * context.workers)));
  return Array.from({ length: count }, (_, step) => (first + step) % context.workers);
}

/** Answers at which the cache is what fills first as traffic grows: as they are wherever that is so already. */
function kvBound({ config, demand }: MechanismContext): { readonly output: number } {
  const output = bisect(1, 12, (scale) => {
    const mix = demand(1, scale);
    const kv = rateAt(config, mix, 'kv');
    // The batch must have room left, and compute too, or they would be the bottleneck.
    const state = steadyState(config, mix, kv);
    return state.batchShare < 0.85 && computeShare(state) < 0.93;
  });
  return { output };
}

/** Answers so short that compute or the batch runs out while the cache has room. */
function computeBound({ config, demand }: MechanismContext): { readonly output: number } {
  const fits = (output: number) => {
    const mix = demand(1, output);
    const rate = Math.min(rateAt(config, mix, 'compute', 0.98), rateAt(config, mix, 'batch'));
    return steadyState(config, mix, rate).kvShare <= 0.6;
  };
  if (fits(1)) return { output: 1 };
  return { output: 1 - bisect(0, 0.98, (cut) => fits(1 - cut)) };
}

/** Longer prompts, and answers too where prompts alone would exhaust the compute first, until the cache is used to `share`. */
function longerUntilFull(
  { config, demand, ratePerWorker }: MechanismContext,
  share: number,
): { readonly prompt: number; readonly output: number } {
  let best = { prompt: 1, output: 1 };
  for (const together of [0, 0.35, 0.7, 1, 1.5, 2.2, 3]) {
    const scaled = (prompt: number) => demand(prompt, prompt ** together);
    const prompt = bisect(1, 60, (scale) => {
      const mix = scaled(scale);
      const state = steadyState(config, mix, ratePerWorker / Math.max(1, share));
      return computeShare(state) >= 1 || state.kvShare >= Math.min(1, share);
    });
    best = { prompt, output: prompt ** together };
    if (computeShare(steadyState(config, scaled(prompt), ratePerWorker / Math.max(1, share))) < 0.9) break;
  }
  return best;
}

/** Of the batch that the fault leads to: the largest allowed, and what CUDA graphs are captured for. */
const BATCH_ROOM = 1.4;
const CAPTURED = 0.7;
/** After the rollout no batch has a graph yet; by then the batch has outgrown what will have one. */
const CAPTURE_MS = 120_000;

/**
 * Beyond the captured batch every step costs more, so more requests decode at once, so the batch stays beyond it: a
 * state that holds itself up. Short requests keep the cache out of it.
 */
function decodeBatch(
  stepMs: number,
  { rampMs }: InjectedFault,
  { config, demand, ratePerWorker }: MechanismContext,
): Effect {
  const fixed = config.baseMs + config.hostMs;
  const load = Math.max(0.35, Math.min(0.5, 1 - (fixed * 1.5) / stepMs));
  const eagerMs = Math.max(0, stepMs * (1 - load) - fixed);
  const pool = config.blocks * config.blockSize;
  const roomy = { ...config, maxBatch: Number.MAX_SAFE_INTEGER, tokenBudget: Number.MAX_SAFE_INTEGER };
  const at = (scale: number) => {
    const mix = demand(scale, scale);
    const rate = rateAt(roomy, mix, 'compute', load / FULL_LOAD);
    return { mix, rate, running: (rate * mix.outputTokens * stepMs) / 1000 };
  };
  const scale =
    1 -
    bisect(0, 0.97, (cut) => {
      const { mix, running } = at(1 - cut);
      return running * mix.contextTokens <= pool * 0.45;
    });
  const { mix, rate, running } = at(scale);
  const tokenBudget = running * BATCH_ROOM + (2.5 * rate * mix.prefillTokens * stepMs) / 1000;
  return (level, conditions, { sinceOnsetMs }) => {
    const isCaptured = sinceOnsetMs > rampMs + CAPTURE_MS;
    conditions.swing *= 0.3;
    conditions.rate *= grown(rate / ratePerWorker, level);
    // Short from the first: many long ones that came before would fill the cache.
    conditions.promptScale *= scale;
    conditions.outputScale *= scale;
    for (const own of conditions.workers) {
      own.maxBatch = Math.max(own.maxBatch, Math.ceil(running * BATCH_ROOM));
      own.tokenBudget = Math.max(own.tokenBudget, Math.ceil(tokenBudget));
      own.graphBatch = Math.min(own.graphBatch, isCaptured ? Math.floor(running * CAPTURED) : 0);
      own.eagerMs = Math.max(own.eagerMs, eagerMs);
    }
  };
}

/** The deadline that so many of the usual requests miss. */
function deadlineFor(
  share: number,
  { config, demand, outputQuantile, ratePerWorker }: MechanismContext,
): number {
  const mix = demand(1, 1);
  const { stepMs } = steadyState(config, mix, Math.min(ratePerWorker, rateAt(config, mix, 'compute', 0.9)));
  return outputQuantile(1 - share) * stepMs + config.frontendMs + mix.prefillMs * 2;
}
