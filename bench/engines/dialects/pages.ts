/** Pages of the processes of a fleet: one a worker, and others beside them. */

import type { Page } from '../dialect.js';
import { createExposition, type Exposition, type Labels, type Spelling } from '../exposition.js';
import { counted, type TruthWorker, WORKERS } from '../truth.js';

export type WorkerPage = (page: Exposition, worker: TruthWorker, seconds: number) => void;

/** One page a worker. Its process' start time stands on it, as client libraries add it, unless `withoutProcess`. */
export function workerPages(
  job: string,
  spelling: Spelling,
  write: WorkerPage,
  options: {
    readonly workers?: readonly TruthWorker[];
    readonly labels?: Labels;
    readonly withoutProcess?: boolean;
  } = {},
): Page[] {
  return (options.workers ?? WORKERS).map((worker, index) => ({
    labels: {
      job,
      pod: worker.name,
      instance: `10.0.0.${index + 1}:8000`,
      node: worker.node,
      ...options.labels,
    },
    render(seconds, startedAt) {
      const page = createExposition(spelling);
      write(page, worker, seconds);
      if (options.withoutProcess !== true) {
        const replaced = worker.restartedAt !== null && seconds >= worker.restartedAt;
        page.gauge('process_start_time_seconds', {
          labels: {},
          value: startedAt + (replaced ? (worker.restartedAt ?? 0) : 0),
        });
      }
      return page.text();
    },
  }));
}

/** A process that serves the whole fleet: a gateway, a router, an exporter of a node. */
export function sharedPage(
  labels: Labels,
  spelling: Spelling,
  write: (page: Exposition, seconds: number) => void,
): Page {
  return {
    labels,
    render(seconds) {
      const page = createExposition(spelling);
      write(page, seconds);
      return page.text();
    },
  };
}

/** A counter of one worker that grows at `perSecond`. */
export function growing(worker: TruthWorker, seconds: number, perSecond: number, labels: Labels) {
  return { labels, value: counted(worker, perSecond, seconds) };
}

/** The same over all workers, in a process that was never replaced. */
export function growingAll(seconds: number, perSecond: (worker: TruthWorker) => number, labels: Labels) {
  return { labels, value: seconds * WORKERS.reduce((sum, worker) => sum + perSecond(worker), 0) };
}
