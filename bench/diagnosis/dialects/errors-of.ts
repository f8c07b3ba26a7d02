import type { FleetSnapshot, WorkerSnapshot } from '../../../src/simulator/snapshot.js';

export const ERROR_KINDS = ['oom', 'crash', 'timeout', 'overload', 'input'] as const;
export type ErrorKind = (typeof ERROR_KINDS)[number];
export type ErrorCounts = Readonly<Record<ErrorKind, number>> & {
  /** All but what the caller did wrong. */
  readonly others: number;
};

/** Failed requests of the whole fleet by kind, as its gateway counted them. */
export function fleetErrors({ gateway }: FleetSnapshot): ErrorCounts {
  const of = (kind: ErrorKind) =>
    gateway.errors
      .filter(({ labels }) => labels.error_type === kind)
      .reduce((sum, { value }) => sum + value, 0);
  const counts = {
    oom: of('oom'),
    crash: of('crash'),
    timeout: of('timeout'),
    overload: of('overload'),
    input: of('input'),
  };
  return { ...counts, others: counts.oom + counts.crash + counts.timeout + counts.overload };
}

/**
 * One worker's part of them. The gateway counts by kind and not by worker, so each worker shows an equal part, as of API
 * servers that a gateway calls in turn; the sum over the fleet is exact.
 */
export function errorsOf(snapshot: FleetSnapshot, _worker: WorkerSnapshot): ErrorCounts {
  const all = fleetErrors(snapshot);
  const share = 1 / snapshot.workers.length;
  return {
    oom: all.oom * share,
    crash: all.crash * share,
    timeout: all.timeout * share,
    overload: all.overload * share,
    input: all.input * share,
    others: all.others * share,
  };
}
