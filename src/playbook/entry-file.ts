/**
 * The shape of a playbook file as it is written. Strict: a typo must fail, never be ignored.
 * What the loader makes of it is in schema.ts; the meaning of every field is in playbooks/README.md.
 */

import { z } from 'zod';

/** Names of steps, causes and extra readings: they appear in texts as `{kv_cache.max}`. */
const Id = z.string().regex(/^[a-z][a-z0-9_]{0,39}$/, 'a name of lower-case letters, digits and _');
const Line = z.string().trim().min(1).max(400);
const ShortLine = z.string().trim().min(1).max(120);
/** Conditions are text with a grammar of their own, see condition.ts. */
const Condition = z.string().trim().min(1).max(120);
const Conditions = z.union([Condition, z.array(Condition).min(1).max(8)]);
const Duration = z.string().regex(/^[1-9][0-9]{0,3}(s|m|h)$/, 'a duration such as "10m"');
const OneOrMore = z.union([z.string(), z.array(z.string()).min(1).max(50)]);

/** Another signal read beside the step's own, for its conditions and texts. */
const Extra = z.union([
  z.string(),
  z.strictObject({ signal: z.string(), per: z.string().optional(), ago: Duration.optional() }),
]);

export const RawFail = z.strictObject({
  any_worker: Condition.optional(),
  most_workers: Condition.optional(),
  few_workers: Condition.optional(),
  wedged: Condition.optional(),
  scope: Condition.optional(),
  skew: Condition.optional(),
  rising: Duration.optional(),
  falling: Duration.optional(),
  while: z.record(Id, Condition).optional(),
  and: Conditions.optional(),
  or: Conditions.optional(),
});

export const RawStep = z.strictObject({
  id: Id,
  title: ShortLine,
  short: z.string().trim().min(1).max(14).optional(),
  signal: z.string().optional(),
  per: z.string().optional(),
  query: z.string().trim().min(1).max(2000).optional(),
  unit: z.string().optional(),
  by_hand: Line.optional(),
  logs: z
    .strictObject({
      /** RE2, by name. */
      patterns: z.record(Id, z.string().trim().min(1).max(300)),
      window: Duration.optional(),
      by_hand: Line,
    })
    .optional(),
  enable: Line.optional(),
  with: z.record(Id, Extra).optional(),
  fail: RawFail.optional(),
  applies_when: z.strictObject({ engine: OneOrMore.optional(), if: Condition.optional() }).optional(),
});

const RawRequirement = z.union([
  z.strictObject({
    any_of: z
      .array(z.record(Id, z.string().trim().min(1).max(120)))
      .min(1)
      .max(12),
    means: ShortLine.optional(),
    must: z.literal(true).optional(),
  }),
  // One step and what it must be, beside "means" and "must".
  z.record(Id, z.union([z.string().trim().min(1).max(120), z.literal(true)])),
]);

const Lever = z.string().regex(/^[a-z][a-z0-9_]{0,39}$/, 'a name such as batch_size');

export const RawFix = z.strictObject({
  do: Line,
  command: z
    .union([z.string().trim().min(1).max(600), z.record(Id, z.string().trim().min(1).max(600))])
    .optional(),
  expect: Line.optional(),
  protects: ShortLine.optional(),
  needs: z.enum(['none', 'scale', 'restart']).default('none'),
  risk: Line.optional(),
  lever: Lever.optional(),
  only_if: RawRequirement.optional(),
  unless: z.array(Id).max(10).default([]),
});

export const RawCause = z.strictObject({
  says: ShortLine,
  short: ShortLine.optional(),
  requires: z.array(RawRequirement).min(1).max(10),
  refuted_by: z.array(RawRequirement).max(10).default([]),
  beats: z.array(Id).max(20).default([]),
  explains: z.array(z.string().min(1)).max(50).default([]),
  fixes: z.array(RawFix).max(10).default([]),
  do_not: z
    .array(z.strictObject({ fix: Line, because: Line, lever: Lever.optional() }))
    .max(5)
    .default([]),
});

/** A file that serves alerts. */
export const RawEntry = z.strictObject({
  match: z.record(z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, 'a label name'), OneOrMore).optional(),
  default: z.literal(true).optional(),
  title: ShortLine,
  symptoms: z.array(Line).max(10).default([]),
  steps: z
    .array(z.union([z.string(), RawStep]))
    .min(1)
    .max(30),
  use: z.array(z.string()).max(40).default([]),
  causes: z.record(Id, RawCause).default({}),
  unclear: Line.optional(),
  escalation: z
    .array(
      z.strictObject({
        after: Duration,
        unless: z.enum(['acknowledged', 'resolved']).optional(),
        to: ShortLine,
        if: RawRequirement.optional(),
        why: Line.optional(),
      }),
    )
    .max(5)
    .default([]),
});

/** `common.yaml`: steps and causes that several entries use, written once. */
export const RawCommon = z.strictObject({
  steps: z.array(RawStep).max(60).default([]),
  causes: z.record(Id, RawCause).default({}),
});

export type RawEntry = z.infer<typeof RawEntry>;
export type RawCommon = z.infer<typeof RawCommon>;
export type RawStep = z.infer<typeof RawStep>;
export type RawCause = z.infer<typeof RawCause>;
export type RawFail = z.infer<typeof RawFail>;
export type RawFix = z.infer<typeof RawFix>;
export type RawRequirement = z.infer<typeof RawRequirement>;
