/**
 * The port to whoever knows the metrics: Prometheus, a recording, or the simulated fleet.
 * It speaks signals, not PromQL. No function throws for anything the outside does; the reading says it.
 */

import type { Scope } from './scope.js';
import type { RangeReading, SignalReading } from './signal.js';

export type ReadOptions = {
  /** The moment asked about, ms since 1970. */
  readonly atMs: number;
  /** Window of rates and quantiles in ms; the source's default (5 min, shortened by the time scale) when absent. */
  readonly windowMs?: number;
  /** Gives up when it fires. */
  readonly signal?: AbortSignal;
};

export type MetricsSource = {
  /** `prometheus`, `recorded` or `simulated`. */
  readonly kind: 'prometheus' | 'recorded' | 'simulated';
  /** Instant values of a catalog signal in a scope, one sample a worker or one for the scope. */
  readonly readSignal: (signal: string, scope: Scope, options: ReadOptions) => Promise<SignalReading>;
  /** The signal over `spanMs` back from `atMs`, at most `maxPoints` points a series. */
  readonly readRange: (
    signal: string,
    scope: Scope,
    options: ReadOptions & { readonly spanMs: number; readonly maxPoints: number },
  ) => Promise<RangeReading>;
  /** An expression as it stands (an alert's own, an operator's own step). `empty: unavailable` where PromQL is not spoken. */
  readonly query: (expression: string, options: ReadOptions) => Promise<SignalReading>;
  /**
   * Lines of the scope's logs over `windowMs` back from `atMs` that match each pattern (RE2), one sample a pattern with
   * its name in the label `pattern`. Absent where no logs can be asked.
   */
  readonly readLogs?: (
    patterns: Readonly<Record<string, string>>,
    scope: Scope,
    options: ReadOptions & { readonly windowMs: number },
  ) => Promise<SignalReading>;
};
