/** What a reading amounts to for a step: numbers per worker or for the scope, or the reason why there are none. */

import { findSignal } from '../catalog/signals.js';
import { canonicalLabels, type Labels } from '../domain/labels.js';
import type { Sample, SignalReading } from '../domain/signal.js';
import type { UnseenReason } from '../domain/verdict.js';

export type Seen = {
  readonly kind: 'seen';
  /** One a worker; null worker for the scope. NaN = the worker is known, its value is not. */
  readonly samples: readonly Sample[];
  readonly perWorker: boolean;
  /** Label that the samples of a scope are split by, or null. */
  readonly splitBy: string | null;
  readonly unit: string;
  readonly engine: string | null;
  readonly query: string | null;
};

export type Unseen = {
  readonly kind: 'unseen';
  readonly reason: UnseenReason;
  readonly detail: string;
  readonly engine: string | null;
  readonly query: string | null;
};

/** Unit of a signal as the catalog has it; plain numbers for what it does not know. */
export function unitOf(signal: string): string {
  return findSignal(signal)?.unit ?? 'count';
}

/** A fallback sentence for each reason: sources usually say more, and what they say is preferred. */
const SENTENCES: Readonly<Record<UnseenReason, string>> = {
  no_series: 'no series was found',
  no_traffic: 'no requests in the window, so there is nothing to measure',
  renamed: 'the metric exists only under another name',
  label_missing: 'a label that the query needs is missing, and it is not asked without it',
  not_a_number: 'the answer is not a number',
  unavailable: 'this engine does not report it',
  timeout: 'the metrics source did not answer in time',
  unreachable: 'the metrics source cannot be reached',
  http_error: 'the metrics source answered with an error',
  query_refused: 'the metrics source refused the query',
  bad_response: 'the answer cannot be read',
  too_large: 'the answer is too large',
  circuit_open: 'the metrics source failed repeatedly and is not asked for a while',
  stale: 'the last value is too old',
  not_in_time: 'no answer before the deadline of the diagnosis',
  by_hand: 'no metric shows it',
  check_failed: 'the check itself failed',
};

export function unseen(
  reason: UnseenReason,
  detail: string | null,
  asked: { readonly engine: string | null; readonly query: string | null },
): Unseen {
  const said = (detail ?? '').trim();
  return {
    kind: 'unseen',
    reason,
    detail: said === '' ? SENTENCES[reason] : said,
    engine: asked.engine,
    query: asked.query,
  };
}

/** Never throws for a reading of any shape that its type allows. */
export function seenOf(
  reading: SignalReading,
  about: { readonly unit: string; readonly splitBy: string | null },
): Seen | Unseen {
  switch (reading.kind) {
    case 'empty':
      return unseen(reading.reason, reading.detail, reading);
    case 'stale':
      return unseen('stale', reading.detail, reading);
    case 'failed':
      return unseen(reading.reason, reading.detail, reading);
    case 'value':
      break;
  }
  const samples = inOrder(reading.samples.map((sample) => ({ ...sample, value: plainNumber(sample.value) })));
  if (samples.length === 0) return unseen('no_series', null, reading);
  const perWorker = samples.some((sample) => sample.worker !== null);
  if (samples.every((sample) => Number.isNaN(sample.value))) {
    const where = perWorker ? ` for all ${samples.length} workers` : '';
    return unseen('not_a_number', `the answer is not a number (NaN)${where}`, reading);
  }
  return {
    kind: 'seen',
    samples: perWorker ? samples.filter((sample) => sample.worker !== null) : samples,
    perWorker,
    splitBy: perWorker ? null : about.splitBy,
    unit: about.unit,
    engine: reading.engine,
    query: reading.query,
  };
}

/** By worker, then labels: sums of floats depend on their order, and a source promises none. */
function inOrder(samples: Sample[]): Sample[] {
  const isBefore = (a: Sample, b: Sample) =>
    a.worker === b.worker
      ? canonicalLabels(a.labels) <= canonicalLabels(b.labels)
      : (a.worker ?? '') < (b.worker ?? '');
  for (let index = 1; index < samples.length; index += 1) {
    const [a, b] = [samples[index - 1], samples[index]];
    if (a !== undefined && b !== undefined && !isBefore(a, b))
      return samples.sort((one, other) => (isBefore(one, other) ? -1 : 1));
  }
  return samples;
}

/** NaN for what is no finite number; no negative zero, which JSON would not keep. */
function plainNumber(value: number): number {
  return Number.isFinite(value) ? value + 0 : Number.NaN;
}

/** A signal divided by another, worker by worker. A worker without a divisor, or with 0, is not seen. */
export function ratioOf(top: Seen | Unseen, bottom: Seen | Unseen): Seen | Unseen {
  if (top.kind === 'unseen') return top;
  if (bottom.kind === 'unseen') return { ...bottom, query: bottom.query ?? top.query };
  const divisors = new Map(bottom.samples.map((sample) => [sample.worker, sample.value]));
  const samples = top.samples.map((sample) => {
    // A divisor of the whole scope serves every worker.
    const divisor = divisors.get(sample.worker) ?? (bottom.perWorker ? undefined : divisors.get(null));
    const value = divisor === undefined || divisor === 0 ? Number.NaN : sample.value / divisor;
    return { ...sample, value: plainNumber(value) };
  });
  const query = top.query === null || bottom.query === null ? null : `(${top.query}) / (${bottom.query})`;
  if (samples.every((sample) => Number.isNaN(sample.value))) {
    return unseen('not_a_number', 'the ratio cannot be built: its divisor is missing or 0', {
      engine: top.engine,
      query,
    });
  }
  return { ...top, samples, unit: ratioUnit(top.unit, bottom.unit), query };
}

/** Of equal units a plain ratio; "requests per full cache" are still requests. */
export function ratioUnit(top: string, bottom: string): string {
  return top === bottom ? 'ratio' : top;
}

/** One value a worker: of several (one a GPU, one a priority) the worst, by the direction that fails. */
export function valuesByWorker(seen: Seen, lowIsWorse: boolean): ReadonlyMap<string, number> {
  // Asked for each worker in turn, of a thousand: worked out once a reading.
  const cache = lowIsWorse ? LOWEST : HIGHEST;
  const known = cache.get(seen);
  if (known !== undefined) return known;
  const values = worstByWorker(seen, lowIsWorse);
  cache.set(seen, values);
  return values;
}

const LOWEST = new WeakMap<Seen, ReadonlyMap<string, number>>();
const HIGHEST = new WeakMap<Seen, ReadonlyMap<string, number>>();

function worstByWorker(seen: Seen, lowIsWorse: boolean): Map<string, number> {
  const values = new Map<string, number>();
  for (const { worker, value } of seen.samples) {
    if (worker === null) continue;
    const present = values.get(worker);
    if (present === undefined || Number.isNaN(present)) values.set(worker, value);
    else if (!Number.isNaN(value))
      values.set(worker, lowIsWorse ? Math.min(present, value) : Math.max(present, value));
  }
  return values;
}

/** The finite values of the scope's samples, and of each value of the label they are split by. */
export function scopeValues(seen: Seen): {
  readonly values: number[];
  readonly byLabel: Map<string, number>;
} {
  const finite = seen.samples.filter((sample) => !Number.isNaN(sample.value));
  const byLabel = new Map<string, number>();
  const split = seen.splitBy;
  if (split !== null) {
    for (const sample of finite) {
      const name = labelOf(sample.labels, split);
      byLabel.set(name, (byLabel.get(name) ?? 0) + sample.value);
    }
  }
  return { values: finite.map((sample) => sample.value), byLabel };
}

export function labelOf(labels: Labels, name: string): string {
  const value = Object.hasOwn(labels, name) ? labels[name] : undefined;
  // It becomes part of a number's name.
  return (value ?? 'unlabelled').replace(/[^a-zA-Z0-9_-]+/g, '_').slice(0, 40) || 'unlabelled';
}
