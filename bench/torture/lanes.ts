/** Several tortures side by side, each with a database, a port and a seed of its own: starting a process keeps one core busy. */

import { join } from 'node:path';
import { runTorture, type TortureOptions, type TortureReport } from './run-torture.js';

/** Splits the kills and the alerts among the lanes and adds up what they found. */
export async function runLanes(options: TortureOptions & { readonly lanes: number }): Promise<TortureReport> {
  const { lanes, kills, minAccepted, seed, workDirectory, onProgress } = options;
  const reports = await Promise.all(
    Array.from({ length: lanes }, (_, lane) =>
      runTorture({
        ...options,
        kills: Math.floor(kills / lanes) + (lane < kills % lanes ? 1 : 0),
        minAccepted: Math.ceil(minAccepted / lanes),
        seed: seed + lane,
        workDirectory: join(workDirectory, `lane-${lane}`),
        onProgress: (line) => onProgress(lanes === 1 ? line : `lane ${lane}: ${line}`),
      }),
    ),
  );
  return mergeReports(reports, seed);
}

/** Exported for its test. */
export function mergeReports(reports: readonly TortureReport[], seed: number): TortureReport {
  const [first] = reports;
  if (first === undefined) throw new Error('no lane ran');
  const numbers = Object.entries(first).flatMap(([name, value]) => (typeof value === 'number' ? [name] : []));
  const sums = Object.fromEntries(
    numbers.map((name) => [name, reports.reduce((sum, report) => sum + Number(report[name as 'kills']), 0)]),
  );
  return {
    ...first,
    ...sums,
    seed,
    max_page_after_restart_ms: Math.max(...reports.map((report) => report.max_page_after_restart_ms)),
    faults: reports.flatMap((report) => report.faults),
    integrity: reports.find((report) => report.integrity !== 'ok')?.integrity ?? 'ok',
    settled: reports.every((report) => report.settled),
    stopped_by_itself: reports.every((report) => report.stopped_by_itself),
  };
}
