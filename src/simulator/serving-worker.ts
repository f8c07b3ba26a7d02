/**
 * One serving worker: iterations over what its scheduler plans, and what callers feel of them. Time is an argument;
 * a worker only moves when its fleet tells it that its iteration is over.
 */

import { type BatchLimits, type BatchPlan, createBatchScheduler } from './batch-scheduler.js';
import { createDecodeSet } from './decode-set.js';
import { createGpuMemory } from './gpu-memory.js';
import { createGpuUtilisation } from './gpu-utilisation.js';
import { createKvPool } from './kv-pool.js';
import { createSequence, type Sequence } from './sequence.js';
import type { ServedOutcome, ServedRequest } from './served-request.js';
import type { ServingConfig } from './serving-config.js';
import type { WorkerSnapshot } from './snapshot.js';
import { createWorkerCounters } from './worker-counters.js';

/** What a worker tells its fleet as things happen. */
export type WorkerEvents = {
  readonly firstToken: (request: ServedRequest, ttftSeconds: number) => void;
  /** So many decoding requests of each class received a token after this gap. */
  readonly laterTokens: (gapSeconds: number, byClass: readonly number[]) => void;
  readonly finished: (request: ServedRequest, outcome: ServedOutcome, durationSeconds: number) => void;
};

/** What a fault or an operator may change while the worker runs. */
export type WorkerStrain = BatchLimits & {
  /** Host time added to every iteration, ms. */
  hostDelayMs: number;
  /** The captured batch and the cost beyond it. */
  graphBatch: number;
  eagerMs: number;
  /** The engine makes no step at all: a collective that never returns. */
  isHung: boolean;
};

export type ServingWorker = {
  readonly name: string;
  readonly model: string;
  readonly strain: WorkerStrain;
  /** When the running iteration, or the restart, is over; Infinity when idle. */
  readonly nextAtMs: () => number;
  readonly advance: (nowMs: number) => void;
  readonly accept: (request: ServedRequest, nowMs: number) => void;
  /** Looks after callers who gave up and after a strain that ended, for a worker that makes no steps of its own. */
  readonly tick: (nowMs: number) => void;
  /** Fails everything it holds and restarts after `downMs`; Infinity for a worker that stays away. */
  readonly crash: (nowMs: number, downMs: number, errorType: string) => void;
  /** Starts a process that is ready after so long. */
  readonly boot: (nowMs: number, loadMs: number) => void;
  /** Memory that is not given back; without any left the engine dies as out of memory. */
  readonly growMemory: (bytes: number, nowMs: number, downMs: number) => void;
  /** Drops who still waits for a first token and ends the others' answers soon, so that a fixed fleet recovers. */
  readonly shed: (nowMs: number) => void;
  readonly isUp: () => boolean;
  /** How often it started anew. */
  readonly incarnation: () => number;
  /** Requests held: running and waiting. */
  readonly load: () => number;
  readonly waiting: () => number;
  /** Calls back with the age in ms of each request without a first token. */
  readonly eachUnanswered: (nowMs: number, call: (ageMs: number) => void) => void;
  /** Ms since the decoding requests' last token, and how many there are. */
  readonly decodeStall: (nowMs: number) => { readonly gapMs: number; readonly requests: number };
  readonly snapshot: (nowMs: number) => WorkerSnapshot;
};

/** A tenth of the longest answer that is left after shedding. */
const SHED_TOKENS = 30;

const GONE_EVERY_MS = 250;
const TIMED_OUT: ServedOutcome = { kind: 'error', errorType: 'timeout' };
const CANCELLED: ServedOutcome = { kind: 'cancelled' };
const NO_SEQUENCES: readonly Sequence[] = [];

const NOTHING: BatchPlan = { decodes: 0, prefills: [] };

export function createServingWorker(
  name: string,
  config: ServingConfig,
  events: WorkerEvents,
  model = '',
): ServingWorker {
  const strain: WorkerStrain = {
    maxBatch: config.maxBatch,
    tokenBudget: config.tokenBudget,
    longPrefillCap: config.longPrefillCap,
    isDeadlocked: false,
    leakShare: 0,
    admissionsPerSecond: Number.POSITIVE_INFINITY,
    hostDelayMs: 0,
    graphBatch: config.graphBatch,
    eagerMs: config.eagerMs,
    isHung: false,
  };
  const counters = createWorkerCounters();
  const gpu = createGpuUtilisation();
  const memory = createGpuMemory(config);
  const pool = createKvPool(config.blocks);
  const decoding = createDecodeSet(config.blockSize, (gapMs, byClass) => {
    counters.gaps(gapMs / 1000, byClass);
    events.laterTokens(gapMs / 1000, byClass);
  });
  const batch = createBatchScheduler(config, strain, pool, decoding, {
    preempted: () => counters.preempted(),
    admitted: (waitedSeconds) => counters.queueWait.observe(waitedSeconds),
    lookedUp: (tokens, hit) => counters.prefixLookedUp(tokens, hit),
  });
  let planned = NOTHING;
  let nextAt = Number.POSITIVE_INFINITY;
  let iterating = false;
  let up = true;
  let restarts = 0;
  let incarnation = 0;
  let oomKills = 0;
  let startedMs = 0;
  let gpuBusyMs = 0;
  /** Nobody in the queue gives up, and no request held is past its deadline, before this. */
  let nextGoneAt = Number.POSITIVE_INFINITY;
  let nextOverdueAt = Number.POSITIVE_INFINITY;

  function finish(sequence: Sequence, outcome: ServedOutcome, nowMs: number): void {
    counters.finished(sequence, outcome, nowMs);
    events.finished(sequence.request, outcome, (nowMs - sequence.request.arrivedMs) / 1000);
  }

  const patienceEnd = ({ request, firstTokenMs }: Sequence) =>
    firstTokenMs === null ? request.arrivedMs + config.clientTimeoutMs : Number.POSITIVE_INFINITY;
  const deadlineEnd = ({ request }: Sequence) => request.arrivedMs + request.deadlineMs;
  const goneAt = (sequence: Sequence) => Math.min(patienceEnd(sequence), deadlineEnd(sequence));
  const outcomeOf = (sequence: Sequence, nowMs: number): ServedOutcome =>
    deadlineEnd(sequence) < nowMs ? TIMED_OUT : CANCELLED;

  /** Callers leave the queue when their patience ends; the gateway ends whatever is past its deadline. */
  function dropGone(nowMs: number): void {
    if (nowMs > nextGoneAt) {
      for (const sequence of batch.takeWaiting((one) => goneAt(one) < nowMs)) {
        finish(sequence, outcomeOf(sequence, nowMs), nowMs);
      }
      let next = Number.POSITIVE_INFINITY;
      for (const one of batch.waiting()) next = Math.min(next, goneAt(one));
      // Not for each of them: callers who leave are looked for a few times a second.
      nextGoneAt = Math.max(next, nowMs + GONE_EVERY_MS);
    }
    if (nowMs <= nextOverdueAt) return;
    let next = Number.POSITIVE_INFINITY;
    for (const sequence of batch.running()) {
      if (deadlineEnd(sequence) >= nowMs) {
        next = Math.min(next, deadlineEnd(sequence));
        continue;
      }
      batch.remove(sequence);
      finish(sequence, TIMED_OUT, nowMs);
    }
    for (const one of batch.waiting()) next = Math.min(next, deadlineEnd(one));
    nextOverdueAt = Math.max(next, nowMs + GONE_EVERY_MS);
  }

  /** Ends prompts for whose activations there is no memory. */
  function dropOversized(nowMs: number): void {
    const room = memory.roomForTokens(batch.runningCount());
    if (room === Number.POSITIVE_INFINITY) return;
    const failed = planned.prefills.filter(({ tokens }) => tokens > room).map(({ sequence }) => sequence);
    for (const sequence of failed) {
      batch.remove(sequence);
      finish(sequence, { kind: 'error', errorType: 'oom' }, nowMs);
    }
    if (failed.length > 0) {
      planned = {
        ...planned,
        prefills: planned.prefills.filter(({ sequence }) => !failed.includes(sequence)),
      };
    }
  }

  function stepMs(): number {
    let ms = config.baseMs + planned.decodes * config.decodeMs;
    ms += (decoding.contextTokens() / 1000) * config.decodeMsPer1kContext;
    if (planned.decodes > strain.graphBatch) ms += strain.eagerMs;
    for (const { sequence, tokens } of planned.prefills) {
      const before = (sequence.prefilled + tokens / 2) / 1000;
      ms += tokens * (config.prefillMsPerToken + config.prefillMsPerTokenPer1kContext * before);
    }
    return ms;
  }

  function begin(nowMs: number): void {
    dropGone(nowMs);
    if (strain.isHung) {
      iterating = false;
      nextAt = Number.POSITIVE_INFINITY;
      return;
    }
    planned = batch.plan(nowMs);
    dropOversized(nowMs);
    if (planned.decodes === 0 && planned.prefills.length === 0) {
      iterating = false;
      nextAt = batch.waiting().length > 0 ? nowMs + config.baseMs : Number.POSITIVE_INFINITY;
      return;
    }
    gpuBusyMs = stepMs();
    iterating = true;
    nextAt = nowMs + gpuBusyMs + config.hostMs + strain.hostDelayMs;
  }

  function firstToken(sequence: Sequence, nowMs: number): void {
    if (sequence.firstTokenMs === null) {
      sequence.firstTokenMs = nowMs;
      // Tokenisation and the way through the gateway are no part of the engine but of what the caller feels.
      const ttft = (nowMs - sequence.request.arrivedMs + config.frontendMs) / 1000;
      counters.ttft.observe(ttft);
      events.firstToken(sequence.request, ttft);
      return;
    }
    // Back from a preemption: its caller waited all the while between two tokens.
    const gap = (nowMs - sequence.lastTokenMs) / 1000;
    const alone: number[] = [];
    for (let index = 0; index <= sequence.request.classIndex; index += 1) alone.push(0);
    alone[sequence.request.classIndex] = 1;
    counters.gaps(gap, alone);
    events.laterTokens(gap, alone);
  }

  function complete(nowMs: number): void {
    gpu.wasBusy(nowMs, gpuBusyMs);
    let ended = NO_SEQUENCES;
    if (planned.decodes > 0) {
      counters.tokensGenerated(decoding.size());
      ended = decoding.step(nowMs);
    }
    for (const { sequence, tokens } of planned.prefills) {
      if (sequence.state !== 'prefilling') continue;
      sequence.prefilled += tokens;
      if (sequence.prefilled < sequence.prefillTarget) continue;
      counters.promptComputed(sequence.prefillTarget);
      // The last prefill step yields a token; its cache slot is taken with the next decode.
      firstToken(sequence, nowMs);
      counters.tokensGenerated(1);
      if (batch.prefilled(sequence, nowMs)) ended = [...ended, sequence];
    }
    for (const sequence of ended) {
      batch.remove(sequence);
      finish(sequence, { kind: 'ok' }, nowMs);
    }
  }

  function crash(nowMs: number, downMs: number, errorType: string): void {
    for (const sequence of batch.takeAll()) finish(sequence, { kind: 'error', errorType }, nowMs);
    // A new engine counts from zero; only the supervisor remembers how often it restarted.
    counters.reset();
    gpu.reset();
    memory.reset();
    up = false;
    iterating = false;
    planned = NOTHING;
    incarnation += 1;
    if (Number.isFinite(downMs)) restarts += 1;
    nextAt = nowMs + downMs;
  }

  return {
    name,
    model,
    strain,
    nextAtMs: () => nextAt,
    advance(nowMs) {
      if (!up) {
        up = true;
        startedMs = nowMs;
        gpu.startAt(nowMs);
      } else if (iterating) complete(nowMs);
      begin(nowMs);
    },
    accept(request, nowMs) {
      if (request.isInvalid) {
        const refused = createSequence(request, nowMs);
        finish(refused, { kind: 'error', errorType: 'input' }, nowMs);
        return;
      }
      const sequence = createSequence(request, nowMs);
      batch.enqueue(sequence);
      nextGoneAt = Math.min(nextGoneAt, goneAt(sequence));
      nextOverdueAt = Math.min(nextOverdueAt, deadlineEnd(sequence));
      if (up && nextAt === Number.POSITIVE_INFINITY && !strain.isHung) {
        gpu.wasBusy(nowMs, 0);
        begin(nowMs);
      }
    },
    tick(nowMs) {
      if (!up) return;
      if (strain.isHung) {
        iterating = false;
        nextAt = Number.POSITIVE_INFINITY;
      }
      dropGone(nowMs);
      if (!strain.isHung && nextAt === Number.POSITIVE_INFINITY && batch.runningCount() > 0) begin(nowMs);
    },
    crash,
    boot(nowMs, loadMs) {
      up = false;
      nextAt = nowMs + loadMs;
    },
    growMemory(bytes, nowMs, downMs) {
      if (!up) return;
      memory.grow(bytes);
      if (!memory.isExhausted()) return;
      oomKills += 1;
      crash(nowMs, downMs, 'oom');
    },
    shed(nowMs) {
      const dropped = batch.takeWaiting((sequence) => sequence.firstTokenMs === null);
      for (const sequence of dropped) finish(sequence, { kind: 'cancelled' }, nowMs);
      for (const sequence of [...batch.running(), ...batch.waiting()]) {
        // Spread by id, or all would end in one iteration and the batch would collapse.
        const left = SHED_TOKENS * (1 + (sequence.request.id % 10));
        const isDecoding = sequence.state === 'decoding';
        const done = isDecoding ? decoding.generated(sequence) : sequence.generated;
        const tokens = Math.min(sequence.outputTokens, done + left);
        if (isDecoding) decoding.endAfter(sequence, tokens);
        else sequence.outputTokens = tokens;
      }
    },
    isUp: () => up,
    incarnation: () => incarnation,
    load: () => batch.runningCount() + batch.waiting().length,
    waiting: () => batch.waiting().length,
    eachUnanswered(nowMs, call) {
      for (const { request, firstTokenMs } of batch.waiting()) {
        if (firstTokenMs === null) call(nowMs - request.arrivedMs);
      }
      for (const { request, firstTokenMs } of batch.running()) {
        if (firstTokenMs === null) call(nowMs - request.arrivedMs);
      }
    },
    decodeStall: (nowMs) => ({ gapMs: nowMs - decoding.lastStepMs(), requests: decoding.size() }),
    snapshot(nowMs) {
      const running = batch.runningCount();
      return {
        name,
        model,
        up,
        isPresent: up || nextAt !== Number.POSITIVE_INFINITY,
        restarts,
        oomKills,
        startedMs,
        running,
        waiting: batch.waiting().length,
        batchMax: strain.maxBatch,
        blocksTotal: config.blocks,
        blocksFree: pool.free(),
        blockSize: config.blockSize,
        contextMax: config.contextMax,
        // A collective that never returns spins: some kernel always runs, the tensor cores idle.
        gpuUtilisation: strain.isHung && running > 0 && up ? 1 : gpu.at(nowMs, !iterating),
        gpuTensorActive: strain.isHung ? 0 : TENSOR_SHARE * gpu.at(nowMs, !iterating),
        gpuMemoryTotal: config.gpuMemoryBytes,
        gpuMemoryUsed: up ? memory.usedBytes(running) : 0,
        ...counters.snapshot(),
      };
    },
  };
}

/** A memory-bound decode keeps the tensor cores busy for so much of the time that any kernel runs. */
const TENSOR_SHARE = 0.4;
