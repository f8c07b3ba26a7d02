/**
 * A world: everything a simulated run takes from outside, as one JSON file. How fast a worker is, how its scheduler and
 * router decide, what traffic comes, and how strongly each fault strikes. The file is ours, so it is read strictly: a
 * typo is a fault and not a number that quietly does nothing. src/simulator/README.md describes every key.
 */

import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { MECHANISMS } from './mechanism-names.js';

const Positive = z.number().positive();
const NotNegative = z.number().min(0);
const Count = z.number().int().positive();
const Share = z.number().min(0).max(1);
const Name = z.string().min(1).max(63);

/** The lower and the upper end a run draws from, in that order. */
const Range = z
  .tuple([z.number(), z.number()])
  .refine(([low, high]) => low <= high, 'expected the lower end first')
  .refine(([low]) => low >= 0, 'expected no negative number');

/** Lognormal token counts: the median, and the sigma of the logarithm. */
const LengthsOf = z.strictObject({ median: Positive, sigma: NotNegative, max: Count.optional() });

const Step = z.strictObject({
  base_ms: Positive.describe('an iteration without work: the weights are read once'),
  prefill_ms_per_token: NotNegative,
  prefill_ms_per_token_per_1k_context: NotNegative.default(0).describe('attention over what came before'),
  decode_ms_per_request: NotNegative,
  decode_ms_per_1k_context: NotNegative.default(0).describe('the KV cache of all decoding requests is read'),
  host_ms: NotNegative.default(0).describe('scheduler and sampling on the CPU, the GPU idle meanwhile'),
  graph_batch: Count.nullable().default(null).describe('largest batch with captured CUDA graphs'),
  eager_ms: NotNegative.default(0).describe('added to an iteration whose batch has no captured graph'),
});

const Calibration = z.strictObject({
  step: Step,
  kv: z.strictObject({ block_size: Count, blocks: Count }),
  max_batch: Count,
  token_budget: Count,
  context_max: Count,
  gpu: z.strictObject({
    memory_bytes: Positive.describe('of all GPUs of one worker together'),
    pool_share: Share.describe('allocated at start, whatever the load'),
  }),
  model_load_s: Positive.describe('from the start of a process to its first request'),
  engine_restart_s: Positive.describe('after a crash, the weights still in the page cache'),
  frontend_ms: NotNegative.describe('gateway and tokeniser: callers feel it, the engine does not'),
  patience_s: Positive.describe('a caller without a first token leaves'),
  deadline_s: Positive.describe('the gateway ends a request with a timeout'),
});

const Scheduler = z.strictObject({
  chunked_prefill: z.boolean().default(true),
  prefix_caching: z.boolean().default(true),
  admission: z.enum(['full_prompt', 'chunk']).default('full_prompt'),
  watermark_share: Share.default(0).describe('of the blocks, free after an admission'),
  long_prefill_cap_tokens: Count.nullable().default(null).describe('of one prompt in one iteration'),
  policy: z.enum(['fcfs', 'priority']).default('fcfs'),
});

const Router = z.strictObject({
  policy: z.enum(['round_robin', 'least_loaded', 'session_affinity', 'prefix_hash']).default('least_loaded'),
  spill_at: Count.nullable().default(null).describe('requests held, at which a chosen worker is passed over'),
});

const Tenant = z.strictObject({
  name: Name,
  share: Positive.describe('of the traffic, relative to the other tenants'),
  prompt: LengthsOf.optional(),
  output: LengthsOf.optional(),
});

const Model = z.strictObject({
  name: Name,
  worker_share: Positive.describe('of the workers, relative to the other models'),
  rate_factor: Positive.default(1).describe('times rate_per_worker_s'),
  step_factor: Positive.default(1).describe('times the step times'),
});

const TrafficOf = z.strictObject({
  rate_per_worker_s: Positive,
  prompt: LengthsOf,
  output: LengthsOf,
  high_priority_share: Share.default(0.1),
  shared_prefix: z
    .strictObject({
      share: Share.describe('of the requests that begin with one'),
      groups: Count.describe('distinct prefixes'),
      skew: NotNegative.default(1).describe('Zipf exponent of their popularity'),
      tokens: LengthsOf,
    })
    .nullable()
    .default(null),
  sessions: Count.default(400).describe('distinct sessions, for a router that pins them'),
  swing: Share.default(0.1).describe('slow variation of the rate around its mean'),
  swing_period_s: Positive.default(900),
  tenants: z.array(Tenant).min(1),
});

const FaultRanges = z.strictObject({
  severity: Range.optional(),
  onset_s: Range.optional(),
  ramp_s: Range.optional(),
  duration_s: Range.optional(),
  effect: z
    .tuple([NotNegative, NotNegative])
    .optional()
    .describe('at severity 0 and 1, in the unit of the mechanism'),
});

export const World = z.strictObject({
  $schema: z.string().optional(),
  name: Name,
  description: z.string().default(''),
  sources: z.array(z.string()).default([]).describe('where the numbers come from'),
  calibration: Calibration,
  scheduler: Scheduler.default(Scheduler.parse({})),
  router: Router.default(Router.parse({})),
  models: z.array(Model).min(1),
  traffic: TrafficOf,
  faults: z.partialRecord(z.enum(MECHANISMS), FaultRanges).default({}),
});

export type World = z.infer<typeof World>;
export type WorldInput = z.input<typeof World>;
export type FaultRanges = z.infer<typeof FaultRanges>;
export type Lengths = { readonly median: number; readonly sigma: number; readonly max?: number | undefined };

export type WorldReading =
  | { readonly kind: 'ok'; readonly world: World }
  /** Every fault as `path: what was expected`. */
  | { readonly kind: 'faulty'; readonly faults: readonly string[] };

/** Reads the JSON text of a world. All faults at once, each with its path. */
export function readWorld(text: string): WorldReading {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return {
      kind: 'faulty',
      faults: [`not JSON: ${error instanceof Error ? error.message : String(error)}`],
    };
  }
  const parsed = World.safeParse(value);
  if (!parsed.success) {
    return {
      kind: 'faulty',
      faults: parsed.error.issues.map(({ path, message }) => `${pathOf(path)}: ${message}`),
    };
  }
  const faults = contradictions(parsed.data);
  return faults.length > 0 ? { kind: 'faulty', faults } : { kind: 'ok', world: parsed.data };
}

/** Reads a world file. A file that cannot be opened is a fault like any other. */
export function loadWorld(file: string): WorldReading {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return { kind: 'faulty', faults: [`${file}: ${error instanceof Error ? error.message : String(error)}`] };
  }
  const reading = readWorld(text);
  return reading.kind === 'ok'
    ? reading
    : { kind: 'faulty', faults: reading.faults.map((fault) => `${file}: ${fault}`) };
}

/** The JSON Schema of a world file, for editors. */
export function worldJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(World, { io: 'input' }), title: 'Simulated serving world' };
}

function pathOf(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'the world';
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index > 0 ? '.' : ''}${String(part)}`))
    .join('');
}

/** What no single field shows: a world in which nothing could ever be served. */
function contradictions({ calibration, models, traffic }: World): string[] {
  const faults: string[] = [];
  const poolTokens = calibration.kv.blocks * calibration.kv.block_size;
  if (poolTokens < calibration.context_max) {
    faults.push(
      `calibration.kv: ${poolTokens} tokens: expected at least context_max (${calibration.context_max}), or a long prompt never fits`,
    );
  }
  if (calibration.token_budget <= 1) {
    faults.push('calibration.token_budget: expected more than one token, or nothing is prefilled');
  }
  for (const [what, list] of [
    ['models', models],
    ['traffic.tenants', traffic.tenants],
  ] as const) {
    const names = list.map(({ name }) => name);
    for (const name of new Set(names.filter((one, index) => names.indexOf(one) !== index))) {
      faults.push(`${what}: "${name}" is there twice: expected distinct names`);
    }
  }
  return faults;
}
