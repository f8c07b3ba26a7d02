/**
 * One serving worker: continuous batching over a paged KV cache, as vLLM's V1 scheduler does it.
 * Time is an argument; a worker only moves when its fleet tells it that its iteration is over.
 */

import type { ServedOutcome, ServedRequest } from './served-request.js';
import type { ServingConfig } from './serving-config.js';
import type { WorkerSnapshot } from './snapshot.js';
import { createWorkerCounters } from './worker-counters.js';

/** What a worker tells its fleet as things happen. Times in seconds. */
export type WorkerEvents = {
  readonly firstToken: (request: ServedRequest, ttft: number) => void;
  readonly laterTokens: (gap: number, endpoint: string) => void;
  readonly finished: (request: ServedRequest, outcome: ServedOutcome, duration: number) => void;
};

export type ServingWorker = {
  readonly name: string;
  /** When the running iteration, or the restart, is over; Infinity when idle. */
  readonly nextAtMs: () => number;
  readonly advance: (nowMs: number) => void;
  readonly accept: (request: ServedRequest, nowMs: number) => void;
  /** Fails everything it holds and restarts after `downMs`. */
  readonly crash: (nowMs: number, downMs: number, errorType: string) => void;
  /** Drops who still waits for a first token and ends the others' answers soon, so that a fixed fleet recovers. */
  readonly shed: (nowMs: number) => void;
  /** Host time added to every iteration, ms. */
  readonly delayHost: (ms: number) => void;
  readonly isUp: () => boolean;
  /** Requests held: running and waiting. */
  readonly load: () => number;
  readonly snapshot: (nowMs: number) => WorkerSnapshot;
};

type Sequence = {
  readonly request: ServedRequest;
  generated: number;
  /** Tokens to generate; cut short when the fleet sheds load. */
  outputTokens: number;
  /** Tokens to compute before the next token comes out: the prompt, plus what a preemption threw away. */
  prefillTarget: number;
  prefilled: number;
  blocks: number;
  scheduledMs: number | null;
  firstTokenMs: number | null;
  lastTokenMs: number;
};

/** GPU utilisation is smoothed over about this long, as a sampling exporter would. */
const UTILISATION_TAU_MS = 2000;

/** A tenth of the longest answer that is left after shedding. */
const SHED_TOKENS = 30;

export function createServingWorker(
  name: string,
  config: ServingConfig,
  events: WorkerEvents,
): ServingWorker {
  const counters = createWorkerCounters();
  let running: Sequence[] = [];
  let waiting: Sequence[] = [];
  let decoding: Sequence[] = [];
  let prefilling: { sequence: Sequence; tokens: number }[] = [];
  let freeBlocks = config.blocks;
  let nextAt = Number.POSITIVE_INFINITY;
  let iterating = false;
  let up = true;
  let restarts = 0;
  let hostDelayMs = 0;
  let gpuBusyMs = 0;
  let utilisation = 0;
  let utilisationAt = 0;

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
    counters.preempted();
  }

  /** Gives every decoding sequence room for its next token, evicting the youngest while there is none. */
  function planDecodes(): boolean {
    let evicted = false;
    decoding = [];
    // A victim is never older than who evicts it, so nothing planned before is lost.
    for (let index = 0; index < running.length; index += 1) {
      const sequence = running[index];
      if (sequence === undefined || sequence.prefilled < sequence.prefillTarget) continue;
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
    return evicted;
  }

  function planPrefills(evicted: boolean, nowMs: number): void {
    let budget = config.tokenBudget - decoding.length;
    prefilling = [];
    const plan = (sequence: Sequence) => {
      const tokens = Math.min(budget, sequence.prefillTarget - sequence.prefilled);
      if (tokens <= 0) return;
      prefilling.push({ sequence, tokens });
      budget -= tokens;
    };
    for (const sequence of running) if (sequence.prefilled < sequence.prefillTarget) plan(sequence);
    // Strictly first come, first served: one prompt that does not fit holds up all behind it.
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
        counters.queueWait.observe((nowMs - head.request.arrivedMs) / 1000);
      }
      running.push(head);
      plan(head);
    }
  }

  function dropImpatient(nowMs: number): void {
    const overdue = (sequence: Sequence) =>
      sequence.firstTokenMs === null && nowMs - sequence.request.arrivedMs > config.clientTimeoutMs;
    if (!waiting.some(overdue)) return;
    const gone = waiting.filter(overdue);
    waiting = waiting.filter((sequence) => !overdue(sequence));
    for (const sequence of gone) finish(sequence, { kind: 'cancelled' }, nowMs);
  }

  function finish(sequence: Sequence, outcome: ServedOutcome, nowMs: number): void {
    release(sequence);
    counters.finished(sequence, outcome, nowMs);
    events.finished(sequence.request, outcome, (nowMs - sequence.request.arrivedMs) / 1000);
  }

  function begin(nowMs: number): void {
    dropImpatient(nowMs);
    const evicted = planDecodes();
    planPrefills(evicted, nowMs);
    if (decoding.length === 0 && prefilling.length === 0) {
      iterating = false;
      nextAt = waiting.length > 0 ? nowMs + config.baseMs : Number.POSITIVE_INFINITY;
      return;
    }
    const prefillTokens = prefilling.reduce((total, part) => total + part.tokens, 0);
    gpuBusyMs = config.baseMs + prefillTokens * config.prefillMsPerToken + decoding.length * config.decodeMs;
    iterating = true;
    nextAt = nowMs + gpuBusyMs + config.hostMs + hostDelayMs;
  }

  function smoothUtilisation(nowMs: number, busyMs: number): void {
    const elapsed = nowMs - utilisationAt;
    if (elapsed <= 0) return;
    const keep = Math.exp(-elapsed / UTILISATION_TAU_MS);
    utilisation = utilisation * keep + Math.min(1, busyMs / elapsed) * (1 - keep);
    utilisationAt = nowMs;
  }

  function tokenOut(sequence: Sequence, nowMs: number): void {
    sequence.generated += 1;
    if (sequence.firstTokenMs === null) {
      sequence.firstTokenMs = nowMs;
      // Tokenisation and the way through the gateway are no part of the engine but of what the caller feels.
      const ttft = (nowMs - sequence.request.arrivedMs + config.frontendMs) / 1000;
      counters.ttft.observe(ttft);
      events.firstToken(sequence.request, ttft);
    } else {
      const gap = (nowMs - sequence.lastTokenMs) / 1000;
      counters.interToken.observe(gap);
      events.laterTokens(gap, sequence.request.endpoint);
    }
    sequence.lastTokenMs = nowMs;
  }

  const isDone = (sequence: Sequence) =>
    sequence.prefilled >= sequence.prefillTarget && sequence.generated >= sequence.outputTokens;

  function complete(nowMs: number): void {
    smoothUtilisation(nowMs, gpuBusyMs);
    let generated = decoding.length;
    for (const sequence of decoding) tokenOut(sequence, nowMs);
    for (const { sequence, tokens } of prefilling) {
      sequence.prefilled += tokens;
      if (sequence.prefilled < sequence.prefillTarget) continue;
      counters.promptComputed(sequence.prefillTarget);
      // The last prefill step yields a token; its cache slot is taken with the next decode.
      tokenOut(sequence, nowMs);
      generated += 1;
    }
    counters.tokensGenerated(generated);
    if (!running.some(isDone)) return;
    const done = running.filter(isDone);
    running = running.filter((sequence) => !isDone(sequence));
    for (const sequence of done) finish(sequence, { kind: 'ok' }, nowMs);
  }

  return {
    name,
    nextAtMs: () => nextAt,
    advance(nowMs) {
      if (!up) {
        up = true;
        utilisationAt = nowMs;
      } else if (iterating) complete(nowMs);
      begin(nowMs);
    },
    accept(request, nowMs) {
      waiting.push({
        request,
        generated: 0,
        outputTokens: request.outputTokens,
        prefillTarget: request.promptTokens,
        prefilled: 0,
        blocks: 0,
        scheduledMs: null,
        firstTokenMs: null,
        lastTokenMs: nowMs,
      });
      if (up && nextAt === Number.POSITIVE_INFINITY) {
        smoothUtilisation(nowMs, 0);
        begin(nowMs);
      }
    },
    crash(nowMs, downMs, errorType) {
      const lost = [...running, ...waiting];
      running = [];
      waiting = [];
      for (const sequence of lost) finish(sequence, { kind: 'error', errorType }, nowMs);
      // A new engine counts from zero; only the supervisor remembers how often it restarted.
      counters.reset();
      up = false;
      iterating = false;
      utilisation = 0;
      restarts += 1;
      nextAt = nowMs + downMs;
    },
    shed(nowMs) {
      const dropped = waiting.filter((sequence) => sequence.firstTokenMs === null);
      waiting = waiting.filter((sequence) => sequence.firstTokenMs !== null);
      for (const sequence of dropped) finish(sequence, { kind: 'cancelled' }, nowMs);
      for (const sequence of [...running, ...waiting]) {
        // Spread by id, or all would end in one iteration and the batch would collapse.
        const left = SHED_TOKENS * (1 + (sequence.request.id % 10));
        sequence.outputTokens = Math.min(sequence.outputTokens, sequence.generated + left);
      }
    },
    delayHost(ms) {
      hostDelayMs = ms;
    },
    isUp: () => up,
    load: () => running.length + waiting.length,
    snapshot(nowMs) {
      const idleMs = iterating ? 0 : Math.max(0, nowMs - utilisationAt);
      return {
        name,
        up,
        restarts,
        running: running.length,
        waiting: waiting.length,
        batchMax: config.maxBatch,
        blocksTotal: config.blocks,
        blocksFree: freeBlocks,
        blockSize: config.blockSize,
        contextMax: config.contextMax,
        gpuUtilisation: utilisation * Math.exp(-idleMs / UTILISATION_TAU_MS),
        gpuMemoryTotal: config.gpuMemoryBytes,
        gpuMemoryUsed: up
          ? config.gpuMemoryBytes * (config.gpuMemoryShare + 0.015 * (running.length / config.maxBatch))
          : 0,
        ...counters.snapshot(),
      };
    },
  };
}
