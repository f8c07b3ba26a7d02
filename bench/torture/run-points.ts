/**
 * Tells the scenario once for each of many points: the n-th sync, write, send or rename of its process, where it is
 * killed or where the call fails. SQLite is tested in this way ("test every failure point by counting",
 * sqlite.org/testing.html); here it is the whole service.
 */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { isFaultless } from './reconcile.js';
import { runScenario, type ScenarioReport } from './scenario.js';
import { countCalls, counting, type Injection, injecting, POINT_CALLS, type PointCall } from './strace.js';

export const POINT_ACTIONS = ['kill', 'EIO', 'ENOSPC', 'EROFS', 'EDQUOT'] as const;
export type PointAction = (typeof POINT_ACTIONS)[number];

export type PointsOptions = {
  readonly dist: string;
  readonly workDirectory: string;
  /** How many are wanted; fewer when the story has fewer. */
  readonly points: number;
  readonly action: PointAction;
  readonly lanes: number;
  /** Shifts which points are taken. */
  readonly seed: number;
  readonly onProgress: (line: string) => void;
};

export type PointsReport = {
  readonly action: PointAction;
  /** Runs in which the point was met. */
  readonly points: number;
  /** The story ended before its point was met: the machine was quicker or slower than when it was counted. */
  readonly not_reached: number;
  /** How many calls the story makes, by call. */
  readonly calls: Readonly<Record<string, number>>;
  readonly points_by_call: Readonly<Record<string, number>>;
  readonly answers_4xx: number;
  readonly lost: number;
  readonly duplicate_incidents: number;
  readonly unpaged_critical: number;
  readonly extra_dedup_keys: number;
  readonly triggers_after_resolve: number;
  readonly late_pages: number;
  readonly left_open: number;
  readonly damaged: number;
  readonly unsettled: number;
  /** A failing call must not end a service that was ready. */
  readonly died_of_errors: number;
  readonly max_page_after_restart_ms: number;
  readonly faults: readonly string[];
};

type Point = { readonly call: PointCall; readonly ordinal: number };

/** Calls that can fail for want of space or by a broken disk. */
const FAILING_CALLS: readonly PointCall[] = ['fsync', 'fdatasync', 'pwrite64', 'ftruncate'];

export async function runPoints(options: PointsOptions): Promise<PointsReport> {
  const { dist, workDirectory, action, onProgress } = options;
  const trace = join(workDirectory, 'calls.txt');
  const counted = await runScenario({
    dist,
    workDirectory: join(workDirectory, 'counted'),
    first: () => ({ wrap: counting(trace) }),
  });
  if (!isFaultless(counted))
    throw new Error(`the story fails without any fault: ${counted.faults.join('; ')}`);
  const calls = countCalls(trace, counted.pid);
  const points = choosePoints(calls, options);
  onProgress(
    `${points.length} points of ${[...calls].map(([call, count]) => `${count} ${call}`).join(', ')}`,
  );

  const outcomes: { point: Point; report: ScenarioReport }[] = [];
  const queue = [...points];
  async function lane(number: number): Promise<void> {
    for (let point = queue.shift(); point !== undefined; point = queue.shift()) {
      const directory = join(workDirectory, `lane-${number}`);
      const injection = injectionOf(point, action);
      const report = await runScenario({
        dist,
        workDirectory: directory,
        // What could not be written down is tried again when its lease has run out.
        withinMs: action === 'kill' ? 30_000 : 120_000,
        first: ({ database }) => ({
          wrap: injecting(
            action === 'kill' ? injection : { ...injection, paths: [database, `${database}-wal`] },
          ),
        }),
      });
      outcomes.push({ point, report });
      if (outcomes.length % 10 === 0) onProgress(`${outcomes.length} of ${points.length} points`);
    }
  }
  await Promise.all(Array.from({ length: options.lanes }, (_, number) => lane(number)));
  rmSync(join(workDirectory, 'counted'), { recursive: true, force: true });
  return summarise(options, calls, outcomes);
}

/** True when nothing that must be zero is not, and points were met at all. */
export function arePointsClean(report: PointsReport): boolean {
  return report.points > 0 && report.faults.length === 0;
}

/**
 * Spreads the wanted number over all calls: first each kind its share of an eighth, so that the few sends and renames
 * are among them, then the rest by their number; within a kind evenly.
 */
export function choosePoints(
  calls: ReadonlyMap<PointCall, number>,
  { points, action, seed }: Pick<PointsOptions, 'points' | 'action' | 'seed'>,
): Point[] {
  const kinds = [...calls].filter(([call]) => action === 'kill' || FAILING_CALLS.includes(call));
  const total = kinds.reduce((sum, [, count]) => sum + count, 0);
  const wanted = Math.min(points, total);
  const least = Math.floor(wanted / 8);
  const shares = new Map(kinds.map(([call, count]) => [call, Math.min(count, least)]));
  let left = wanted - [...shares.values()].reduce((sum, share) => sum + share, 0);
  while (left > 0) {
    // Whoever is served least for its number is next.
    const [next] = kinds
      .filter(([call, count]) => (shares.get(call) ?? 0) < count)
      .sort(([a, m], [b, n]) => (shares.get(a) ?? 0) / m - (shares.get(b) ?? 0) / n);
    if (next === undefined) break;
    shares.set(next[0], (shares.get(next[0]) ?? 0) + 1);
    left -= 1;
  }
  return kinds.flatMap(([call, count]) => {
    const share = shares.get(call) ?? 0;
    const step = count / share;
    const shift = (seed * 0.618) % 1;
    return Array.from({ length: share }, (_, index) => ({
      call,
      ordinal: 1 + Math.min(count - 1, Math.floor((index + shift) * step)),
    }));
  });
}

function injectionOf({ call, ordinal }: Point, action: PointAction): Injection {
  if (action === 'kill') return { calls: [call], when: String(ordinal), what: 'signal=KILL' };
  // A disk that fails does so for a moment: what is tried at once again fails as well.
  return { calls: [call], when: `${ordinal}..${ordinal + 2}`, what: `error=${action}` };
}

function summarise(
  options: PointsOptions,
  calls: ReadonlyMap<PointCall, number>,
  outcomes: readonly { readonly point: Point; readonly report: ScenarioReport }[],
): PointsReport {
  const { action } = options;
  // An error is met by whoever makes the call; only a kill shows in the exit.
  const met = outcomes.filter(({ report }) => action !== 'kill' || report.firstExit.signal === 'SIGKILL');
  const sum = (of: (report: ScenarioReport) => number) =>
    met.reduce((all, { report }) => all + of(report), 0);
  const died = ({ firstExit }: ScenarioReport) =>
    action !== 'kill' && firstExit.wasReady && firstExit.code !== 0;
  const faults = met.flatMap(({ point, report }) => {
    const wrong = [
      ...report.faults,
      ...(report.settled ? [] : ['not settled']),
      ...(report.integrity === 'ok' ? [] : [`damaged: ${report.integrity}`]),
      ...(died(report) ? [`the service ended with ${report.firstExit.code}`] : []),
    ];
    return wrong.map((fault) => `${action} at ${point.call} ${point.ordinal}: ${fault}`);
  });
  const byCall = POINT_CALLS.map(
    (call) => [call, met.filter(({ point }) => point.call === call).length] as const,
  );
  return {
    action,
    points: met.length,
    not_reached: outcomes.length - met.length,
    calls: Object.fromEntries(calls),
    points_by_call: Object.fromEntries(byCall.filter(([, count]) => count > 0)),
    answers_4xx: sum((report) => report.answers_4xx),
    lost: sum((report) => report.lost),
    duplicate_incidents: sum((report) => report.duplicate_incidents),
    unpaged_critical: sum((report) => report.unpaged_critical),
    extra_dedup_keys: sum((report) => report.extra_dedup_keys),
    triggers_after_resolve: sum((report) => report.triggers_after_resolve),
    late_pages: sum((report) => report.late_pages),
    left_open: sum((report) => report.left_open),
    damaged: sum((report) => (report.integrity === 'ok' ? 0 : 1)),
    unsettled: sum((report) => (report.settled ? 0 : 1)),
    died_of_errors: sum((report) => (died(report) ? 1 : 0)),
    max_page_after_restart_ms: Math.max(0, ...met.map(({ report }) => report.max_page_after_restart_ms)),
    faults,
  };
}
