import type { WorkerSnapshot } from '../../../src/simulator/snapshot.js';

/** How a worker's requests ended, as an engine sees it. */
export type Endings = {
  /** Refused for what the caller sent. */
  readonly input: number;
  /** OOM and crashes: engines answer both with the same status. */
  readonly failed: number;
  /** The other side hung up: callers who left, and a gateway whose deadline passed, which an engine cannot tell apart. */
  readonly left: number;
};

export function endingsOf({ errorTypes, finishes }: WorkerSnapshot): Endings {
  const of = (type: string) => errorTypes[type] ?? 0;
  return { input: of('input'), failed: of('oom') + of('crash'), left: finishes.abort + of('timeout') };
}
