/** What a model of two workers goes through, in terms that no exporter uses; each dialect says it in its own names. */

import type { OverTime } from './series.js';

export type WorkerState = {
  /** 0: its scrapes fail and it shows nothing. Null: it is no target any more. */
  readonly up: OverTime;
  readonly kv: OverTime;
  readonly queue: OverTime;
  readonly running: OverTime;
  /** Tokens generated a second. */
  readonly tokens: OverTime;
  readonly preemptions: OverTime;
  readonly gpuUtilization: OverTime;
  readonly gpuMemoryGib: OverTime;
  readonly gpuCapacityGib: OverTime;
};

export type State = WorkerState & {
  /** Seconds that the slowest tenth of first tokens and of gaps took. Infinity: beyond the last bucket. */
  readonly ttft: OverTime;
  readonly tbt: OverTime;
  /** A second, and how many of them fail. */
  readonly requests: OverTime;
  readonly errors: OverTime;
  readonly errorType: string;
  /** Callers that were refused, or left: no fault of the model. */
  readonly refused: OverTime;
  /** What Kubernetes is told to run; null where it is not seen. */
  readonly replicasWanted: OverTime | null;
  /** Where the second worker differs. */
  readonly b: Partial<WorkerState>;
  /** Whether every counter starts over at that minute. */
  readonly resets: (minute: number) => boolean;
  /** Series whose names match are not exported at all. */
  readonly without: RegExp | null;
};

export const HEALTHY: State = {
  up: 1,
  kv: 0.7,
  queue: 4,
  running: 40,
  tokens: 900,
  preemptions: 0.004,
  gpuUtilization: 0.75,
  // A pool that stands at 93 % for ever.
  gpuMemoryGib: 37.2,
  gpuCapacityGib: 40,
  ttft: 0.3,
  tbt: 0.03,
  requests: 100,
  errors: 0.02,
  errorType: 'timeout',
  refused: 5,
  replicasWanted: null,
  b: {},
  resets: () => false,
  without: null,
};

/** When things change: what is compared with an hour ago, a little later, has to find the usual there. */
export const CHANGES_AT = 55;

/** The usual until then, `value` from then on. */
export function from(usual: number, value: number | null, minute = CHANGES_AT): OverTime {
  return (now) => (now < minute ? usual : value);
}
