/** How a fleet at one moment looks to a scraper, in one engine's own names. Hand-written from upstream, never from our engine files. */

import type { HistogramSnapshot } from '../../../src/simulator/histogram.js';
import type { FleetSnapshot } from '../../../src/simulator/snapshot.js';

export const ENGINE_NAMES = ['llm', 'vllm', 'sglang', 'dynamo', 'trtllm', 'tgi'] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

export type SeriesLabels = Readonly<Record<string, string>>;

export type PageWriter = {
  /** Gauges and counters alike; `name` is as it is scraped. */
  readonly value: (name: string, labels: SeriesLabels, value: number) => void;
  /** Cumulative buckets and count, on edges of the exporter's own. */
  readonly histogram: (
    name: string,
    labels: SeriesLabels,
    histogram: HistogramSnapshot,
    edges: readonly number[],
  ) => void;
};

/** One scraped process. */
export type SnapshotPage = {
  /** job, pod and instance, and what service discovery knows beside cluster and namespace. */
  readonly target: SeriesLabels;
  /** Its own labels win over the target's where they collide, as with `honor_labels`. */
  readonly honorsLabels?: true;
  /** Null: it does not answer the scrape. */
  readonly write: ((page: PageWriter) => void) | null;
};

export type RunClock = {
  /** Seconds since 1970 at which the run, and each snapshot's time, begins. */
  readonly startedAtSeconds: number;
};

export type SnapshotDialect = {
  readonly engine: EngineName;
  /** `python`: whole bucket edges are `5.0`; `go` (and Rust): `5`. */
  readonly spelling: 'python' | 'go';
  readonly pages: (snapshot: FleetSnapshot, clock: RunClock) => readonly SnapshotPage[];
};
