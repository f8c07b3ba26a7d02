/**
 * One worker's counters begin anew while its process goes on, as when a multi-process exporter loses its files. `rate`
 * has to see through it.
 */

import type { HistogramSnapshot } from '../../src/simulator/histogram.js';
import type { FleetSnapshot, WorkerSnapshot } from '../../src/simulator/snapshot.js';

/** Returns snapshots in which the counters of that worker count from the first look at or after `atMs`. */
export function resetCounters(
  reset: { readonly worker: number; readonly atMs: number } | null,
): (snapshot: FleetSnapshot, runMs: number) => FleetSnapshot {
  let base: WorkerSnapshot | null = null;
  return (snapshot, runMs) => {
    if (reset === null || runMs < reset.atMs) return snapshot;
    const index = reset.worker % snapshot.workers.length;
    const worker = snapshot.workers[index];
    if (worker === undefined) return snapshot;
    // A restart of the process has its own reset.
    if (base !== null && worker.restarts !== base.restarts) return snapshot;
    base ??= worker;
    return { ...snapshot, workers: snapshot.workers.with(index, since(base, worker)) };
  };
}

function since(base: WorkerSnapshot, worker: WorkerSnapshot): WorkerSnapshot {
  const histogram = (
    name: 'ttft' | 'interToken' | 'queueWait' | 'duration' | 'requestQueue' | 'promptLength',
  ) => difference(base[name], worker[name]);
  return {
    ...worker,
    preemptions: worker.preemptions - base.preemptions,
    promptTokens: worker.promptTokens - base.promptTokens,
    generatedTokens: worker.generatedTokens - base.generatedTokens,
    ttft: histogram('ttft'),
    interToken: histogram('interToken'),
    queueWait: histogram('queueWait'),
    duration: histogram('duration'),
    requestQueue: histogram('requestQueue'),
    promptLength: histogram('promptLength'),
  };
}

function difference(base: HistogramSnapshot, now: HistogramSnapshot): HistogramSnapshot {
  return {
    bounds: now.bounds,
    counts: now.counts.map((count, index) => count - (base.counts[index] ?? 0)),
    sum: now.sum - base.sum,
    count: now.count - base.count,
  };
}
