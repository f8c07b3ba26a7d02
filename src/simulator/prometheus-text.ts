/** The text exposition format, version 0.0.4. */

import type { HistogramSnapshot } from './histogram.js';

export type TextLabels = Readonly<Record<string, string>>;
export type TextSeries<T> = { readonly labels: TextLabels; readonly value: T };

export const TEXT_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** A gauge or counter family with its HELP and TYPE. `name` is as scraped, `_total` included. */
export function writeSimple(
  name: string,
  type: 'gauge' | 'counter',
  help: string,
  series: readonly TextSeries<number>[],
): string {
  const lines = series.map(({ labels, value }) => `${name}${writeLabels(labels)} ${writeNumber(value)}`);
  return [...head(name, type, help), ...lines, ''].join('\n');
}

/** A histogram family: cumulative buckets, +Inf, sum and count. */
export function writeHistogram(
  name: string,
  help: string,
  series: readonly TextSeries<HistogramSnapshot>[],
): string {
  const lines = head(name, 'histogram', help);
  for (const { labels, value } of series) {
    let cumulative = 0;
    for (const [bucket, count] of value.counts.entries()) {
      cumulative += count;
      const edge = value.bounds[bucket];
      const le = edge === undefined ? '+Inf' : writeEdge(edge);
      lines.push(`${name}_bucket${writeLabels({ ...labels, le })} ${cumulative}`);
    }
    lines.push(`${name}_sum${writeLabels(labels)} ${writeNumber(value.sum)}`);
    lines.push(`${name}_count${writeLabels(labels)} ${cumulative}`);
  }
  return [...lines, ''].join('\n');
}

function head(name: string, type: string, help: string): string[] {
  return [
    `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`,
    `# TYPE ${name} ${type}`,
  ];
}

function writeLabels(labels: TextLabels): string {
  const pairs = Object.entries(labels).map(([name, value]) => {
    const escaped = value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
    return `${name}="${escaped}"`;
  });
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

/** As Python's client spells it: whole edges with `.0`. */
function writeEdge(edge: number): string {
  return Number.isInteger(edge) ? `${edge}.0` : String(edge);
}

function writeNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return String(value);
}
