/**
 * Estimates that an on-call would make on the back of an envelope, each with what it assumes. Pure, and from the
 * findings alone, so that a replay gives the same. A figure whose inputs were not seen is not there.
 */

import type { Finding } from '../domain/verdict.js';
import type { Numbers } from '../playbook/condition.js';
import { formatAs } from './describe-step.js';

/** Texts by what they are about and name, as in playbook/computed.ts. */
export type Arithmetic = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Slower than this is standing still: a percent in three minutes. */
const MIN_SLOPE = 0.003;
/** Nearer than this it is full. */
const FULL = 0.97;
/** Further away than this no straight line holds. */
const MAX_MINUTES = 180;
/** Prompts above it count as long: the edge that `long_prompt_share` is measured at, or lies above. */
const LONG_TOKENS = 32_768;
/** A cache holds answers as well: prompts alone never free all of it. */
const MAX_FREED = 0.95;

export function arithmetic(findings: ReadonlyMap<string, Finding>, thresholds: Numbers): Arithmetic {
  const numbers = (step: string): Numbers => findings.get(step)?.numbers ?? {};
  return {
    kv_cache: timeToFull(numbers('kv_cache')),
    replicas: replicasNeeded(numbers('queue'), numbers('traffic'), thresholds),
    context_cap: contextCap(numbers('context_length')),
  };
}

/** From the mean of the workers and its slope over ten minutes. */
function timeToFull({ mean, slope }: Numbers): Record<string, string> {
  if (mean === undefined || slope === undefined || slope < MIN_SLOPE || mean >= FULL) return {};
  const minutes = (1 - mean) / slope;
  if (minutes > MAX_MINUTES) return {};
  return {
    minutes_to_full: `${Math.max(1, Math.round(minutes))} min`,
    filling: `${(slope * 100).toPrecision(2)}% a minute over the last ten`,
  };
}

/** Workers × what comes in over what is served, with the headroom that keeps a queue from forming. */
function replicasNeeded(queue: Numbers, traffic: Numbers, thresholds: Numbers): Record<string, string> {
  const busy = thresholds['gpu_utilization.busy'];
  const { workers, slope } = queue;
  const served = traffic.value;
  if (workers === undefined || workers === 0 || busy === undefined) return {};
  if (served === undefined || !(served > 0) || slope === undefined) return {};
  const growth = Math.max(0, (slope * workers) / 60);
  const needed = Math.ceil((workers * (1 + growth / served)) / busy);
  return {
    needed: String(needed),
    assumes: `${formatAs(served, 'per_second')} are served, the queue grows by ${formatAs(growth, 'per_second')}, ${Math.round(busy * 100)}% busy at most`,
  };
}

/** A lower bound: every long prompt counts with the least that makes it long. */
function contextCap(context: Numbers): Record<string, string> {
  const share = context.long_share;
  const tokens = context['tokens.sum'];
  const requests = context['requests.sum'];
  if (share === undefined || tokens === undefined || requests === undefined) return {};
  if (!(share > 0.0005) || !(tokens > 0) || !(requests > 0)) return {};
  const mean = tokens / requests;
  const freed = Math.min(MAX_FREED, (share * LONG_TOKENS) / mean);
  return {
    freed: `${Math.round(freed * 100)}%`,
    assumes: `${formatAs(share, 'ratio')} of the prompts are longer, the mean is ${Math.round(mean)} tokens`,
  };
}
