/**
 * Writes what Prometheus would have scraped of one run: OpenMetrics lines with timestamps, as `promtool tsdb
 * create-blocks-from openmetrics` reads them. Target labels are attached here, as a scrape attaches them, and `up` is
 * written beside each page.
 */

import type { FleetSnapshot, WorkerSnapshot } from '../../src/simulator/snapshot.js';
import { cumulativeAt } from './dialects/rebin.js';
import type {
  PageWriter,
  ProcessStarts,
  SeriesLabels,
  SnapshotDialect,
  SnapshotPage,
} from './dialects/snapshot-dialect.js';
import { resetCounters } from './reset-counters.js';

export type RunWriter = {
  /** Lines of one scrape of all targets at `atMs` since 1970. */
  readonly scrape: (snapshot: FleetSnapshot, atMs: number) => string;
};

export type RunWriterOptions = {
  readonly dialect: SnapshotDialect;
  readonly cluster: string;
  readonly startedAtMs: number;
  /** Series whose names match are left out, as if nobody exported them. */
  readonly without?: readonly RegExp[];
  readonly counterReset?: { readonly worker: number; readonly atMs: number } | null;
};

export function createRunWriter(options: RunWriterOptions): RunWriter {
  const { dialect, cluster, without = [] } = options;
  const starts = createProcessStarts(options.startedAtMs);
  const reset = resetCounters(options.counterReset ?? null);
  const isLeftOut = (name: string) => without.some((pattern) => pattern.test(name));
  return {
    scrape(seen, atMs) {
      const snapshot = reset(seen, atMs - options.startedAtMs);
      starts.look(snapshot.workers, atMs);
      const lines: string[] = [];
      const time = (atMs / 1000).toFixed(3);
      for (const page of dialect.pages(snapshot, starts)) {
        const target = { cluster, namespace: snapshot.place.namespace, ...page.target };
        if (!isLeftOut('up')) lines.push(`up${written(target)} ${page.write === null ? 0 : 1} ${time}`);
        page.write?.(pageWriter(page, target, time, lines));
      }
      return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
    },
  };

  function pageWriter(page: SnapshotPage, target: SeriesLabels, time: string, lines: string[]): PageWriter {
    const merged = (own: SeriesLabels) =>
      page.honorsLabels === true ? { ...target, ...own } : { ...own, ...target };
    return {
      value(name, labels, value) {
        if (!isLeftOut(name)) lines.push(`${name}${written(merged(labels))} ${value} ${time}`);
      },
      histogram(name, labels, histogram, edges) {
        if (isLeftOut(`${name}_bucket`)) return;
        const all = written(merged(labels));
        const open = `${name}_bucket${all.slice(0, -1)},le="`;
        const counts = cumulativeAt(histogram, edges);
        for (const [index, edge] of edges.entries())
          lines.push(`${open}${edgeText(edge, dialect.spelling)}"} ${counts[index] ?? 0} ${time}`);
        lines.push(`${open}+Inf"} ${histogram.count} ${time}`);
        lines.push(
          `${name}_count${all} ${histogram.count} ${time}`,
          `${name}_sum${all} ${histogram.sum} ${time}`,
        );
      },
    };
  }
}

function edgeText(edge: number, spelling: 'python' | 'go'): string {
  return spelling === 'python' && Number.isInteger(edge) ? `${edge}.0` : String(edge);
}

function written(labels: SeriesLabels): string {
  return `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${value}"`)
    .join(',')}}`;
}

/** When each worker's present process began: what its restarts tell. */
function createProcessStarts(startedAtMs: number) {
  const known = new Map<string, { restarts: number; seconds: number }>();
  return {
    look(workers: readonly WorkerSnapshot[], atMs: number): void {
      for (const { name, restarts } of workers) {
        const before = known.get(name);
        if (before?.restarts === restarts) continue;
        // A fleet has been up for a while when it is first looked at.
        const seconds = before === undefined ? startedAtMs / 1000 - 3600 : atMs / 1000;
        known.set(name, { restarts, seconds });
      }
    },
    of: (worker) => known.get(worker)?.seconds ?? startedAtMs / 1000,
  } satisfies ProcessStarts & { look: unknown };
}
