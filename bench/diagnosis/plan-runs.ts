/** Plans runs from a seed: balanced over causes, varied in everything that must not matter. */

import { createRandom, type Random } from '../../src/simulator/random.js';
import { ENGINE_NAMES, type EngineName } from './dialects/snapshot-dialect.js';
import { type EngineChoice, shows } from './engine-shows.js';
import type { RunPlan } from './run-plan.js';
import { isFault } from './truths.js';

export type PlanOptions = {
  readonly runs: number;
  readonly seed: number;
  readonly engine: EngineChoice;
  /** What can be simulated. */
  readonly mechanisms: readonly string[];
  /** Every n-th faulty run also has a blind twin. */
  readonly blindEvery?: number;
  /** Every n-th faulty run is also played on with its first fix, the tempting one, and nothing. */
  readonly loopEvery?: number;
};

const MINUTE = 60_000;
const SAMPLE_MS = 15_000;
/** Five minutes of rates and some minutes to settle, healthy. */
const LEAD_IN_MS = 4 * MINUTE;
/** The slowest alert asks for ten minutes of a five-minute window that has turned bad. */
const FAULT_MS = 16 * MINUTE;
/** At least a tenth of the runs has nothing wrong, or two things at once. */
const QUIET_SHARE = 0.1;
const COMPOUND_SHARE = 0.05;
const FLEETS = [2, 3, 4, 4, 6, 8, 8, 16] as const;
const LOADS = [0.7, 0.8, 0.9, 1, 1, 1.1] as const;

/** The same options, the same plans. */
export function planRuns(options: PlanOptions): RunPlan[] {
  const random = createRandom(options.seed, 'benchmark plans');
  const faults = options.mechanisms.filter(isFault);
  const quiet = options.mechanisms.filter((mechanism) => !isFault(mechanism));
  const plans: RunPlan[] = [];
  let faulty = 0;
  for (let index = 0; index < options.runs; index += 1) {
    // Quiet runs are spread evenly, so that a small setting has some as well.
    const isQuiet =
      quiet.length > 0 && Math.floor((index + 1) * QUIET_SHARE) > Math.floor(index * QUIET_SHARE);
    const of = isQuiet ? quiet : faults;
    const turn = isQuiet ? index - faulty : faulty;
    const mechanism = of[turn % of.length];
    if (mechanism === undefined) throw new Error('no mechanism can be simulated');
    if (!isQuiet) faulty += 1;
    plans.push(planRun(index, mechanism, { ...options, random, faults, isQuiet, turn }));
  }
  return plans;
}

type Context = PlanOptions & {
  readonly random: Random;
  readonly faults: readonly string[];
  readonly isQuiet: boolean;
  readonly turn: number;
};

function planRun(index: number, mechanism: string, context: Context): RunPlan {
  const { random, faults, isQuiet, turn } = context;
  const round = Math.floor(turn / Math.max(1, faults.length));
  const isCompound = !isQuiet && faults.length > 1 && random.next() < COMPOUND_SHARE;
  const other = pick(
    random,
    faults.filter((one) => one !== mechanism),
  );
  const mechanisms = isCompound && other !== undefined ? [mechanism, other] : [mechanism];
  const engine = chooseEngine(random, context.engine, mechanism);
  const hasEnd = mechanism === 'recovered';
  const faultAtMs = LEAD_IN_MS + Math.floor(random.next() * MINUTE);
  const durationMs = faultAtMs + FAULT_MS;
  return {
    id: `run-${String(index).padStart(4, '0')}`,
    seed: Math.floor(random.next() * 2 ** 31),
    mechanisms,
    severity: 0.3 + 0.7 * random.next(),
    workers: pick(random, FLEETS) ?? 4,
    loadFactor: pick(random, LOADS) ?? 1,
    engine,
    faultAtMs,
    rampMs: Math.floor(random.next() * 3) * MINUTE,
    endMs: hasEnd ? faultAtMs + 8 * MINUTE : null,
    durationMs,
    sampleEveryMs: SAMPLE_MS,
    gaps: planGaps(random, durationMs),
    counterReset:
      random.next() < 0.15
        ? { worker: Math.floor(random.next() * 16), atMs: Math.floor(random.next() * durationMs) }
        : null,
    hasBlindTwin: !isQuiet && !isCompound && round % (context.blindEvery ?? 4) === 0,
    inClosedLoop: !isQuiet && !isCompound && round % (context.loopEvery ?? 6) === 1,
  };
}

/** An engine that shows what decides the mechanism: where nobody could know, nothing is to be learned. */
function chooseEngine(random: Random, choice: EngineChoice, mechanism: string): EngineName {
  const wanted = choice === 'mixed' ? ENGINE_NAMES : [choice];
  const able = wanted.filter((engine) => shows(engine, mechanism));
  return pick(random, able.length > 0 ? able : wanted) ?? 'llm';
}

/** A third of the runs misses scrapes: one or two in a row, which the look-back bridges, once or twice. */
function planGaps(random: Random, durationMs: number): [number, number][] {
  if (random.next() > 1 / 3) return [];
  return Array.from({ length: random.next() < 0.5 ? 1 : 2 }, () => {
    const from = Math.floor(random.next() * durationMs);
    return [from, from + SAMPLE_MS * (1 + Math.floor(random.next() * 2))];
  });
}

function pick<T>(random: Random, list: readonly T[]): T | undefined {
  return list[Math.floor(random.next() * list.length)];
}
