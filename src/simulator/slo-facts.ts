/**
 * What callers of the watched model felt over the last minute, from the requests themselves and not from the buckets of
 * an exporter. Who still waits counts with what they have waited, so that a stall is no blank.
 */

export type SloFacts = {
  /** Seconds; null when nobody asked for anything in the last minute. */
  readonly ttftP99Seconds: number | null;
  readonly tbtP99Seconds: number | null;
  /** Failed of ended requests, 0 to 1. Requests turned away on purpose are not among them. */
  readonly errorRatio: number;
  /** Requests turned away on purpose, of all that ended. */
  readonly refusedRatio: number;
  readonly ended: number;
};

/** Requests in flight at the moment of asking: ages in ms. */
export type InFlight = {
  readonly eachUnanswered: (call: (ageMs: number) => void) => void;
  /** Gap since the last token, and how many requests decode behind it. */
  readonly eachStall: (call: (gapMs: number, requests: number) => void) => void;
};

export type SloMeter = {
  readonly firstToken: (nowMs: number, seconds: number) => void;
  readonly gap: (nowMs: number, seconds: number, times: number) => void;
  readonly ended: (
    nowMs: number,
    kind: 'ok' | 'cancelled' | 'refused' | 'error',
    waitedSeconds: number,
  ) => void;
  readonly facts: (nowMs: number, inFlight: InFlight) => SloFacts;
};

const SLOT_MS = 5000;
const SLOTS = 12;
/** Edges grow by 6%: from 1 ms to about ten minutes. */
const GROWTH = Math.log(1.06);
const LOWEST_SECONDS = 0.001;
const BUCKETS = 230;

type Slot = {
  index: number;
  readonly ttft: Float64Array;
  readonly tbt: Float64Array;
  ok: number;
  cancelled: number;
  refused: number;
  error: number;
};

export function createSloMeter(): SloMeter {
  const slots: Slot[] = Array.from({ length: SLOTS }, () => ({
    index: -1,
    ttft: new Float64Array(BUCKETS),
    tbt: new Float64Array(BUCKETS),
    ok: 0,
    cancelled: 0,
    refused: 0,
    error: 0,
  }));

  function slotAt(nowMs: number): Slot {
    const index = Math.floor(nowMs / SLOT_MS);
    const slot = slots[index % SLOTS] as Slot;
    if (slot.index !== index) {
      slot.index = index;
      slot.ttft.fill(0);
      slot.tbt.fill(0);
      slot.ok = 0;
      slot.cancelled = 0;
      slot.refused = 0;
      slot.error = 0;
    }
    return slot;
  }

  return {
    firstToken: (nowMs, seconds) => add(slotAt(nowMs).ttft, seconds, 1),
    gap: (nowMs, seconds, times) => add(slotAt(nowMs).tbt, seconds, times),
    ended(nowMs, kind, waitedSeconds) {
      const slot = slotAt(nowMs);
      slot[kind] += 1;
      // Who left without a token waited at least this long for it.
      if (kind === 'cancelled') add(slot.ttft, waitedSeconds, 1);
    },
    facts(nowMs, inFlight) {
      const ttft = new Float64Array(BUCKETS);
      const tbt = new Float64Array(BUCKETS);
      let ok = 0;
      let cancelled = 0;
      let refused = 0;
      let error = 0;
      const oldest = Math.floor(nowMs / SLOT_MS) - SLOTS + 1;
      for (const slot of slots) {
        if (slot.index < oldest) continue;
        for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
          ttft[bucket] = (ttft[bucket] as number) + (slot.ttft[bucket] as number);
          tbt[bucket] = (tbt[bucket] as number) + (slot.tbt[bucket] as number);
        }
        ok += slot.ok;
        cancelled += slot.cancelled;
        refused += slot.refused;
        error += slot.error;
      }
      inFlight.eachUnanswered((ageMs) => add(ttft, ageMs / 1000, 1));
      inFlight.eachStall((gapMs, requests) => add(tbt, gapMs / 1000, requests));
      const ended = ok + cancelled + error + refused;
      return {
        ttftP99Seconds: quantile(0.99, ttft),
        tbtP99Seconds: quantile(0.99, tbt),
        errorRatio: ok + cancelled + error === 0 ? 0 : error / (ok + cancelled + error),
        refusedRatio: ended === 0 ? 0 : refused / ended,
        ended,
      };
    },
  };
}

function add(buckets: Float64Array, seconds: number, times: number): void {
  const bucket = seconds <= LOWEST_SECONDS ? 0 : Math.ceil(Math.log(seconds / LOWEST_SECONDS) / GROWTH);
  const index = Math.min(BUCKETS - 1, bucket);
  buckets[index] = (buckets[index] as number) + times;
}

function quantile(q: number, buckets: Float64Array): number | null {
  let total = 0;
  for (const count of buckets) total += count;
  if (total === 0) return null;
  let below = 0;
  for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
    below += buckets[bucket] as number;
    if (below >= q * total) return LOWEST_SECONDS * Math.exp(bucket * GROWTH);
  }
  return null;
}
