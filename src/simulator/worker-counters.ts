import { LLM_BUCKETS, VLLM_BUCKETS } from './buckets.js';
import { createHistogram, type Histogram } from './histogram.js';
import type { ServedOutcome, ServedRequest } from './served-request.js';
import type { WorkerCounts } from './snapshot.js';

type Finished = {
  readonly request: ServedRequest;
  readonly generated: number;
  readonly scheduledMs: number | null;
  readonly firstTokenMs: number | null;
};

export type WorkerCounters = {
  readonly ttft: Histogram;
  readonly queueWait: Histogram;
  readonly preempted: () => void;
  readonly promptComputed: (tokens: number) => void;
  readonly tokensGenerated: (tokens: number) => void;
  /** So many requests of each class received a token after `seconds`. */
  readonly gaps: (seconds: number, byClass: readonly number[]) => void;
  readonly prefixLookedUp: (tokens: number, hitTokens: number) => void;
  readonly finished: (sequence: Finished, outcome: ServedOutcome, nowMs: number) => void;
  /** Back to zero, as a restarted process. */
  readonly reset: () => void;
  readonly snapshot: () => WorkerCounts;
};

/** What one worker process counts since it started. Request histograms are observed when a request ends, as vLLM does. */
export function createWorkerCounters(): WorkerCounters {
  const ttft = createHistogram(VLLM_BUCKETS.ttft);
  const interToken = createHistogram(VLLM_BUCKETS.interToken);
  const queueWait = createHistogram(LLM_BUCKETS.queueWait);
  const duration = createHistogram(VLLM_BUCKETS.request);
  const requestQueue = createHistogram(VLLM_BUCKETS.request);
  const requestPrefill = createHistogram(VLLM_BUCKETS.request);
  const requestDecode = createHistogram(VLLM_BUCKETS.request);
  const promptLength = createHistogram(VLLM_BUCKETS.tokens);
  const outputLength = createHistogram(VLLM_BUCKETS.tokens);
  const histograms = [
    ttft,
    interToken,
    queueWait,
    duration,
    requestQueue,
    requestPrefill,
    requestDecode,
    promptLength,
    outputLength,
  ];
  let preemptions = 0;
  let promptTokens = 0;
  let generatedTokens = 0;
  let prefixQueryTokens = 0;
  let prefixHitTokens = 0;
  const finishes = { stop: 0, abort: 0, error: 0 };
  const errorTypes: Record<string, number> = {};

  return {
    ttft,
    queueWait,
    preempted() {
      preemptions += 1;
    },
    promptComputed(tokens) {
      promptTokens += tokens;
    },
    tokensGenerated(tokens) {
      generatedTokens += tokens;
    },
    gaps(seconds, byClass) {
      let requests = 0;
      for (const count of byClass) requests += count;
      interToken.observe(seconds, requests);
    },
    prefixLookedUp(tokens, hitTokens) {
      prefixQueryTokens += tokens;
      prefixHitTokens += hitTokens;
    },
    finished({ request, generated, scheduledMs, firstTokenMs }, outcome, nowMs) {
      const reason = outcome.kind === 'ok' ? 'stop' : outcome.kind === 'cancelled' ? 'abort' : 'error';
      finishes[reason] += 1;
      if (outcome.kind === 'error') errorTypes[outcome.errorType] = (errorTypes[outcome.errorType] ?? 0) + 1;
      duration.observe((nowMs - request.arrivedMs) / 1000);
      requestQueue.observe(((scheduledMs ?? nowMs) - request.arrivedMs) / 1000);
      promptLength.observe(request.promptTokens);
      outputLength.observe(generated);
      if (scheduledMs !== null) requestPrefill.observe(((firstTokenMs ?? nowMs) - scheduledMs) / 1000);
      if (firstTokenMs !== null) requestDecode.observe((nowMs - firstTokenMs) / 1000);
    },
    // Finishes are counted by the HTTP front end, which outlives its engine.
    reset() {
      for (const histogram of histograms) histogram.reset();
      preemptions = 0;
      promptTokens = 0;
      generatedTokens = 0;
      prefixQueryTokens = 0;
      prefixHitTokens = 0;
    },
    snapshot: () => ({
      preemptions,
      promptTokens,
      generatedTokens,
      prefixQueryTokens,
      prefixHitTokens,
      finishes: { ...finishes },
      errorTypes: { ...errorTypes },
      ttft: ttft.snapshot(),
      interToken: interToken.snapshot(),
      queueWait: queueWait.snapshot(),
      duration: duration.snapshot(),
      requestQueue: requestQueue.snapshot(),
      requestPrefill: requestPrefill.snapshot(),
      requestDecode: requestDecode.snapshot(),
      promptLength: promptLength.snapshot(),
      outputLength: outputLength.snapshot(),
    }),
  };
}
