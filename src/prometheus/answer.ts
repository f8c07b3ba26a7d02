/** Prometheus' HTTP answers, read loosely, as tagged outcomes. Source: Prometheus 2.42 and 3.x docs/querying/api.md. */

import { z } from 'zod';
import { type Labels, labelsFrom } from '../domain/labels.js';
import type { FailureReason } from '../domain/signal.js';

/** `native`: the series is a native histogram, which is no number; its value is NaN. */
export type VectorSample = { readonly labels: Labels; readonly value: number; readonly native?: true };
export type MatrixSeries = {
  readonly labels: Labels;
  readonly points: readonly (readonly [number, number])[];
};

export type Failed = { readonly kind: 'failed'; readonly reason: FailureReason; readonly detail: string };
export type VectorAnswer =
  | {
      readonly kind: 'vector';
      readonly samples: readonly VectorSample[];
      readonly warnings: readonly string[];
    }
  | Failed;
export type MatrixAnswer =
  | {
      readonly kind: 'matrix';
      readonly series: readonly MatrixSeries[];
      readonly warnings: readonly string[];
    }
  | Failed;

const Point = z.tuple([z.number(), z.string()]);
const Metric = z.record(z.string(), z.string());

const Envelope = z.looseObject({
  status: z.enum(['success', 'error']),
  errorType: z.string().nullish(),
  error: z.string().nullish(),
  warnings: z.array(z.string()).nullish(),
  data: z.looseObject({ resultType: z.string(), result: z.unknown() }).nullish(),
  // VictoriaMetrics says so here rather than in a warning.
  isPartial: z.boolean().nullish(),
});

// A native histogram has `histogram` in place of `value`: it is no number, and reads as NaN.
const Vector = z.array(z.looseObject({ metric: Metric, value: Point.nullish() }));
const Matrix = z.array(z.looseObject({ metric: Metric, values: z.array(Point).nullish() }));

/** Reads the answer to an instant query. Never throws. */
export function readVector(text: string): VectorAnswer {
  const read = readEnvelope(text);
  if (read.kind === 'failed') return read;
  if (read.type === 'scalar') {
    const point = Point.safeParse(read.result);
    if (!point.success) return badResponse('a scalar without a value');
    return {
      kind: 'vector',
      samples: [{ labels: labelsFrom([]), value: toNumber(point.data[1]) }],
      warnings: read.warnings,
    };
  }
  if (read.type !== 'vector') return badResponse(`result type ${read.type.slice(0, 20)}, expected vector`);
  const vector = Vector.safeParse(read.result);
  if (!vector.success) return badResponse('a vector of an unknown shape');
  const samples = vector.data.map((one): VectorSample => {
    const labels = labelsFrom(Object.entries(one.metric));
    return one.value == null
      ? { labels, value: Number.NaN, native: true }
      : { labels, value: toNumber(one.value[1]) };
  });
  return { kind: 'vector', samples, warnings: read.warnings };
}

/** Reads the answer to a range query; times become ms. Never throws. */
export function readMatrix(text: string): MatrixAnswer {
  const read = readEnvelope(text);
  if (read.kind === 'failed') return read;
  if (read.type !== 'matrix') return badResponse(`result type ${read.type.slice(0, 20)}, expected matrix`);
  const matrix = Matrix.safeParse(read.result);
  if (!matrix.success) return badResponse('a matrix of an unknown shape');
  const series = matrix.data.map((one) => ({
    labels: labelsFrom(Object.entries(one.metric)),
    points: (one.values ?? []).map(
      ([seconds, value]) => [Math.round(seconds * 1000), toNumber(value)] as const,
    ),
  }));
  return { kind: 'matrix', series, warnings: read.warnings };
}

/** Type and text of an error envelope, or null when the text is none. */
export function readError(text: string): { readonly type: string; readonly text: string } | null {
  const envelope = Envelope.safeParse(parseJson(text));
  if (!envelope.success || envelope.data.status !== 'error') return null;
  const type = envelope.data.errorType ?? 'error';
  return { type, text: (envelope.data.error ?? type).slice(0, 300) };
}

function readEnvelope(
  text: string,
): { kind: 'ok'; type: string; result: unknown; warnings: string[] } | Failed {
  const envelope = Envelope.safeParse(parseJson(text));
  if (!envelope.success) return badResponse('not an answer of the Prometheus API');
  const { status, data, isPartial } = envelope.data;
  if (status === 'error') {
    const detail = (envelope.data.error ?? 'error without a text').slice(0, 300);
    return { kind: 'failed', reason: 'query_refused', detail };
  }
  if (data == null) return badResponse('success without data');
  const warnings = (envelope.data.warnings ?? []).slice(0, 5).map((warning) => warning.slice(0, 300));
  if (isPartial === true) warnings.push('the answer is partial');
  return { kind: 'ok', type: data.resultType, result: data.result, warnings };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function badResponse(detail: string): Failed {
  return { kind: 'failed', reason: 'bad_response', detail };
}

/** `Number("+Inf")` would be NaN. */
function toNumber(text: string): number {
  if (text === '+Inf' || text === 'Inf') return Number.POSITIVE_INFINITY;
  if (text === '-Inf') return Number.NEGATIVE_INFINITY;
  return Number(text);
}
