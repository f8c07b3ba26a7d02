/** GPU utilisation is smoothed over about this long, as a sampling exporter would. */
const TAU_MS = 2000;

export type GpuUtilisation = {
  /** The GPU computed for `busyMs` since the last call. */
  readonly wasBusy: (nowMs: number, busyMs: number) => void;
  /** Nothing is known of the time before. */
  readonly startAt: (nowMs: number) => void;
  readonly reset: () => void;
  /** Ratio 0–1. An idle GPU's fades. */
  readonly at: (nowMs: number, isIdle: boolean) => number;
};

export function createGpuUtilisation(): GpuUtilisation {
  let ratio = 0;
  let atMs = 0;
  return {
    wasBusy(nowMs, busyMs) {
      const elapsed = nowMs - atMs;
      if (elapsed <= 0) return;
      const keep = Math.exp(-elapsed / TAU_MS);
      ratio = ratio * keep + Math.min(1, busyMs / elapsed) * (1 - keep);
      atMs = nowMs;
    },
    startAt(nowMs) {
      atMs = nowMs;
    },
    reset() {
      ratio = 0;
    },
    at: (nowMs, isIdle) => ratio * Math.exp(-(isIdle ? Math.max(0, nowMs - atMs) : 0) / TAU_MS),
  };
}
