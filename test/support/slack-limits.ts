/**
 * Slack's rate limits as documented (api.slack.com/docs/rate-limits): about one message a second and channel with
 * short bursts, and for every other method so many calls a minute as its tier has.
 */

export type SlackLimits = {
  /** How long a call must wait, ms; 0 when it may go, and is then counted. */
  readonly waitMs: (method: string, channel: string, nowMs: number) => number;
};

const BURST = 3;
const MESSAGE_EVERY_MS = 1000;

/** Calls a minute: tier 3, and tier 4 where a method is in it. */
const PER_MINUTE: Readonly<Record<string, number>> = { 'auth.test': 100, 'views.open': 100 };
const TIER_3 = 50;
const MINUTE_MS = 60_000;

export function createSlackLimits(): SlackLimits {
  /** When each channel would have said all that it was given at one message a second. */
  const saidBy = new Map<string, number>();
  const calls = new Map<string, number[]>();

  function postWaitMs(channel: string, nowMs: number): number {
    const freeAtMs = Math.max(nowMs, saidBy.get(channel) ?? 0);
    const waitMs = freeAtMs - nowMs - (BURST - 1) * MESSAGE_EVERY_MS;
    if (waitMs > 0) return waitMs;
    saidBy.set(channel, freeAtMs + MESSAGE_EVERY_MS);
    return 0;
  }

  return {
    waitMs(method, channel, nowMs) {
      if (method === 'chat.postMessage') return postWaitMs(channel, nowMs);
      const recent = (calls.get(method) ?? []).filter((atMs) => atMs > nowMs - MINUTE_MS);
      calls.set(method, recent);
      const [oldest] = recent;
      if (oldest !== undefined && recent.length >= (PER_MINUTE[method] ?? TIER_3)) {
        return oldest + MINUTE_MS - nowMs;
      }
      recent.push(nowMs);
      return 0;
    },
  };
}
