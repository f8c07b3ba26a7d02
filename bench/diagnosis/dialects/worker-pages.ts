import type { FleetSnapshot, WorkerSnapshot } from '../../../src/simulator/snapshot.js';
import type { PageWriter, ProcessStarts, SnapshotPage } from './snapshot-dialect.js';

/** One page a worker; one that is down does not answer. Client libraries add the start of their process, unless `withoutProcess`. */
export function workerPages(
  job: string,
  snapshot: FleetSnapshot,
  starts: ProcessStarts,
  write: (page: PageWriter, worker: WorkerSnapshot, index: number) => void,
  options: { readonly target?: Readonly<Record<string, string>>; readonly withoutProcess?: true } = {},
): SnapshotPage[] {
  return snapshot.workers.map((worker, index) => ({
    target: { job, pod: worker.name, instance: `10.0.0.${index + 1}:8000`, ...options.target },
    write: worker.up
      ? (page) => {
          write(page, worker, index);
          if (options.withoutProcess !== true)
            page.value('process_start_time_seconds', {}, starts.of(worker.name));
        }
      : null,
  }));
}

/** Share of KV cache blocks in use, 0 to 1. */
export function kvUsed({ blocksFree, blocksTotal }: WorkerSnapshot): number {
  return 1 - blocksFree / blocksTotal;
}
