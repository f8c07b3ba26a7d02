/** Seeded randomness: the same seed gives the same fleet, on every machine. */

export type Random = {
  /** Uniform in [0, 1). */
  readonly next: () => number;
  /** Exponential with the given mean. */
  readonly exponential: (mean: number) => number;
  /** Lognormal given its median and the sigma of its logarithm. */
  readonly lognormal: (median: number, sigma: number) => number;
};

/**
 * The mulberry32 generator: 32 bits of state, enough for a simulation and never for secrets.
 * `stream` separates independent uses of one seed, so that one more draw in one place moves nothing elsewhere.
 */
export function createRandom(seed: number, stream: string): Random {
  let state = mix(seed >>> 0, stream);

  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** Box–Muller; 1 − next() keeps the logarithm away from zero. */
  function normal(): number {
    return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  }

  return {
    next,
    exponential: (mean) => -Math.log(1 - next()) * mean,
    lognormal: (median, sigma) => median * Math.exp(sigma * normal()),
  };
}

/** FNV-1a over the seed and the name of the stream. */
function mix(seed: number, stream: string): number {
  let hash = 2_166_136_261;
  for (const character of `${seed}/${stream}`) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 16_777_619) >>> 0;
  }
  return hash;
}
