import { cumulativeAt } from './dialects/rebin.js';
import type { PageWriter, SeriesLabels, SnapshotDialect } from './dialects/snapshot-dialect.js';

/** Appends a page's lines. `labelsOf` attaches what a scrape would, `suffix` follows each value; a name left out is never written. */
export function createPageWriter(options: {
  readonly lines: string[];
  readonly spelling: SnapshotDialect['spelling'];
  readonly labelsOf: (own: SeriesLabels) => SeriesLabels;
  readonly suffix: string;
  readonly isLeftOut: (name: string) => boolean;
}): PageWriter {
  const { lines, spelling, labelsOf, suffix, isLeftOut } = options;
  return {
    value(name, labels, value) {
      if (!isLeftOut(name)) lines.push(`${name}${writtenLabels(labelsOf(labels))} ${value}${suffix}`);
    },
    histogram(name, labels, histogram, edges) {
      if (isLeftOut(`${name}_bucket`)) return;
      const all = writtenLabels(labelsOf(labels));
      const open = all === '{}' ? `${name}_bucket{le="` : `${name}_bucket${all.slice(0, -1)},le="`;
      const counts = cumulativeAt(histogram, edges);
      for (const [index, edge] of edges.entries())
        lines.push(`${open}${edgeText(edge, spelling)}"} ${counts[index] ?? 0}${suffix}`);
      lines.push(
        `${open}+Inf"} ${histogram.count}${suffix}`,
        `${name}_count${all} ${histogram.count}${suffix}`,
        `${name}_sum${all} ${histogram.sum}${suffix}`,
      );
    },
  };
}

/** Braces and all. Values are our own and need no escaping. */
export function writtenLabels(labels: SeriesLabels): string {
  return `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${value}"`)
    .join(',')}}`;
}

function edgeText(edge: number, spelling: SnapshotDialect['spelling']): string {
  return spelling === 'python' && Number.isInteger(edge) ? `${edge}.0` : String(edge);
}
