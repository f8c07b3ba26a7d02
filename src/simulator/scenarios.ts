/** What can go wrong, as mechanisms: a scenario changes traffic, routing, hosts or processes, never a metric. */

export type Lengths = { readonly median: number; readonly sigma: number };

export type Load = {
  /** Poisson arrivals over the whole fleet. */
  readonly ratePerSecond: number;
  readonly prompt: Lengths;
  readonly output: Lengths;
  /** Every n-th request is a document of this many tokens. Evenly spread, so that a short window sees its share. */
  readonly documents: {
    readonly every: number;
    readonly fromTokens: number;
    readonly toTokens: number;
    readonly outputTokens: number;
  } | null;
};

/** Session affinity: this share of the requests goes to one worker, until it holds `spillAt` requests. */
export type Affinity = {
  readonly worker: number;
  readonly share: number;
  readonly spillAt: number;
  readonly prompt: Lengths;
  readonly output: Lengths;
};

/** These workers crash in turn, one each `everyMs`, and are away for `downMs`. */
export type Faults = {
  readonly workers: readonly number[];
  readonly everyMs: number;
  readonly downMs: number;
  readonly errorType: string;
};

export type ScenarioExpectation = {
  /** Alerts that fire while it lasts; others may fire with them. */
  readonly alertNames: readonly string[];
  /** The cause a diagnosis should name; null where nothing is wrong. */
  readonly cause: string | null;
  /** Incidents that page a person. */
  readonly pages: 0 | 1;
};

export type Scenario = {
  readonly description: string;
  readonly load: Load;
  readonly affinity: Affinity | null;
  /** Added to every iteration by a starved host, ms. */
  readonly hostDelayMs: number;
  readonly faults: Faults | null;
  readonly expected: ScenarioExpectation;
};

/** Where the simulated fleet stands. */
export const DEFAULT_SCOPE = { cluster: 'prod-us', namespace: 'llm-serving', model: 'llama-70b' } as const;

export const SCENARIO_NAMES = [
  'healthy',
  'kv-exhaustion',
  'long-context',
  'hot-worker',
  'hot-worker-mild',
  'gpu-starved',
  'error-burst',
] as const;
export type ScenarioName = (typeof SCENARIO_NAMES)[number];

const HEALTHY_LOAD: Load = {
  ratePerSecond: 24,
  prompt: { median: 900, sigma: 0.6 },
  output: { median: 480, sigma: 0.6 },
  documents: null,
};

const HEALTHY: Scenario = {
  description: 'Normal chat traffic: nothing to do.',
  load: HEALTHY_LOAD,
  affinity: null,
  hostDelayMs: 0,
  faults: null,
  expected: { alertNames: [], cause: null, pages: 0 },
};

export const SCENARIOS: Readonly<Record<ScenarioName, Scenario>> = {
  healthy: HEALTHY,
  'kv-exhaustion': {
    ...HEALTHY,
    description:
      'More and longer conversations than the KV cache holds: workers evict what they just computed.',
    load: {
      ...HEALTHY_LOAD,
      ratePerSecond: 42,
      prompt: { median: 2300, sigma: 0.45 },
      output: { median: 1600, sigma: 0.5 },
    },
    expected: {
      alertNames: ['LLMHighTTFT', 'LLMKVCachePressure', 'LLMPreemptionStorm', 'LLMQueueBuildup'],
      cause: 'kv_cache_exhausted',
      pages: 1,
    },
  },
  'long-context': {
    ...HEALTHY,
    description:
      'A few prompts above 100k tokens occupy prefill: most callers feel nothing, the unlucky wait.',
    load: {
      ...HEALTHY_LOAD,
      ratePerSecond: 14,
      documents: { every: 34, fromTokens: 100_000, toTokens: 110_000, outputTokens: 40 },
    },
    expected: { alertNames: ['LLMHighTTFT', 'LLMElevatedTTFT'], cause: 'long_context', pages: 1 },
  },
  'hot-worker': {
    ...HEALTHY,
    description:
      'Session affinity sends a third of the traffic to one worker: it drowns while seven have room.',
    affinity: {
      worker: 3,
      share: 0.35,
      spillAt: Number.POSITIVE_INFINITY,
      prompt: { median: 2600, sigma: 0.4 },
      output: { median: 600, sigma: 0.5 },
    },
    expected: { alertNames: ['LLMHighTTFT', 'LLMKVCachePressure'], cause: 'hot_worker', pages: 1 },
  },
  'hot-worker-mild': {
    ...HEALTHY,
    load: { ...HEALTHY_LOAD, ratePerSecond: 18 },
    description:
      'Session affinity fills one worker, but overflow goes elsewhere: worth a look, no reason to wake anyone.',
    affinity: {
      worker: 3,
      share: 0.3,
      // Holds just under 95 % of the cache: above what is full, below where it evicts and would page.
      spillAt: 61,
      prompt: { median: 2900, sigma: 0.15 },
      output: { median: 600, sigma: 0.15 },
    },
    expected: { alertNames: ['LLMKVCachePressure'], cause: 'hot_worker', pages: 0 },
  },
  'gpu-starved': {
    ...HEALTHY,
    description: 'Every iteration waits for the host: requests queue while the GPUs are mostly idle.',
    load: { ...HEALTHY_LOAD, ratePerSecond: 30 },
    hostDelayMs: 65,
    expected: { alertNames: ['LLMHighTTFT', 'LLMQueueBuildup'], cause: 'gpu_starved', pages: 1 },
  },
  'error-burst': {
    ...HEALTHY,
    description: 'Three workers crash again and again and take their requests with them.',
    faults: { workers: [1, 4, 6], everyMs: 1700, downMs: 3000, errorType: 'crash' },
    expected: { alertNames: ['LLMHighErrorRate'], cause: 'worker_crash', pages: 1 },
  },
};

/** Whether a text names a scenario. */
export function isScenarioName(name: string): name is ScenarioName {
  return (SCENARIO_NAMES as readonly string[]).includes(name);
}
