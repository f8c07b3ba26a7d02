/** Named quantities and what reading one of them can give. Blindness is a result, with its reason. */

import type { Labels } from './labels.js';

/** One number of one series. `worker` is null for a figure of the whole scope. */
export type Sample = { readonly worker: string | null; readonly labels: Labels; readonly value: number };

/** `points` are [ms since 1970, value], oldest first; NaN marks a gap. */
export type SampleSeries = {
  readonly worker: string | null;
  readonly labels: Labels;
  readonly points: readonly (readonly [number, number])[];
};

export const EMPTY_REASONS = [
  'no_series',
  'no_traffic',
  'renamed',
  'label_missing',
  'not_a_number',
  'unavailable',
] as const;
export type EmptyReason = (typeof EMPTY_REASONS)[number];

export const FAILURE_REASONS = [
  'timeout',
  'unreachable',
  'http_error',
  'query_refused',
  'bad_response',
  'too_large',
  'circuit_open',
] as const;
export type FailureReason = (typeof FAILURE_REASONS)[number];

type Asked = {
  /** Engine file that answered (`vllm`, `llm`), or null when none was found. */
  readonly engine: string | null;
  /** The question as it was asked, for the reader to repeat. Null where there is none (simulated). */
  readonly query: string | null;
  /** What the source said beside its answer, such as that it is partial. */
  readonly warnings?: readonly string[];
};

export type SignalReading = Asked &
  (
    | { readonly kind: 'value'; readonly samples: readonly Sample[] }
    | { readonly kind: 'empty'; readonly reason: EmptyReason; readonly detail: string }
    | { readonly kind: 'stale'; readonly ageMs: number; readonly detail: string }
    | { readonly kind: 'failed'; readonly reason: FailureReason; readonly detail: string }
  );

export type RangeReading = Asked &
  (
    | { readonly kind: 'series'; readonly series: readonly SampleSeries[] }
    | { readonly kind: 'empty'; readonly reason: EmptyReason; readonly detail: string }
    | { readonly kind: 'stale'; readonly ageMs: number; readonly detail: string }
    | { readonly kind: 'failed'; readonly reason: FailureReason; readonly detail: string }
  );
