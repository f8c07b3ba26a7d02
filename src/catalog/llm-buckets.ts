/** Bucket edges of the canonical `llm_*` histograms, seconds or tokens: what the collector exports, and the simulated fleet alike. */
export const LLM_BUCKETS = {
  ttft: [0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10],
  tbt: [0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.07, 0.1, 0.15, 0.2],
  requestDuration: [0.1, 0.5, 1, 2, 5, 10, 30, 60],
  queueWait: [0.005, 0.01, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60],
  promptTokens: [
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 4096, 5000, 10_000, 20_000, 32_768, 50_000, 100_000,
    131_072, 200_000,
  ],
} as const;

/** What fails a request, in the words that the playbooks ask for. */
export const LLM_ERROR_TYPES = ['crash', 'input', 'oom', 'timeout'] as const;
