/**
 * One serving worker: iterations over what its scheduler plans, and what callers feel of them. Time is an argument;
 * a worker only moves when its fleet tells it that its iteration is over.
 */

import { type BatchPlan, createBatchScheduler } from './batch-scheduler.js';
import { createGpuUtilisation } from './gpu-utilisation.js';
import { createSequence, isDecoding, type Sequence } from './sequence.js';
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

/** A tenth of the longest answer that is left after shedding. */
const SHED_TOKENS = 30;

const NOTHING: BatchPlan = { decoding: [], prefilling: [] };

export function createServingWorker(
  name: string,
  config: ServingConfig,
  events: WorkerEvents,
): ServingWorker {
  const counters = createWorkerCounters();
  const gpu = createGpuUtilisation();
  const batch = createBatchScheduler(config, {
    preempted: () => counters.preempted(),
    admitted: (waitedSeconds) => counters.queueWait.observe(waitedSeconds),
  });
  let planned = NOTHING;
  let nextAt = Number.POSITIVE_INFINITY;
  let iterating = false;
  let up = true;
  let restarts = 0;
  let hostDelayMs = 0;
  let gpuBusyMs = 0;

  function finish(sequence: Sequence, outcome: ServedOutcome, nowMs: number): void {
    counters.finished(sequence, outcome, nowMs);
    events.finished(sequence.request, outcome, (nowMs - sequence.request.arrivedMs) / 1000);
  }

  function dropImpatient(nowMs: number): void {
    const gone = batch.takeWaiting(
      (sequence) =>
        sequence.firstTokenMs === null && nowMs - sequence.request.arrivedMs > config.clientTimeoutMs,
    );
    for (const sequence of gone) finish(sequence, { kind: 'cancelled' }, nowMs);
  }

  function begin(nowMs: number): void {
    dropImpatient(nowMs);
    planned = batch.plan(nowMs);
    const { decoding, prefilling } = planned;
    if (decoding.length === 0 && prefilling.length === 0) {
      iterating = false;
      nextAt = batch.waiting().length > 0 ? nowMs + config.baseMs : Number.POSITIVE_INFINITY;
      return;
    }
    const prefillTokens = prefilling.reduce((total, part) => total + part.tokens, 0);
    gpuBusyMs = config.baseMs + prefillTokens * config.prefillMsPerToken + decoding.length * config.decodeMs;
    iterating = true;
    nextAt = nowMs + gpuBusyMs + config.hostMs + hostDelayMs;
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

  function complete(nowMs: number): void {
    gpu.wasBusy(nowMs, gpuBusyMs);
    let generated = planned.decoding.length;
    for (const sequence of planned.decoding) tokenOut(sequence, nowMs);
    for (const { sequence, tokens } of planned.prefilling) {
      sequence.prefilled += tokens;
      if (!isDecoding(sequence)) continue;
      counters.promptComputed(sequence.prefillTarget);
      // The last prefill step yields a token; its cache slot is taken with the next decode.
      tokenOut(sequence, nowMs);
      generated += 1;
    }
    counters.tokensGenerated(generated);
    for (const sequence of batch.takeDone()) finish(sequence, { kind: 'ok' }, nowMs);
  }

  return {
    name,
    nextAtMs: () => nextAt,
    advance(nowMs) {
      if (!up) {
        up = true;
        gpu.startAt(nowMs);
      } else if (iterating) complete(nowMs);
      begin(nowMs);
    },
    accept(request, nowMs) {
      batch.enqueue(createSequence(request, nowMs));
      if (up && nextAt === Number.POSITIVE_INFINITY) {
        gpu.wasBusy(nowMs, 0);
        begin(nowMs);
      }
    },
    crash(nowMs, downMs, errorType) {
      for (const sequence of batch.takeAll()) finish(sequence, { kind: 'error', errorType }, nowMs);
      // A new engine counts from zero; only the supervisor remembers how often it restarted.
      counters.reset();
      gpu.reset();
      up = false;
      iterating = false;
      restarts += 1;
      nextAt = nowMs + downMs;
    },
    shed(nowMs) {
      const dropped = batch.takeWaiting((sequence) => sequence.firstTokenMs === null);
      for (const sequence of dropped) finish(sequence, { kind: 'cancelled' }, nowMs);
      for (const sequence of [...batch.running(), ...batch.waiting()]) {
        // Spread by id, or all would end in one iteration and the batch would collapse.
        const left = SHED_TOKENS * (1 + (sequence.request.id % 10));
        sequence.outputTokens = Math.min(sequence.outputTokens, sequence.generated + left);
      }
    },
    delayHost(ms) {
      hostDelayMs = ms;
    },
    isUp: () => up,
    load: () => batch.running().length + batch.waiting().length,
    snapshot(nowMs) {
      const running = batch.running().length;
      return {
        name,
        up,
        restarts,
        running,
        waiting: batch.waiting().length,
        batchMax: config.maxBatch,
        blocksTotal: config.blocks,
        blocksFree: batch.freeBlocks(),
        blockSize: config.blockSize,
        contextMax: config.contextMax,
        gpuUtilisation: gpu.at(nowMs, !iterating),
        gpuMemoryTotal: config.gpuMemoryBytes,
        gpuMemoryUsed: up
          ? config.gpuMemoryBytes * (config.gpuMemoryShare + 0.015 * (running / config.maxBatch))
          : 0,
        ...counters.snapshot(),
      };
    },
  };
}
