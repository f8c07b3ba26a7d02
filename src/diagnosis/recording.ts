/** The frozen evidence of one diagnosis, as it is stored: gzip of JSON, versioned, readable by later versions. */

import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import { EMPTY_REASONS, FAILURE_REASONS } from '../domain/signal.js';

/** Goes up when the shape changes; a reader keeps understanding the older ones. */
export const RECORDING_FORMAT_VERSION = 1;

/** JSON knows no NaN: a gap is null in the file and NaN in memory. */
const Value = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);
const Labels = z.record(z.string(), z.string());
const Asked = { engine: z.string().nullable(), query: z.string().nullable() };
const Unseen = [
  z.object({ ...Asked, kind: z.literal('empty'), reason: z.enum(EMPTY_REASONS), detail: z.string() }),
  z.object({ ...Asked, kind: z.literal('stale'), ageMs: z.number(), detail: z.string() }),
  z.object({ ...Asked, kind: z.literal('failed'), reason: z.enum(FAILURE_REASONS), detail: z.string() }),
] as const;

const Instant = z.discriminatedUnion('kind', [
  z.object({
    ...Asked,
    kind: z.literal('value'),
    samples: z.array(z.object({ worker: z.string().nullable(), labels: Labels, value: Value })),
  }),
  ...Unseen,
]);

const Range = z.discriminatedUnion('kind', [
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

export const Recording = z.object({
  formatVersion: z.literal(RECORDING_FORMAT_VERSION),
  /** The moment that was asked about, ms since 1970. */
  atMs: z.number(),
  timeScale: z.number(),
  scope: Labels,
  /** Kind of the source that was recorded. */
  recordedFrom: z.string(),
  /** How far `range` goes back, ms. */
  spanMs: z.number(),
  /** Per signal: the instant of every worker; the span as one series of all (worker null) and the five worst. */
  signals: z.record(z.string(), z.object({ instant: Instant, range: Range })),
  /** Expressions that were asked as they stand. */
  queries: z.record(z.string(), Instant),
});
export type Recording = z.infer<typeof Recording>;

/** No recording of ours is near this; a crafted one must not fill the memory. */
const MAX_BYTES = 64 * 1024 * 1024;

/** The bytes to store. */
export function encodeRecording(recording: Recording): Uint8Array {
  return gzipSync(JSON.stringify(recording));
}

export type DecodedRecording =
  | { readonly kind: 'ok'; readonly recording: Recording }
  | { readonly kind: 'unreadable'; readonly reason: string };

/** Never throws. */
export function decodeRecording(body: Uint8Array): DecodedRecording {
  let value: unknown;
  try {
    value = JSON.parse(gunzipSync(body, { maxOutputLength: MAX_BYTES }).toString('utf8'));
  } catch (error) {
    return {
      kind: 'unreadable',
      reason: `not gzip of JSON: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
  const version = (value as { formatVersion?: unknown } | null)?.formatVersion;
  if (typeof version === 'number' && version > RECORDING_FORMAT_VERSION) {
    return {
      kind: 'unreadable',
      reason: `written in format ${version}, this version reads up to ${RECORDING_FORMAT_VERSION}: use a newer one`,
    };
  }
  const parsed = Recording.safeParse(value);
  if (!parsed.success) return { kind: 'unreadable', reason: z.prettifyError(parsed.error) };
  return { kind: 'ok', recording: parsed.data };
}
