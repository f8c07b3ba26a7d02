/**
 * Writes what Prometheus would have scraped of one run: OpenMetrics lines with timestamps, as `promtool tsdb
 * create-blocks-from openmetrics` reads them. Target labels are attached here, as a scrape attaches them, and `up` is
 * written beside each page.
 */

import type { FleetSnapshot } from '../../src/simulator/snapshot.js';
import type { SeriesLabels, SnapshotDialect } from './dialects/snapshot-dialect.js';
import { resetCounters } from './reset-counters.js';
import { createPageWriter, writtenLabels } from './write-page.js';

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
  const clock = { startedAtSeconds: options.startedAtMs / 1000 };
  const reset = resetCounters(options.counterReset ?? null);
  const isLeftOut = (name: string) => without.some((pattern) => pattern.test(name));
  return {
    scrape(seen, atMs) {
      const snapshot = reset(seen, atMs - options.startedAtMs);
      const lines: string[] = [];
      const suffix = ` ${(atMs / 1000).toFixed(3)}`;
      for (const { target: own, honorsLabels, write } of dialect.pages(snapshot, clock)) {
        const target: SeriesLabels = { cluster, namespace: snapshot.place.namespace, ...own };
        const labelsOf = (labels: SeriesLabels) =>
          honorsLabels === true ? { ...target, ...labels } : { ...labels, ...target };
        if (!isLeftOut('up')) lines.push(`up${writtenLabels(target)} ${write === null ? 0 : 1}${suffix}`);
        write?.(createPageWriter({ lines, spelling: dialect.spelling, labelsOf, suffix, isLeftOut }));
      }
      return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
    },
  };
}
