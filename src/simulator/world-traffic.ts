import type { MixDemand, RequestLengths } from './capacity.js';
import { mixDemand } from './capacity.js';
import type { Conditions } from './conditions.js';
import { createRandom, type Random } from './random.js';
import type { ServingConfig } from './serving-config.js';
import type { TraceArrival } from './trace.js';
import type { Lengths, World } from './world.js';

/** A request as it reaches the gateway. */
export type WorldArrival = {
  readonly atMs: number;
  readonly modelIndex: number;
  readonly tenantIndex: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly endpoint: string;
  readonly priority: string;
  readonly prefixId: number;
  readonly prefixTokens: number;
  readonly session: number;
  readonly isInvalid: boolean;
  readonly isPinned: boolean;
};

export type WorldTraffic = {
  readonly nextAtMs: () => number;
  readonly take: () => WorldArrival;
  /** From now on, traffic under these conditions. */
  readonly follow: (conditions: Conditions, nowMs: number) => void;
};

export type WorldTrafficOptions = {
  readonly world: World;
  readonly seed: number;
  readonly trace: readonly TraceArrival[] | null;
  /** Requests a second to one worker of the watched model when nothing is wrong. */
  readonly ratePerWorker: number;
  /** Workers of each model. */
  readonly workersOf: readonly number[];
  /** 0 to 1: where in its swing and in the trace the run begins. */
  readonly startPhase: number;
};

/** A cached prefix is there so often. */
const EXPECTED_HITS = 0.9;
const SAMPLES = 1000;

export const CHAT = '/v1/chat/completions';
const COMPLETIONS = '/v1/completions';

/**
 * Requests as they come to all models: Poisson with lognormal lengths, or a recorded trace played in a loop at the
 * world's load. The conditions change what comes to the watched model, which is the first.
 */
export function createWorldTraffic(options: WorldTrafficOptions): WorldTraffic {
  const { world, trace, startPhase } = options;
  const { traffic } = world;
  const random = createRandom(options.seed, 'traffic');
  const lengthsOf = createLengths(world, options.seed, trace, startPhase);
  const meanGapMs = trace === null ? 0 : traceGapMs(trace);
  const shares = traffic.tenants.map(({ share }) => share);
  const shareTotal = shares.reduce((sum, share) => sum + share, 0);
  const usual = world.models.map(
    ({ rate_factor: factor }, index) =>
      (options.ratePerWorker * factor * (options.workersOf[index] ?? 0)) /
      (world.models[0]?.rate_factor ?? 1),
  );
  let conditions: Conditions | null = null;
  let nextAt = 0;
  let position = trace === null ? 0 : Math.floor(startPhase * trace.length) % trace.length;

  const swing = (nowMs: number) =>
    1 +
    traffic.swing *
      (conditions?.swing ?? 1) *
      Math.sin(2 * Math.PI * (nowMs / (traffic.swing_period_s * 1000) + startPhase));

  const tenantWeight = (index: number) =>
    ((shares[index] as number) / shareTotal) * (conditions?.tenantRate[index] ?? 1);

  function watchedRate(): number {
    let weight = 0;
    for (let index = 0; index < shares.length; index += 1) weight += tenantWeight(index);
    return (usual[0] as number) * (conditions?.rate ?? 1) * weight;
  }

  function totalRate(nowMs: number): number {
    let rate = watchedRate();
    for (let index = 1; index < usual.length; index += 1) rate += usual[index] as number;
    return rate * swing(nowMs) + (conditions?.documents?.ratePerSecond ?? 0);
  }

  /** Ms of a process of rate 1 a second until the next arrival. */
  function unitGap(): number {
    if (trace === null) return random.exponential(1000);
    const here = trace[position] as TraceArrival;
    const before = position === 0 ? 0 : (trace[position - 1] as TraceArrival).atMs;
    const gap = position === 0 ? meanGapMs : here.atMs - before;
    position = (position + 1) % trace.length;
    return (gap / meanGapMs) * 1000;
  }

  function schedule(nowMs: number): void {
    nextAt = nowMs + unitGap() / Math.max(1e-9, totalRate(nowMs));
  }

  function pick(weights: readonly number[]): number {
    let left = random.next() * weights.reduce((sum, weight) => sum + weight, 0);
    for (let index = 0; index < weights.length; index += 1) {
      left -= weights[index] as number;
      if (left < 0) return index;
    }
    return weights.length - 1;
  }

  schedule(0);
  return {
    nextAtMs: () => nextAt,
    take() {
      const atMs = nextAt;
      const total = totalRate(atMs);
      const documents = conditions?.documents ?? null;
      const isDocument = documents !== null && random.next() * total < documents.ratePerSecond;
      const modelIndex = isDocument ? 0 : pick([watchedRate(), ...usual.slice(1)]);
      const isWatched = modelIndex === 0;
      const tenantIndex = pick(shares.map((share, index) => (isWatched ? tenantWeight(index) : share)));
      const drawn = lengthsOf(tenantIndex, position);
      const scaled = isWatched
        ? scale(drawn, conditions?.promptScale ?? 1, conditions?.outputScale ?? 1)
        : drawn;
      const wanted = isDocument
        ? { prompt: documents.tokens * (0.92 + 0.16 * random.next()), output: documents.outputTokens }
        : scaled;
      // A prompt cut shorter than its prefix is another prompt.
      const hasPrefix = !isDocument && drawn.prefixId >= 0 && wanted.prompt > drawn.prefixTokens;
      const lengths = withinLimits(world, wanted);
      const isInvalid = isWatched && random.next() < (conditions?.invalidShare ?? 0);
      const isPinned = isWatched && random.next() < (conditions?.pinnedShare ?? 0);
      const arrival: WorldArrival = {
        atMs,
        modelIndex,
        tenantIndex,
        promptTokens: lengths.prompt,
        outputTokens: lengths.output,
        endpoint: random.next() < 0.8 ? CHAT : COMPLETIONS,
        priority: random.next() < traffic.high_priority_share ? 'high' : 'normal',
        prefixId: hasPrefix ? drawn.prefixId * world.models.length + modelIndex : -1,
        prefixTokens: hasPrefix ? Math.min(drawn.prefixTokens, lengths.prompt - 1) : 0,
        session: Math.floor(random.next() * traffic.sessions),
        isInvalid,
        isPinned,
      };
      schedule(atMs);
      return arrival;
    },
    follow(next, nowMs) {
      const before = totalRate(nowMs);
      conditions = next;
      // A Poisson process may be stretched at any moment.
      if (nextAt > nowMs) nextAt = nowMs + (nextAt - nowMs) * (before / Math.max(1e-9, totalRate(nowMs)));
    },
  };
}

type Drawn = {
  readonly prompt: number;
  readonly output: number;
  readonly prefixId: number;
  readonly prefixTokens: number;
};

type LengthsSource = (tenantIndex: number, position: number) => Drawn;

function createLengths(
  world: World,
  seed: number,
  trace: readonly TraceArrival[] | null,
  startPhase: number,
): LengthsSource {
  const { traffic } = world;
  const random = createRandom(seed, `lengths/${startPhase}`);
  const prefixes = createPrefixes(world, random);
  return (tenantIndex, position) => {
    const tenant = traffic.tenants[tenantIndex];
    const recorded = trace?.[(position + trace.length - 1) % trace.length];
    const prefix = prefixes();
    const prompt = recorded?.promptTokens ?? draw(random, tenant?.prompt ?? traffic.prompt);
    const output = recorded?.outputTokens ?? draw(random, tenant?.output ?? traffic.output);
    // A recorded prompt is as long as it was: its prefix is a part of it.
    const prefixTokens = recorded === undefined ? prefix.tokens : Math.min(prefix.tokens, prompt / 2);
    const isShared =
      prefix.id >= 0 && prefixTokens >= world.calibration.kv.block_size && recorded === undefined;
    return isShared
      ? { prompt: Math.max(prompt, prefix.tokens * 1.1), output, prefixId: prefix.id, prefixTokens }
      : { prompt, output, prefixId: -1, prefixTokens: 0 };
  };
}

/** Prefixes by popularity: each group has its own length, the same for all who ask. */
function createPrefixes(
  world: World,
  random: Random,
): () => { readonly id: number; readonly tokens: number } {
  const shared = world.traffic.shared_prefix;
  const none = { id: -1, tokens: 0 };
  if (shared === null) return () => none;
  const own = createRandom(1, `prefixes/${world.name}`);
  const groups = Array.from({ length: shared.groups }, (_, id) => ({
    id,
    tokens: Math.round(Math.min(draw(own, shared.tokens), world.calibration.context_max / 2)),
  }));
  const edges: number[] = [];
  let total = 0;
  for (let rank = 1; rank <= shared.groups; rank += 1) {
    total += 1 / rank ** shared.skew;
    edges.push(total);
  }
  return () => {
    if (random.next() >= shared.share) return none;
    const at = random.next() * total;
    let low = 0;
    let high = edges.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((edges[middle] as number) < at) low = middle + 1;
      else high = middle;
    }
    return groups[low] ?? none;
  };
}

const draw = (random: Random, { median, sigma, max }: Lengths) =>
  Math.min(max ?? Number.POSITIVE_INFINITY, random.lognormal(median, sigma));

const scale = ({ prompt, output }: Drawn, promptScale: number, outputScale: number) => ({
  prompt: prompt * promptScale,
  output: output * outputScale,
});

/** Whole tokens, prompt and answer together below the model's limit. */
function withinLimits(
  { calibration }: World,
  { prompt, output }: { readonly prompt: number; readonly output: number },
): { readonly prompt: number; readonly output: number } {
  const limit = calibration.context_max;
  const answer = Math.round(Math.min(Math.max(1, output), limit / 4));
  return {
    prompt: Math.round(Math.min(Math.max(1, prompt), limit - answer - 1)),
    output: answer,
  };
}

function traceGapMs(trace: readonly TraceArrival[]): number {
  const first = trace[0]?.atMs ?? 0;
  const last = trace[trace.length - 1]?.atMs ?? 0;
  return Math.max(1, (last - first) / Math.max(1, trace.length - 1));
}

/** What the usual traffic asks of a worker of the watched model, its lengths stretched by so much. */
export function demandOf(
  world: World,
  config: ServingConfig,
  trace: readonly TraceArrival[] | null,
): {
  readonly demand: (promptScale: number, outputScale: number) => MixDemand;
  /** Output tokens that this share of the requests stays below. */
  readonly outputQuantile: (share: number) => number;
} {
  const lengthsOf = createLengths(world, 1, trace, 0);
  const random = createRandom(1, 'demand');
  const { tenants } = world.traffic;
  const total = tenants.reduce((sum, { share }) => sum + share, 0);
  const sample = Array.from({ length: SAMPLES }, (_, index) => {
    let left = random.next() * total;
    const tenant = tenants.findIndex(({ share }) => {
      left -= share;
      return left < 0;
    });
    const at = trace === null ? 0 : Math.floor((index / SAMPLES) * trace.length);
    return lengthsOf(Math.max(0, tenant), at + 1);
  });
  const hits = config.cachesPrefixes ? EXPECTED_HITS : 0;
  const outputs = sample.map(({ output }) => output).sort((a, b) => a - b);
  const demand = (promptScale: number, outputScale: number) =>
    mixDemand(
      config,
      sample.map((drawn): RequestLengths => {
        const fitted = withinLimits(world, scale(drawn, promptScale, outputScale));
        return { ...fitted, cached: fitted.prompt > drawn.prefixTokens ? drawn.prefixTokens * hits : 0 };
      }),
    );
  return {
    demand,
    outputQuantile: (share) => outputs[Math.min(outputs.length - 1, Math.floor(share * outputs.length))] ?? 1,
  };
}
