/**
 * The canonical `llm_*` metrics for gateways and routers written in Node, on prom-client: names, labels and buckets
 * that the `llm` engine file reads, so that rules, dashboard and diagnosis work without any mapping.
 */

import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { LLM_BUCKETS, LLM_ERROR_TYPES } from '../catalog/llm-buckets.js';
import { createBoundedLabel } from './bounded-labels.js';

export type LlmErrorType = (typeof LLM_ERROR_TYPES)[number];

export type LlmMetricsOptions = {
  /** Monotonic milliseconds: `() => performance.now()`. */
  readonly now: () => number;
  /** Where the metrics go; one of its own when absent. A registry takes them once. */
  readonly registry?: Registry;
  /** Different models, and different endpoints, that become series of their own; the rest is `other`. 50 when absent. */
  readonly maxValues?: number;
};

export type LlmRequest = {
  readonly model: string;
  /** The route, such as `/v1/chat/completions`; never a whole URL. */
  readonly endpoint: string;
  /** `normal` when absent; ten different ones are kept apart. */
  readonly priority?: string;
  /** Tokens of the prompt, where the gateway counts them. */
  readonly promptTokens?: number;
};

/** One request under way. What is called after its end changes nothing; `finished` and `failed` end it once. */
export type LlmRequestMetrics = {
  /** The first generated token was received. */
  readonly firstToken: () => void;
  /** So many tokens more were received; without a first one before, the first of them is it. One when absent. */
  readonly tokens: (count?: number) => void;
  /** It ended well, or its client left (`cancelled`), which is no failure. */
  readonly finished: (status?: 'ok' | 'cancelled') => void;
  /** A word of our own makes the diagnosis: crash, input, oom, timeout. Ten others are kept apart. */
  readonly failed: (errorType: LlmErrorType | (string & {})) => void;
};

export type LlmMetrics = {
  readonly registry: Registry;
  readonly requestStarted: (request: LlmRequest) => LlmRequestMetrics;
};

const DEFAULT_MAX_VALUES = 50;
const MAX_WORDS = 10;
/** A chunk of more tokens has one gap as well; so many observations give it its weight. */
const MAX_GAPS_AT_ONCE = 64;

/** Registers the metrics at once. Throws prom-client's error where the registry has one of the names already. */
export function createLlmMetrics(options: LlmMetricsOptions): LlmMetrics {
  const { now } = options;
  const registry = options.registry ?? new Registry();
  const registers = [registry];
  const limit = options.maxValues ?? DEFAULT_MAX_VALUES;
  const labels = {
    model: createBoundedLabel(limit),
    endpoint: createBoundedLabel(limit),
    priority: createBoundedLabel(MAX_WORDS),
    errorType: createBoundedLabel(LLM_ERROR_TYPES.length + MAX_WORDS),
  };
  for (const one of LLM_ERROR_TYPES) labels.errorType(one);

  const histogram = <T extends string>(
    name: string,
    help: string,
    labelNames: T[],
    buckets: readonly number[],
  ) => new Histogram({ name, help, labelNames, buckets: [...buckets], registers });
  const counter = <T extends string>(name: string, help: string, labelNames: T[]) =>
    new Counter({ name, help, labelNames, registers });

  const ttft = histogram(
    'llm_ttft_seconds',
    'Request received to first generated token',
    ['model', 'endpoint', 'priority'],
    LLM_BUCKETS.ttft,
  );
  const tbt = histogram(
    'llm_tbt_seconds',
    'Time between tokens while generating',
    ['model', 'endpoint'],
    LLM_BUCKETS.tbt,
  );
  const duration = histogram(
    'llm_request_duration_seconds',
    'Whole request',
    ['model', 'endpoint', 'status'],
    LLM_BUCKETS.requestDuration,
  );
  const prompts = histogram(
    'llm_prompt_tokens',
    'Prompt length',
    ['model', 'endpoint'],
    LLM_BUCKETS.promptTokens,
  );
  const requests = counter('llm_requests_total', 'All requests', ['model', 'endpoint']);
  const errors = counter('llm_error_total', 'Failed requests', ['model', 'error_type', 'endpoint']);
  const promptTokens = counter('llm_prompt_tokens_total', 'Prompt tokens received', ['model']);
  const generated = counter('llm_generated_tokens_total', 'Tokens generated', ['model']);
  const inProgress = new Gauge({
    name: 'llm_requests_in_progress',
    help: 'Requests accepted and not finished',
    labelNames: ['model'],
    registers,
  });
  const throughput = createThroughput(now);
  new Gauge({
    name: 'llm_tokens_per_second',
    help: 'Generation throughput since the scrape before',
    labelNames: ['model'],
    registers,
    collect() {
      for (const [model, rate] of throughput.rates()) this.set({ model }, rate);
    },
  });

  /** A rate needs a value from before the first failure: every known kind starts at zero with the first request. */
  const begun = new Set<string>();
  function begin(model: string, endpoint: string): void {
    const key = JSON.stringify([model, endpoint]);
    if (begun.has(key)) return;
    begun.add(key);
    for (const one of LLM_ERROR_TYPES) errors.inc({ model, endpoint, error_type: one }, 0);
    generated.inc({ model }, 0);
    promptTokens.inc({ model }, 0);
  }

  return {
    registry,
    requestStarted(request) {
      const model = labels.model(request.model);
      const endpoint = labels.endpoint(request.endpoint);
      const priority = labels.priority(request.priority ?? 'normal');
      const startedMs = now();
      let lastTokenMs: number | null = null;
      let ended = false;
      begin(model, endpoint);
      requests.inc({ model, endpoint });
      inProgress.inc({ model });
      const prompt = countOf(request.promptTokens);
      if (prompt !== null) {
        prompts.observe({ model, endpoint }, prompt);
        promptTokens.inc({ model }, prompt);
      }

      const count = (tokens: number) => {
        generated.inc({ model }, tokens);
        throughput.add(model, tokens);
      };
      function firstToken(): void {
        if (ended || lastTokenMs !== null) return;
        lastTokenMs = now();
        ttft.observe({ model, endpoint, priority }, (lastTokenMs - startedMs) / 1000);
        count(1);
      }
      function end(status: string): boolean {
        if (ended) return false;
        ended = true;
        inProgress.dec({ model });
        duration.observe({ model, endpoint, status }, (now() - startedMs) / 1000);
        return true;
      }
      return {
        firstToken,
        tokens(received = 1) {
          let more = countOf(received) ?? 0;
          if (ended || more === 0) return;
          if (lastTokenMs === null) {
            firstToken();
            more -= 1;
          }
          if (more === 0) return;
          const atMs = now();
          const gapSeconds = (atMs - (lastTokenMs ?? atMs)) / 1000 / more;
          for (let seen = 0; seen < Math.min(more, MAX_GAPS_AT_ONCE); seen += 1) {
            tbt.observe({ model, endpoint }, gapSeconds);
          }
          lastTokenMs = atMs;
          count(more);
        },
        finished(status = 'ok') {
          end(status === 'cancelled' ? 'cancelled' : 'ok');
        },
        failed(errorType) {
          if (end('error')) errors.inc({ model, endpoint, error_type: labels.errorType(errorType) });
        },
      };
    },
  };
}

/** A whole number of tokens, or null for what is none: a count may come from a client. */
function countOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

/** Tokens a second by model, over the time between two looks. */
function createThroughput(now: () => number) {
  const tokens = new Map<string, number>();
  let sinceMs = now();
  return {
    add(model: string, count: number) {
      tokens.set(model, (tokens.get(model) ?? 0) + count);
    },
    rates(): [string, number][] {
      const atMs = now();
      const seconds = Math.max(0.001, (atMs - sinceMs) / 1000);
      sinceMs = atMs;
      const rates = [...tokens].map(([model, count]): [string, number] => [model, count / seconds]);
      for (const model of tokens.keys()) tokens.set(model, 0);
      return rates;
    },
  };
}
