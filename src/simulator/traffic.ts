import type { Random } from './random.js';
import { type Lengths, SCENARIOS, type Scenario } from './scenarios.js';
import type { ServedRequest } from './served-request.js';
import type { TraceArrival } from './trace.js';

/** A request before the gateway has counted it. */
export type ScenarioRequest = Omit<ServedRequest, 'classIndex'>;

export type Arrival = {
  readonly request: ScenarioRequest;
  /** Belongs to a session that affinity pins to one worker. */
  readonly isPinned: boolean;
};

export type Traffic = {
  readonly nextAtMs: () => number;
  /** Takes the arrival that is due and schedules the following one. */
  readonly take: () => Arrival;
  /** From now on, traffic as the scenario has it. */
  readonly follow: (scenario: Scenario, nowMs: number) => void;
};

/** Prompt and answer together stay below the model's limit. */
const MAX_PROMPT = 120_000;
const MAX_OUTPUT = 8000;

/**
 * Requests as they come: Poisson with lognormal lengths, or a recorded trace played in a loop. A scenario
 * then speeds the trace up and stretches its lengths by what it does to the healthy load.
 */
export function createTraffic(random: Random, trace: readonly TraceArrival[] | null): Traffic {
  let scenario = SCENARIOS.healthy;
  let count = 0;
  let nextAt = 0;
  let position = 0;

  function gapMs(): number {
    if (trace === null || trace.length === 0) return random.exponential(1000 / scenario.load.ratePerSecond);
    const speed = scenario.load.ratePerSecond / SCENARIOS.healthy.load.ratePerSecond;
    const here = trace[position % trace.length]?.atMs ?? 0;
    const before = position % trace.length === 0 ? 0 : (trace[(position - 1) % trace.length]?.atMs ?? 0);
    return Math.max(0, here - before) / speed;
  }

  function lengths(isPinned: boolean): { prompt: number; output: number } {
    const { load, affinity } = scenario;
    const own = isPinned && affinity !== null ? affinity : load;
    const entry = trace === null || trace.length === 0 ? undefined : trace[position % trace.length];
    if (entry === undefined) return { prompt: draw(own.prompt), output: draw(own.output) };
    const healthy = SCENARIOS.healthy.load;
    return {
      prompt: entry.promptTokens * (own.prompt.median / healthy.prompt.median),
      output: entry.outputTokens * (own.output.median / healthy.output.median),
    };
  }

  const draw = (distribution: Lengths) => random.lognormal(distribution.median, distribution.sigma);

  function schedule(nowMs: number): void {
    nextAt = nowMs + gapMs();
  }

  schedule(0);
  return {
    nextAtMs: () => nextAt,
    take() {
      const { load, affinity } = scenario;
      count += 1;
      const isPinned = affinity !== null && random.next() < affinity.share;
      let { prompt, output } = lengths(isPinned);
      if (load.documents !== null && count % load.documents.every === 0) {
        const { fromTokens, toTokens, outputTokens } = load.documents;
        prompt = fromTokens + random.next() * (toTokens - fromTokens);
        output = outputTokens;
      }
      const request: ScenarioRequest = {
        id: count,
        arrivedMs: nextAt,
        promptTokens: Math.round(Math.min(MAX_PROMPT, Math.max(1, prompt))),
        outputTokens: Math.round(Math.min(MAX_OUTPUT, Math.max(1, output))),
        endpoint: random.next() < 0.8 ? '/v1/chat/completions' : '/v1/completions',
        priority: random.next() < 0.1 ? 'high' : 'normal',
        prefixId: -1,
        prefixTokens: 0,
        deadlineMs: Number.POSITIVE_INFINITY,
        isInvalid: false,
      };
      position += 1;
      schedule(nextAt);
      return { request, isPinned };
    },
    follow(next, nowMs) {
      scenario = next;
      schedule(nowMs);
    },
  };
}
