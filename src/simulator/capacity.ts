/**
 * What a worker can carry, in closed form: the steady state of continuous batching for a rate and a mix of lengths.
 * Faults are sized with it ("traffic at 1.2 times what the cache holds"), so that they mean the same in every world.
 *
 * With T the iteration, λ requests a second of L output tokens each, n = λ·L·T requests decode at once, and
 * T = fixed + λ·prefill·T + n·decode. So T = fixed / (1 − load), load being the share of time that work takes.
 */

import type { ServingConfig } from './serving-config.js';

/** What a mix of requests asks of a worker, on average. */
export type MixDemand = {
  /** GPU time of one prompt, ms, and the tokens computed for it. */
  readonly prefillMs: number;
  readonly prefillTokens: number;
  readonly outputTokens: number;
  /** Tokens in the cache of a decoding request, averaged over the time it decodes. */
  readonly contextTokens: number;
};

export type RequestLengths = { readonly prompt: number; readonly output: number; readonly cached: number };

export type SteadyState = {
  /** Share of time that prefill and decode work take, 0 to 1 and beyond. */
  readonly load: number;
  readonly stepMs: number;
  readonly running: number;
  /** Of the tokens an iteration may compute, of the largest batch, and of the cache. Infinite when the load is 1 or more. */
  readonly budgetShare: number;
  readonly batchShare: number;
  readonly kvShare: number;
};

/** The demand of requests like these. */
export function mixDemand(config: ServingConfig, requests: readonly RequestLengths[]): MixDemand {
  let prefillMs = 0;
  let prefillTokens = 0;
  let output = 0;
  let weighted = 0;
  for (const { prompt, output: tokens, cached } of requests) {
    const computed = Math.max(1, prompt - cached);
    const before = (cached + computed / 2) / 1000;
    prefillMs += computed * (config.prefillMsPerToken + config.prefillMsPerTokenPer1kContext * before);
    prefillTokens += computed;
    output += tokens;
    // What is shared is in the cache once, whoever holds it.
    weighted += tokens * (prompt - cached + tokens / 2);
  }
  const count = Math.max(1, requests.length);
  return {
    prefillMs: prefillMs / count,
    prefillTokens: prefillTokens / count,
    outputTokens: output / count,
    contextTokens: weighted / output,
  };
}

/** The steady state at `rate` requests a second on one worker; `extraMs` is added to every iteration. */
export function steadyState(config: ServingConfig, mix: MixDemand, rate: number, extraMs = 0): SteadyState {
  const perToken = config.decodeMs + (mix.contextTokens / 1000) * config.decodeMsPer1kContext;
  const load = (rate * (mix.prefillMs + mix.outputTokens * perToken)) / 1000;
  const fixed = config.baseMs + config.hostMs + extraMs;
  const stepMs = load >= 1 ? Number.POSITIVE_INFINITY : fixed / (1 - load);
  const running = (rate * mix.outputTokens * stepMs) / 1000;
  return {
    load,
    stepMs,
    running,
    budgetShare: ((rate * mix.prefillTokens * stepMs) / 1000 + running) / config.tokenBudget,
    batchShare: running / config.maxBatch,
    kvShare: (running * mix.contextTokens) / (config.blocks * config.blockSize),
  };
}

export type Limit = 'kv' | 'batch' | 'compute';

/** The highest load that still leaves a queue short. */
export const FULL_LOAD = 0.96;

/** How far compute is used, 1 being all: the GPU's time, or the tokens that iterations may hold. */
export function computeShare({ load, budgetShare }: SteadyState): number {
  return Math.max(load / FULL_LOAD, budgetShare);
}

/** The rate a second at which the worker's cache, batch or compute is used to `share`. */
export function rateAt(config: ServingConfig, mix: MixDemand, limit: Limit, share = 1): number {
  return bisect(0, 1e5, (rate) => {
    const state = steadyState(config, mix, rate);
    if (limit === 'compute') return computeShare(state) >= share;
    return state.load >= 1 || (limit === 'kv' ? state.kvShare : state.batchShare) >= share;
  });
}

/** The rate a worker can serve, and what limits it. */
export function capacityOf(
  config: ServingConfig,
  mix: MixDemand,
): { readonly rate: number; readonly limit: Limit } {
  const limits = (['kv', 'batch', 'compute'] as const).map((limit) => ({
    limit,
    rate: rateAt(config, mix, limit),
  }));
  return limits.reduce((least, one) => (one.rate < least.rate ? one : least));
}

/** The least value in [low, high] from which on `holds`; `high` when nowhere. */
export function bisect(low: number, high: number, holds: (value: number) => boolean): number {
  let from = low;
  let to = high;
  for (let round = 0; round < 36; round += 1) {
    const middle = (from + to) / 2;
    if (holds(middle)) to = middle;
    else from = middle;
  }
  return to;
}
