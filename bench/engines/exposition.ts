/** Writes what a scraped page says, in the spelling of the client library that its engine uses. */

import { counted, type Samples, type TruthWorker } from './truth.js';

export type Labels = Readonly<Record<string, string>>;
export type Series = { readonly labels: Labels; readonly value: number };

/** `python`: whole bucket edges are `5.0`; `go` (and Rust): `5`. */
export type Spelling = 'python' | 'go';

export type Exposition = {
  readonly gauge: (name: string, ...series: readonly Series[]) => void;
  /** `name` as it is scraped: whether it ends in `_total` is the engine's affair. */
  readonly counter: (name: string, ...series: readonly Series[]) => void;
  readonly histogram: (name: string, ...series: readonly HistogramSeries[]) => void;
  readonly text: () => string;
};

export type HistogramSeries = {
  readonly labels: Labels;
  readonly edges: readonly number[];
  /** How many were observed so far, and what each showed. */
  readonly observed: number;
  readonly samples: Samples;
  /** The samples' unit is multiplied by it: 1000 for milliseconds. */
  readonly unit?: number;
};

export function createExposition(spelling: Spelling): Exposition {
  const lines: string[] = [];
  const write = (name: string, labels: Labels, value: number) =>
    lines.push(`${name}${written(labels)} ${value}`);
  const simple =
    (type: string) =>
    (name: string, ...series: readonly Series[]) => {
      lines.push(`# HELP ${name} ${name}`, `# TYPE ${name} ${type}`);
      for (const one of series) write(name, one.labels, one.value);
    };
  return {
    gauge: simple('gauge'),
    counter: simple('counter'),
    histogram(name, ...series) {
      lines.push(`# HELP ${name} ${name}`, `# TYPE ${name} histogram`);
      for (const { labels, edges, observed, samples, unit = 1 } of series) {
        for (const edge of edges) {
          const le = spelling === 'python' && Number.isInteger(edge) ? `${edge}.0` : String(edge);
          write(`${name}_bucket`, { ...labels, le }, observed * shareUpTo(samples, edge / unit));
        }
        write(`${name}_bucket`, { ...labels, le: '+Inf' }, observed);
        write(
          `${name}_sum`,
          labels,
          observed * unit * (samples.reduce((sum, one) => sum + one, 0) / samples.length),
        );
        write(`${name}_count`, labels, observed);
      }
    },
    text: () => `${lines.join('\n')}\n`,
  };
}

const ascending = new WeakMap<Samples, readonly number[]>();

/** Share of the samples that are at most `edge`. */
export function shareUpTo(samples: Samples, edge: number): number {
  const sorted = ascending.get(samples) ?? [...samples].sort((a, b) => a - b);
  ascending.set(samples, sorted);
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? Number.POSITIVE_INFINITY) <= edge) low = middle + 1;
    else high = middle;
  }
  return low / sorted.length;
}

/** The counter of one worker after `seconds`. */
export function count(worker: TruthWorker, perSecond: number, seconds: number, labels: Labels): Series {
  return { labels, value: counted(worker, perSecond, seconds) };
}

function written(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}
