/**
 * One diagnosis as a file: the evidence that it saw, frozen, and what it made of it. gzip of JSON, versioned; later
 * versions read the earlier ones. As a file it may come from anywhere: it is checked, bounded, and never trusted.
 */

import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import { EMPTY_REASONS, FAILURE_REASONS } from '../domain/signal.js';
import { CONFIDENCES, FINDING_STATUSES } from '../domain/verdict.js';

/** Goes up when the shape changes. 1 held the evidence alone; 2 adds what was asked at other times, and the diagnosis. */
export const RECORDING_FORMAT_VERSION = 2;

/** JSON knows no NaN: a gap is null in the file and NaN in memory. */
const Value = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);
const Labels = z.record(z.string(), z.string());
const Asked = {
  engine: z.string().nullable(),
  query: z.string().nullable(),
  warnings: z.array(z.string()).exactOptional(),
};
const Unseen = [
  z.object({ ...Asked, kind: z.literal('empty'), reason: z.enum(EMPTY_REASONS), detail: z.string() }),
  z.object({ ...Asked, kind: z.literal('stale'), ageMs: z.number(), detail: z.string() }),
  z.object({ ...Asked, kind: z.literal('failed'), reason: z.enum(FAILURE_REASONS), detail: z.string() }),
  // Asked, and not answered while the diagnosis ran: a replay must not have it either.
  z.object({ ...Asked, kind: z.literal('late'), detail: z.string() }),
] as const;

export const Instant = z.discriminatedUnion('kind', [
  z.object({
    ...Asked,
    kind: z.literal('value'),
    samples: z.array(z.object({ worker: z.string().nullable(), labels: Labels, value: Value })),
  }),
  ...Unseen,
]);
export type Instant = z.infer<typeof Instant>;

export const Range = z.discriminatedUnion('kind', [
  z.object({
    ...Asked,
    kind: z.literal('series'),
    series: z.array(
      z.object({
        worker: z.string().nullable(),
        labels: Labels,
        points: z.array(z.tuple([z.number(), Value])),
      }),
    ),
  }),
  ...Unseen,
]);
export type Range = z.infer<typeof Range>;

/** A question about another moment or window than the frozen ones: an hour ago, the alert's own window. */
const Further = z.discriminatedUnion('kind', [
  z.object({
    kind: z.enum(['signal', 'query']),
    name: z.string(),
    agoMs: z.number(),
    windowMs: z.number().nullable(),
    answer: Instant,
  }),
  z.object({
    kind: z.literal('range'),
    name: z.string(),
    agoMs: z.number(),
    windowMs: z.number().nullable(),
    spanMs: z.number(),
    answer: Range,
  }),
]);
export type Further = z.infer<typeof Further>;

/** What a reader of any version needs; the rest is kept as it was written, for comparing. */
const Finding = z.looseObject({
  stepId: z.string(),
  title: z.string(),
  status: z.enum(FINDING_STATUSES),
  says: z.string(),
  limit: z.string().nullable(),
});
const Verdict = z.looseObject({
  cause: z.string().nullable(),
  says: z.string(),
  confidence: z.enum(CONFIDENCES),
  why: z.string(),
  contributing: z.array(z.string()),
  ruledOut: z.array(z.looseObject({ cause: z.string() })),
  unseen: z.array(z.string()),
  fixes: z.array(z.looseObject({ do: z.string(), command: z.string().nullable() })),
  wrongFixes: z.array(z.looseObject({ fix: z.string(), because: z.string() })),
});

export const Diagnosed = z.object({
  /** `INC-412`; null for one that no service made. */
  incident: z.string().max(40).nullable(),
  alert: z.object({ name: z.string(), labels: Labels, expression: z.string().nullable() }),
  /** The call that opened the incident, as it arrived; null with the reason in `note` where it is not had. */
  webhook: z.object({ body: z.string().nullable(), note: z.string().nullable() }),
  startedAtMs: z.number(),
  finishedAtMs: z.number(),
  deadlineMs: z.number().positive(),
  /** False: the process ended between verdict and freezing, and the evidence was read anew. A replay may differ. */
  sameEvidence: z.boolean(),
  entry: z.object({
    id: z.string(),
    isDefault: z.boolean(),
    /** Version: sha256 hex of the texts. */
    hash: z.string(),
    /** Every shared file in the order of loading, then the entry's own. */
    texts: z.array(z.object({ id: z.string(), file: z.string(), text: z.string() })).max(20),
  }),
  /** Those in force, by name. */
  thresholds: z.record(z.string(), z.number()),
  findings: z.array(Finding).max(200),
  verdict: Verdict,
});
export type Diagnosed = z.infer<typeof Diagnosed>;

export const Recording = z.object({
  formatVersion: z.union([z.literal(1), z.literal(RECORDING_FORMAT_VERSION)]),
  /** The moment that was asked about, ms since 1970. */
  atMs: z.number(),
  timeScale: z.number().positive(),
  scope: Labels,
  /** Kind of the source that was recorded. */
  recordedFrom: z.string(),
  /** How far `range` goes back, ms. */
  spanMs: z.number(),
  /** Per signal: the instant of every worker; the span as one series of all (worker null) and the five worst. */
  signals: z.record(z.string(), z.object({ instant: Instant, range: Range })),
  /** Expressions that were asked as they stand. */
  queries: z.record(z.string(), Instant),
  further: z.array(Further).max(1000).default([]),
  /** Null where only the evidence is known. */
  diagnosed: Diagnosed.nullable().default(null),
});
export type Recording = z.infer<typeof Recording>;

/** No recording of ours is near this; a crafted one must not fill the memory. */
const MAX_BYTES = 64 * 1024 * 1024;
/** Faults shown of a file that is none of ours. */
const MAX_REASON_CHARS = 2000;

/** The bytes to store. */
export function encodeRecording(recording: Recording): Uint8Array {
  return gzipSync(JSON.stringify(recording));
}

export type DecodedRecording =
  | { readonly kind: 'ok'; readonly recording: Recording }
  | { readonly kind: 'unreadable'; readonly reason: string };

/** Reads gzip of JSON, or the JSON itself. Never throws. */
export function decodeRecording(body: Uint8Array): DecodedRecording {
  let value: unknown;
  try {
    const isPlain = body[0] === 0x7b && body.length <= MAX_BYTES;
    const text = isPlain ? Buffer.from(body) : gunzipSync(body, { maxOutputLength: MAX_BYTES });
    value = JSON.parse(text.toString('utf8'));
  } catch (error) {
    return unreadable(`not gzip of JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const version = (value as { formatVersion?: unknown } | null)?.formatVersion;
  if (typeof version === 'number' && version > RECORDING_FORMAT_VERSION) {
    return unreadable(
      `written in format ${version}, this version reads up to ${RECORDING_FORMAT_VERSION}: use a newer one`,
    );
  }
  try {
    const parsed = Recording.safeParse(value);
    if (!parsed.success) return unreadable(z.prettifyError(parsed.error));
    return { kind: 'ok', recording: parsed.data };
  } catch (error) {
    // Nesting without end overflows the stack of whoever walks it.
    return unreadable(`cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function unreadable(reason: string): DecodedRecording {
  return { kind: 'unreadable', reason: reason.slice(0, MAX_REASON_CHARS) };
}
