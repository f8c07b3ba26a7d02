import type { FleetSnapshot, WorkerSnapshot } from '../../../src/simulator/snapshot.js';
import type { PageWriter, RunClock, SeriesLabels, SnapshotPage } from './snapshot-dialect.js';

/**
 * One page a worker. One that is down does not answer, one whose pod is gone is no longer a target. Client libraries add
 * the start of their process, unless `withoutProcess`.
 */
export function workerPages(
  job: string,
  snapshot: FleetSnapshot,
  { startedAtSeconds }: RunClock,
  write: (page: PageWriter, worker: WorkerSnapshot, index: number) => void,
  options: {
    readonly target?: (worker: WorkerSnapshot) => SeriesLabels;
    readonly withoutProcess?: true;
  } = {},
): SnapshotPage[] {
  return snapshot.workers.flatMap((worker, index) =>
    worker.isPresent
      ? [
          {
            target: {
              job,
              pod: worker.name,
              instance: `10.0.0.${index + 1}:8000`,
              ...options.target?.(worker),
            },
            write: worker.up
              ? (page: PageWriter) => {
                  write(page, worker, index);
                  if (options.withoutProcess !== true)
                    page.value('process_start_time_seconds', {}, startedAtSeconds + worker.startedMs / 1000);
                }
              : null,
          },
        ]
      : [],
  );
}

/** Share of KV cache blocks in use, 0 to 1. */
export function kvUsed({ blocksFree, blocksTotal }: WorkerSnapshot): number {
  return 1 - blocksFree / blocksTotal;
}
