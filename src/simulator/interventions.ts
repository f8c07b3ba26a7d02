/**
 * What an operator can do about it, as what happens: requests turned away, routing changed, processes restarted with
 * the minutes that a model takes to load. Nothing here knows whether it helps.
 */

import type { Conditions } from './conditions.js';
import type { RouterPolicy } from './router.js';

export type Intervention =
  /** Prompts above so many tokens are turned away. */
  | { readonly kind: 'cap_context'; readonly tokens: number }
  /** A worker that has so many requests waiting takes no more. */
  | { readonly kind: 'limit_admission'; readonly maxQueuedPerWorker: number }
  /** `restart`: the engine reads its batch size at start, so workers are restarted one by one. */
  | { readonly kind: 'halve_batch'; readonly restart: boolean }
  | { readonly kind: 'set_batch'; readonly maxBatch: number; readonly restart: boolean }
  | { readonly kind: 'set_token_budget'; readonly tokens: number; readonly restart: boolean }
  /** Tokens of one prompt that an iteration computes at most. */
  | { readonly kind: 'cap_long_prefill'; readonly tokens: number; readonly restart: boolean }
  /** So large a share of the requests is turned away. */
  | { readonly kind: 'shed'; readonly share: number; readonly which: 'any' | 'long_first' }
  /** Ready after the model is loaded. */
  | { readonly kind: 'add_workers'; readonly count: number }
  /** Null: the one with the longest queue. */
  | { readonly kind: 'restart_worker'; readonly worker: number | null }
  /** One by one, each drained before. */
  | { readonly kind: 'restart_all' }
  /** New workers for old ones, each loaded before an old one leaves. */
  | { readonly kind: 'deploy' }
  /** Restarted on another host and GPU: what was wrong with the old one stays there. */
  | { readonly kind: 'replace_worker'; readonly worker: number | null }
  /** Away with affinity and pins; a named worker gets nothing new. */
  | { readonly kind: 'reroute'; readonly drain: number | null }
  | { readonly kind: 'raise_timeout'; readonly factor: number }
  /** Null: the tenant that sends most at the time. */
  | { readonly kind: 'block_tenant'; readonly tenant: string | null }
  /** Malformed requests are turned away by the router, before they count as failed. */
  | { readonly kind: 'validate_input' }
  /** The last version and configuration again: what a rollout broke is whole, after a restart of each worker. */
  | { readonly kind: 'rollback'; readonly restart: boolean };

export type ScheduledIntervention = { readonly atMs: number; readonly intervention: Intervention };

/** What stands at the gateway because an operator put it there. */
export type GatewayPolicy = {
  capTokens: number;
  maxQueuedPerWorker: number;
  shedShare: number;
  shedsLongFirst: boolean;
  readonly blockedTenants: Set<number>;
  validatesInput: boolean;
  deadlineFactor: number;
  policy: RouterPolicy;
  ignoresPins: boolean;
  readonly drained: Set<number>;
};

export function openGateway(policy: RouterPolicy): GatewayPolicy {
  return {
    capTokens: Number.POSITIVE_INFINITY,
    maxQueuedPerWorker: Number.POSITIVE_INFINITY,
    shedShare: 0,
    shedsLongFirst: false,
    blockedTenants: new Set(),
    validatesInput: false,
    deadlineFactor: 1,
    policy,
    ignoresPins: false,
    drained: new Set(),
  };
}

/** Flags of one worker that differ from the world's, in force since its last start. */
export type EngineFlags = {
  readonly maxBatch?: number;
  readonly tokenBudget?: number;
  readonly longPrefillCap?: number;
};

/** Puts a worker's own flags and the operator's drains over what the faults make of it. */
export function applyOperator(
  conditions: Conditions,
  gateway: GatewayPolicy,
  flags: readonly (EngineFlags | undefined)[],
): void {
  conditions.deadlineMs *= gateway.deadlineFactor;
  if (gateway.ignoresPins) conditions.pinnedShare = 0;
  for (const [index, own] of conditions.workers.entries()) {
    const set = flags[index];
    if (set?.maxBatch !== undefined) own.maxBatch = set.maxBatch;
    if (set?.tokenBudget !== undefined) own.tokenBudget = set.tokenBudget;
    if (set?.longPrefillCap !== undefined) own.longPrefillCap = set.longPrefillCap;
    if (gateway.drained.has(index)) own.isDrained = true;
  }
}
