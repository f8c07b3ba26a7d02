/**
 * Who runs in the next iteration: continuous batching over a paged KV cache, as vLLM's V1 scheduler plans it. Decodes
 * come first, each with a slot for its next token; what is left of the token budget goes to prefills, strictly first
 * come, first served. Where the cache is full the youngest sequence loses its blocks and starts over.
 */

import type { DecodeSet } from './decode-set.js';
import type { KvPool } from './kv-pool.js';
import { createRunningList } from './running-list.js';
import type { Sequence } from './sequence.js';
import type { ServingConfig } from './serving-config.js';

/** One prompt's part of an iteration. */
export type PrefillPart = { sequence: Sequence; tokens: number };

export type BatchPlan = {
  /** Decoding sequences that get a token. */
  readonly decodes: number;
  readonly prefills: readonly PrefillPart[];
};

export type BatchEvents = {
  readonly preempted: () => void;
  /** Left the queue for the first time, after so many seconds. */
  readonly admitted: (waitedSeconds: number) => void;
  /** A prompt was looked up in the prefix cache; so many tokens were there. */
  readonly lookedUp: (tokens: number, hitTokens: number) => void;
};

/** What may change while the worker runs. */
export type BatchLimits = {
  maxBatch: number;
  tokenBudget: number;
  longPrefillCap: number;
  /** Admits nothing: a scheduler that has lost its way. */
  isDeadlocked: boolean;
  /** Share of a finished request's blocks that is not given back. */
  leakShare: number;
  /** Admissions a second that the host manages; Infinity for any. */
  admissionsPerSecond: number;
};

export type BatchScheduler = {
  readonly enqueue: (sequence: Sequence) => void;
  /** Plans one iteration; nothing in it when nothing can run. */
  readonly plan: (nowMs: number) => BatchPlan;
  /** The prompt is computed: its first token came out. True when that was its last one. */
  readonly prefilled: (sequence: Sequence, nowMs: number) => boolean;
  /** Takes a running sequence out and frees its blocks. */
  readonly remove: (sequence: Sequence) => void;
  /** Takes out of the queue. */
  readonly takeWaiting: (which: (sequence: Sequence) => boolean) => readonly Sequence[];
  /** Everything held, and a cache as new. */
  readonly takeAll: () => Sequence[];
  /** In order of admission. */
  readonly running: () => readonly Sequence[];
  readonly runningCount: () => number;
  readonly waiting: () => readonly Sequence[];
};

const NONE: readonly Sequence[] = [];
const ADMISSION_SLACK_MS = 500;

export function createBatchScheduler(
  config: ServingConfig,
  limits: BatchLimits,
  pool: KvPool,
  decoding: DecodeSet,
  events: BatchEvents,
): BatchScheduler {
  const { blockSize } = config;
  const running = createRunningList();
  /** Admitted, the prompt not yet computed; in order of admission. */
  let prefilling: Sequence[] = [];
  let waiting: Sequence[] = [];
  let leakRemainder = 0;
  let nextAdmissionMs = 0;
  const prefills: PrefillPart[] = [];

  const blocksFor = (tokens: number) => Math.ceil(tokens / blockSize);

  function release(sequence: Sequence): void {
    pool.give(sequence.blocks);
    sequence.blocks = 0;
    if (sequence.prefix !== null) pool.drop(sequence.prefix);
    sequence.prefix = null;
  }

  function detach(sequence: Sequence): void {
    if (sequence.state === 'decoding') decoding.leave(sequence);
    else prefilling.splice(prefilling.indexOf(sequence), 1);
    running.remove(sequence);
  }

  /** Recompute, not swap: the victim loses its cache and starts over from the front of the queue. */
  function preempt(sequence: Sequence): void {
    detach(sequence);
    release(sequence);
    sequence.prefilled = 0;
    sequence.prefillTarget = sequence.request.promptTokens + sequence.generated;
    sequence.state = 'waiting';
    waiting.unshift(sequence);
    events.preempted();
  }

  /** Takes blocks, evicting the youngest while there are none; false when `own` itself had to go. */
  function takeEvicting(needed: () => number, own: Sequence | null): boolean {
    while (needed() > pool.free()) {
      const victim = running.youngest();
      if (victim === undefined) return false;
      preempt(victim);
      if (victim === own) return false;
    }
    pool.take(needed());
    return true;
  }

  function addPart(sequence: Sequence, budget: number): number {
    const tokens = Math.min(budget, sequence.prefillTarget - sequence.prefilled, limits.longPrefillCap);
    if (tokens <= 0) return 0;
    prefills.push({ sequence, tokens });
    return tokens;
  }

  /** Chunks of what is admitted already. With admission by chunk each needs its blocks now. */
  function continuePrefills(tokenBudget: number): number {
    let budget = tokenBudget;
    // With admission by chunk an eviction may shorten the list meanwhile.
    for (const sequence of config.admission === 'chunk' ? [...prefilling] : prefilling) {
      if (budget <= 0) break;
      if (sequence.state !== 'prefilling') continue;
      if (config.admission === 'chunk') {
        const tokens = Math.min(budget, sequence.prefillTarget - sequence.prefilled, limits.longPrefillCap);
        const held = sequence.blocks + (sequence.prefix?.blocks ?? 0);
        const more = Math.max(0, blocksFor(sequence.prefilled + tokens) - held);
        if (!takeEvicting(() => more, sequence)) break;
        sequence.blocks += more;
      }
      budget -= addPart(sequence, budget);
    }
    // An eviction for the sake of one chunk may have hit a part planned before it.
    for (let index = prefills.length - 1; index >= 0; index -= 1) {
      if (prefills[index]?.sequence.state !== 'prefilling') prefills.splice(index, 1);
    }
    return budget;
  }

  /** Puts the head of the queue on the GPU, or says that it does not fit. */
  function admit(head: Sequence, budget: number, nowMs: number): boolean {
    const { request } = head;
    const looksUp = config.cachesPrefixes && request.prefixId >= 0;
    const prefix = looksUp ? pool.hold(request.prefixId) : null;
    const cached = (prefix?.blocks ?? 0) * blockSize;
    const atOnce =
      config.admission === 'chunk'
        ? Math.min(head.prefillTarget, cached + Math.min(budget, limits.longPrefillCap))
        : head.prefillTarget;
    const blocks = blocksFor(atOnce) - (prefix?.blocks ?? 0);
    const watermark = running.size() === 0 ? 0 : config.watermarkBlocks;
    if (blocks + watermark > pool.free() || !pool.take(blocks)) {
      if (prefix !== null) pool.drop(prefix);
      return false;
    }
    if (config.cachesPrefixes) events.lookedUp(head.prefillTarget, cached);
    head.blocks = blocks;
    head.prefix = prefix;
    head.prefilled = cached;
    head.state = 'prefilling';
    running.add(head);
    prefilling.push(head);
    if (head.scheduledMs === null) {
      head.scheduledMs = nowMs;
      events.admitted((nowMs - request.arrivedMs) / 1000);
    }
    return true;
  }

  function admitAll(tokenBudget: number, nowMs: number): void {
    let budget = tokenBudget;
    // One prompt that does not fit holds up all behind it.
    while (budget > 0 && waiting.length > 0 && running.size() < limits.maxBatch) {
      const head = waiting[0] as Sequence;
      if (nowMs < nextAdmissionMs || !admit(head, budget, nowMs)) break;
      if (Number.isFinite(limits.admissionsPerSecond)) {
        // What a long iteration kept back is caught up with, not more.
        const due = Math.max(nextAdmissionMs, nowMs - ADMISSION_SLACK_MS);
        nextAdmissionMs = due + 1000 / limits.admissionsPerSecond;
      }
      waiting.shift();
      // Without chunks a prompt is computed whole, whatever the budget.
      budget -= addPart(head, config.isChunked ? budget : Number.POSITIVE_INFINITY);
    }
  }

  function plan(nowMs: number): BatchPlan {
    prefills.length = 0;
    if (!config.isChunked) {
      for (const sequence of prefilling) addPart(sequence, Number.POSITIVE_INFINITY);
      if (!limits.isDeadlocked) admitAll(limits.tokenBudget, nowMs);
      if (prefills.length > 0) return { decodes: 0, prefills };
    }
    const before = waiting.length;
    const needed = decoding.blocksNeeded();
    if (needed > pool.free() || !pool.take(needed)) takeEvicting(decoding.blocksNeeded, null);
    decoding.reserve();
    const evicted = waiting.length > before;
    if (!config.isChunked) return { decodes: decoding.size(), prefills };
    const budget = continuePrefills(limits.tokenBudget - decoding.size());
    if (!evicted && !limits.isDeadlocked) admitAll(budget, nowMs);
    return { decodes: decoding.size(), prefills };
  }

  return {
    enqueue(sequence) {
      if (config.policy === 'fcfs' || sequence.request.priority !== 'high') {
        waiting.push(sequence);
        return;
      }
      const behind = waiting.findIndex(
        ({ request, firstTokenMs }) => request.priority !== 'high' && firstTokenMs === null,
      );
      waiting.splice(behind < 0 ? waiting.length : behind, 0, sequence);
    },
    plan,
    prefilled(sequence, nowMs) {
      prefilling.splice(prefilling.indexOf(sequence), 1);
      const { prefixId, prefixTokens } = sequence.request;
      if (config.cachesPrefixes && prefixId >= 0 && sequence.prefix === null) {
        const blocks = Math.floor(prefixTokens / blockSize);
        sequence.prefix = blocks > 0 ? pool.share(prefixId, blocks) : null;
        if (sequence.prefix !== null) sequence.blocks -= blocks;
      }
      sequence.generated += 1;
      decoding.join(sequence, nowMs);
      return sequence.generated >= sequence.outputTokens;
    },
    remove(sequence) {
      detach(sequence);
      sequence.state = 'over';
      leakRemainder += sequence.blocks * limits.leakShare;
      const lost = Math.min(sequence.blocks, Math.floor(leakRemainder));
      leakRemainder -= lost;
      sequence.blocks -= lost;
      pool.leak(lost);
      release(sequence);
    },
    takeWaiting(which) {
      if (!waiting.some(which)) return NONE;
      const taken: Sequence[] = [];
      waiting = waiting.filter((sequence) => {
        if (!which(sequence)) return true;
        sequence.state = 'over';
        taken.push(sequence);
        return false;
      });
      return taken;
    },
    takeAll() {
      const all = [...running.all(), ...waiting];
      for (const sequence of all) {
        if (sequence.state === 'decoding') sequence.generated = decoding.generated(sequence);
        sequence.state = 'over';
        sequence.blocks = 0;
        sequence.prefix = null;
      }
      running.clear();
      prefilling = [];
      waiting = [];
      leakRemainder = 0;
      decoding.clear();
      pool.reset();
      return all;
    },
    running: () => running.all(),
    runningCount: () => running.size(),
    waiting: () => waiting,
  };
}
