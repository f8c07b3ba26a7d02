import { LLM_BUCKETS } from './buckets.js';
import { createHistogram, type Histogram } from './histogram.js';
import type { ServedOutcome, ServedRequest } from './served-request.js';
import type { GatewaySnapshot, Labelled } from './snapshot.js';

/** Requests that count in the same series. */
export type RequestClass = {
  readonly model: string;
  readonly endpoint: string;
  readonly priority: string;
  /** Null where one tenant has the fleet for itself: the series then carry no such label. */
  readonly tenant: string | null;
};

export type GatewayCounters = {
  /** The index by which requests of this class are counted. */
  readonly classOf: (of: RequestClass) => number;
  readonly arrived: (request: ServedRequest) => void;
  readonly firstToken: (request: ServedRequest, ttftSeconds: number) => void;
  /** So many requests of each class received a token after this gap. */
  readonly laterTokens: (gapSeconds: number, byClass: readonly number[]) => void;
  readonly finished: (request: ServedRequest, outcome: ServedOutcome, durationSeconds: number) => void;
  readonly snapshot: () => GatewaySnapshot;
};

type Counter = { count: number };

/** One class with the series it counts in; several classes share a series that has fewer labels. */
type Counted = RequestClass & {
  readonly ttft: Histogram;
  readonly tbt: Histogram;
  readonly promptTokens: Histogram;
  readonly requests: Counter;
  /** By status and by error type, once there was one. */
  readonly duration: Map<string, Histogram>;
  readonly errors: Map<string, Counter>;
};

const ERROR_TYPES = ['crash', 'input', 'oom', 'timeout'] as const;

/** The error type of what a client ends itself is none: it left, nothing failed. It shows as `status="cancelled"`. */
export function createGatewayCounters(models: readonly string[]): GatewayCounters {
  const ttft = labelled(() => createHistogram(LLM_BUCKETS.ttft));
  const tbt = labelled(() => createHistogram(LLM_BUCKETS.tbt));
  const duration = labelled(() => createHistogram(LLM_BUCKETS.requestDuration));
  const promptTokens = labelled(() => createHistogram(LLM_BUCKETS.promptTokens));
  const requests = labelled<Counter>(() => ({ count: 0 }));
  const errors = labelled<Counter>(() => ({ count: 0 }));
  const classes: Counted[] = [];
  const indices = new Map<string, number>();
  // Known series start at zero: a rate needs a value from before the first error.
  for (const model of models) {
    for (const errorType of ERROR_TYPES) {
      const endpoint = '/v1/chat/completions';
      errors.get({ model, error_type: errorType, endpoint });
    }
  }
  const counted = (index: number) => classes[index] as Counted;
  const tenantLabel = (tenant: string | null): Record<string, string> => (tenant === null ? {} : { tenant });
  const histogramsOf = (family: ReturnType<typeof labelled<Histogram>>) =>
    family.all().map(({ labels, value }) => ({ labels, value: value.snapshot() }));
  const countsOf = (family: ReturnType<typeof labelled<Counter>>) =>
    family.all().map(({ labels, value }) => ({ labels, value: value.count }));

  return {
    classOf(of) {
      const key = JSON.stringify([of.model, of.endpoint, of.priority, of.tenant]);
      const known = indices.get(key);
      if (known !== undefined) return known;
      const { model, endpoint, priority } = of;
      const tenant = tenantLabel(of.tenant);
      const index = classes.push({
        ...of,
        ttft: ttft.get({ model, endpoint, priority, ...tenant }),
        tbt: tbt.get({ model, endpoint, ...tenant }),
        promptTokens: promptTokens.get({ model, endpoint, ...tenant }),
        requests: requests.get({ model, endpoint, ...tenant }),
        duration: new Map(),
        errors: new Map(),
      });
      indices.set(key, index - 1);
      return index - 1;
    },
    arrived({ classIndex, promptTokens: tokens }) {
      const own = counted(classIndex);
      own.requests.count += 1;
      own.promptTokens.observe(tokens);
    },
    firstToken({ classIndex }, seconds) {
      counted(classIndex).ttft.observe(seconds);
    },
    laterTokens(gap, byClass) {
      for (let index = 0; index < byClass.length; index += 1) {
        const times = byClass[index] as number;
        if (times > 0) counted(index).tbt.observe(gap, times);
      }
    },
    finished({ classIndex }, outcome, seconds) {
      const own = counted(classIndex);
      const { model, endpoint } = own;
      const status = outcome.kind;
      const tenant = tenantLabel(own.tenant);
      const took = once(own.duration, status, () => duration.get({ model, endpoint, status, ...tenant }));
      took.observe(seconds);
      if (outcome.kind !== 'error') return;
      const { errorType } = outcome;
      once(own.errors, errorType, () =>
        errors.get({ model, error_type: errorType, endpoint, ...tenant }),
      ).count += 1;
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

function once<T>(known: Map<string, T>, key: string, make: () => T): T {
  const before = known.get(key);
  if (before !== undefined) return before;
  const made = make();
  known.set(key, made);
  return made;
}

/** One metric's series, made when first used. */
function labelled<T>(create: () => T) {
  const series = new Map<string, Labelled<T>>();
  return {
    get(labels: Readonly<Record<string, string>>): T {
      const key = Object.values(labels).join('\n');
      const known = series.get(key);
      if (known !== undefined) return known.value;
      const made = { labels, value: create() };
      series.set(key, made);
      return made.value;
    },
    all: () => [...series.values()],
  };
}
