import type { ServingConfig } from './serving-config.js';
import type { TraceArrival } from './trace.js';

/** An idle worker of the world answers all but the longest hundredth of the prompts within this time, ms. */
const LONGEST_PREFILL_MS = 600;

/**
 * A trace gives the shape of the traffic, the world its scale. Prompts are shortened in proportion where the world's
 * workers could not even compute them alone in good time: another model or other hardware served them. Arrivals that
 * share a time, as a coarse clock records them, are spread over the time until the next.
 */
export function fitTrace(trace: readonly TraceArrival[], config: ServingConfig): readonly TraceArrival[] {
  const prompts = trace.map(({ promptTokens }) => promptTokens).sort((a, b) => a - b);
  const longest = prompts[Math.floor(prompts.length * 0.99)] ?? 1;
  const perToken = config.prefillMsPerToken + (config.baseMs + config.hostMs) / config.tokenBudget;
  const factor = Math.min(1, LONGEST_PREFILL_MS / (perToken * longest));
  const fitted: TraceArrival[] = [];
  for (let start = 0; start < trace.length; ) {
    const atMs = (trace[start] as TraceArrival).atMs;
    let end = start;
    while (end < trace.length && (trace[end] as TraceArrival).atMs === atMs) end += 1;
    const untilMs = trace[end]?.atMs ?? atMs;
    for (let index = start; index < end; index += 1) {
      const { promptTokens, outputTokens } = trace[index] as TraceArrival;
      fitted.push({
        atMs: atMs + ((untilMs - atMs) * (index - start)) / (end - start),
        promptTokens: Math.max(1, Math.round(promptTokens * factor)),
        outputTokens,
      });
    }
    start = end;
  }
  return fitted;
}
