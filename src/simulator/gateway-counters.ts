import { LLM_BUCKETS } from './buckets.js';
import { createHistogram, type Histogram } from './histogram.js';
import type { ServedOutcome, ServedRequest } from './served-request.js';
import type { GatewaySnapshot, Labelled } from './snapshot.js';

export type GatewayCounters = {
  readonly arrived: (request: ServedRequest) => void;
  readonly firstToken: (request: ServedRequest, ttft: number) => void;
  readonly laterTokens: (gap: number, endpoint: string) => void;
  readonly finished: (request: ServedRequest, outcome: ServedOutcome, duration: number) => void;
  readonly snapshot: () => GatewaySnapshot;
};

/** The error type of what a client ends itself is none: it left, nothing failed. It shows as `status="cancelled"`. */
export function createGatewayCounters(model: string): GatewayCounters {
  const ttft = labelled(() => createHistogram(LLM_BUCKETS.ttft));
  const tbt = labelled(() => createHistogram(LLM_BUCKETS.tbt));
  const duration = labelled(() => createHistogram(LLM_BUCKETS.requestDuration));
  const promptTokens = labelled(() => createHistogram(LLM_BUCKETS.promptTokens));
  const requests = labelled(() => ({ count: 0 }));
  const errors = labelled(() => ({ count: 0 }));
  // Known series start at zero: a rate needs a value from before the first error.
  for (const errorType of ['crash', 'input', 'oom', 'timeout']) {
    const endpoint = '/v1/chat/completions';
    errors.get(`${endpoint} ${errorType}`, () => ({ model, error_type: errorType, endpoint }));
  }
  const histogramsOf = (family: ReturnType<typeof labelled<Histogram>>) =>
    family.all().map(({ labels, value }) => ({ labels, value: value.snapshot() }));
  const countsOf = (family: ReturnType<typeof labelled<{ count: number }>>) =>
    family.all().map(({ labels, value }) => ({ labels, value: value.count }));

  return {
    arrived({ endpoint, promptTokens: tokens }) {
      requests.get(endpoint, () => ({ model, endpoint })).count += 1;
      promptTokens.get(endpoint, () => ({ model, endpoint })).observe(tokens);
    },
    firstToken({ endpoint, priority }, seconds) {
      ttft.get(`${endpoint} ${priority}`, () => ({ model, endpoint, priority })).observe(seconds);
    },
    laterTokens(gap, endpoint) {
      tbt.get(endpoint, () => ({ model, endpoint })).observe(gap);
    },
    finished({ endpoint }, outcome, seconds) {
      const status = outcome.kind;
      duration.get(`${endpoint} ${status}`, () => ({ model, endpoint, status })).observe(seconds);
      if (outcome.kind !== 'error') return;
      const { errorType } = outcome;
      errors.get(`${endpoint} ${errorType}`, () => ({ model, error_type: errorType, endpoint })).count += 1;
    },
    snapshot: () => ({
      ttft: histogramsOf(ttft),
      tbt: histogramsOf(tbt),
      duration: histogramsOf(duration),
      promptTokens: histogramsOf(promptTokens),
      requests: countsOf(requests),
      errors: countsOf(errors),
    }),
  };
}

/** One metric's series, made when first used. */
function labelled<T>(create: () => T) {
  const series = new Map<string, Labelled<T>>();
  return {
    get(key: string, labels: () => Record<string, string>): T {
      const known = series.get(key);
      if (known !== undefined) return known.value;
      const made = { labels: labels(), value: create() };
      series.set(key, made);
      return made.value;
    },
    all: () => [...series.values()],
  };
}
