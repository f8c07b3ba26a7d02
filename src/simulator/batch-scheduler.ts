/**
 * Who runs in the next iteration: continuous batching over a paged KV cache, as vLLM's V1 scheduler plans it. Decodes
 * come first, each with a slot for its next token; what is left of the token budget goes to prefills, strictly first
 * come, first served. Where the cache is full the youngest sequence loses its blocks and starts over.
 */

import { isDecoding, isDone, type Sequence } from './sequence.js';
import type { ServingConfig } from './serving-config.js';

export type BatchPlan = {
  readonly decoding: readonly Sequence[];
  readonly prefilling: readonly { readonly sequence: Sequence; readonly tokens: number }[];
};

export type BatchEvents = {
  readonly preempted: () => void;
  /** Left the queue for the first time, after so many seconds. */
  readonly admitted: (waitedSeconds: number) => void;
};

export type BatchScheduler = {
  readonly enqueue: (sequence: Sequence) => void;
  /** Plans one iteration; empty when nothing can run. */
  readonly plan: (nowMs: number) => BatchPlan;
  /** Takes out what is complete and frees its blocks. */
  readonly takeDone: () => Sequence[];
  /** Takes out of the queue. */
  readonly takeWaiting: (which: (sequence: Sequence) => boolean) => Sequence[];
  readonly takeAll: () => Sequence[];
  readonly running: () => readonly Sequence[];
  readonly waiting: () => readonly Sequence[];
  readonly freeBlocks: () => number;
};

export function createBatchScheduler(config: ServingConfig, events: BatchEvents): BatchScheduler {
  let running: Sequence[] = [];
  let waiting: Sequence[] = [];
  let freeBlocks = config.blocks;

  const blocksFor = (tokens: number) => Math.ceil(tokens / config.blockSize);

  function release(sequence: Sequence): void {
    freeBlocks += sequence.blocks;
    sequence.blocks = 0;
  }

  /** Recompute, not swap: the victim loses its cache and starts over from the front of the queue. */
  function preempt(sequence: Sequence): void {
    release(sequence);
    sequence.prefilled = 0;
    sequence.prefillTarget = sequence.request.promptTokens + sequence.generated;
    running.splice(running.indexOf(sequence), 1);
    waiting.unshift(sequence);
    events.preempted();
  }

  /** Gives every decoding sequence room for its next token, evicting the youngest while there is none. */
  function planDecodes(): { readonly decoding: Sequence[]; readonly evicted: boolean } {
    let evicted = false;
    const decoding: Sequence[] = [];
    // A victim is never older than who evicts it, so nothing planned before is lost.
    for (let index = 0; index < running.length; index += 1) {
      const sequence = running[index];
      if (sequence === undefined || !isDecoding(sequence)) continue;
      const needed = blocksFor(sequence.request.promptTokens + sequence.generated + 1);
      while (needed > sequence.blocks && freeBlocks === 0 && running[index] === sequence) {
        preempt(running[running.length - 1] ?? sequence);
        evicted = true;
      }
      if (running[index] !== sequence) break;
      if (needed > sequence.blocks) {
        sequence.blocks += 1;
        freeBlocks -= 1;
      }
      decoding.push(sequence);
    }
    return { decoding, evicted };
  }

  function planPrefills(tokenBudget: number, evicted: boolean, nowMs: number): BatchPlan['prefilling'] {
    let budget = tokenBudget;
    const prefilling: { sequence: Sequence; tokens: number }[] = [];
    const plan = (sequence: Sequence) => {
      const tokens = Math.min(budget, sequence.prefillTarget - sequence.prefilled);
      if (tokens <= 0) return;
      prefilling.push({ sequence, tokens });
      budget -= tokens;
    };
    for (const sequence of running) if (!isDecoding(sequence)) plan(sequence);
    // One prompt that does not fit holds up all behind it.
    while (!evicted && budget > 0 && running.length < config.maxBatch) {
      const head = waiting[0];
      if (head === undefined) break;
      const blocks = blocksFor(head.prefillTarget);
      const watermark = running.length === 0 ? 0 : config.watermarkBlocks;
      if (blocks + watermark > freeBlocks) break;
      waiting.shift();
      head.blocks = blocks;
      freeBlocks -= blocks;
      if (head.scheduledMs === null) {
        head.scheduledMs = nowMs;
        events.admitted((nowMs - head.request.arrivedMs) / 1000);
      }
      running.push(head);
      plan(head);
    }
    return prefilling;
  }

  function take(taken: Sequence[]): Sequence[] {
    for (const sequence of taken) release(sequence);
    return taken;
  }

  return {
    enqueue: (sequence) => waiting.push(sequence),
    plan(nowMs) {
      const { decoding, evicted } = planDecodes();
      return { decoding, prefilling: planPrefills(config.tokenBudget - decoding.length, evicted, nowMs) };
    },
    takeDone() {
      if (!running.some(isDone)) return [];
      const done = running.filter(isDone);
      running = running.filter((sequence) => !isDone(sequence));
      return take(done);
    },
    takeWaiting(which) {
      if (!waiting.some(which)) return [];
      const taken = waiting.filter(which);
      waiting = waiting.filter((sequence) => !which(sequence));
      return take(taken);
    },
    takeAll() {
      const all = [...running, ...waiting];
      running = [];
      waiting = [];
      return take(all);
    },
    running: () => running,
    waiting: () => waiting,
    freeBlocks: () => freeBlocks,
  };
}
