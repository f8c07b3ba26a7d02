/**
 * One gate an account at a provider. While it fails, one message at a time asks whether it is back, every few
 * seconds, so that what waits neither hammers it nor misses its return; once it accepts, the rest follows in
 * order of priority. A pause that it asked for is kept, over a restart as well.
 */

import { MINUTE, SECOND } from '../domain/clock.js';
import type { DeliveryReason, DeliveryResult } from '../domain/notification.js';
import type { AccountState } from '../store/account-store.js';
import type { Account } from './accounts.js';
import type { OutboxDeps } from './outbox-deps.js';

/** Between two questions to an account that fails, by how often it did; the last repeats for ever. */
const ASK_AFTER_MS = [0.1, 1, 2, 4].map((seconds) => seconds * SECOND);

/** After fewer failures in a row it may have been the message: then the others do not wait, and it keeps its own time. */
const IS_OUTAGE = 3;

/** Longer pauses are a provider's wish, not an on-call's. */
const MAX_PAUSE_MS = 2 * MINUTE;

export type Passage =
  | { readonly kind: 'open' }
  /** One message may ask, if none is under way. */
  | { readonly kind: 'ask' }
  | { readonly kind: 'shut'; readonly forMs: number };

export type Gates = {
  /** Reads what an earlier process knew. */
  readonly load: () => Promise<void>;
  readonly passage: (account: string) => Passage;
  /** Takes note of an answer. When an account accepts again, what waits for it is made due. */
  readonly answered: (account: Account, result: DeliveryResult) => Promise<void>;
  /** Accounts that are paused or failing. */
  readonly states: () => readonly AccountState[];
};

/** Durations are monotonic. */
type Gate = {
  failures: number;
  nextAskAt: number;
  pausedUntil: number;
  pausedUntilMs: number | null;
  failing: AccountState['failing'];
};

type Failure = { readonly reason: DeliveryReason; readonly detail: string };

export function createGates(deps: OutboxDeps): Gates {
  const { clock, logger } = deps;
  const gates = new Map<string, Gate>();

  function gateOf(account: string): Gate {
    const gate = gates.get(account) ?? {
      failures: 0,
      nextAskAt: 0,
      pausedUntil: 0,
      pausedUntilMs: null,
      failing: null,
    };
    gates.set(account, gate);
    return gate;
  }

  function stateOf(account: string, gate: Gate): AccountState {
    const isPaused = gate.pausedUntil > clock.monotonic();
    return { account, pausedUntilMs: isPaused ? gate.pausedUntilMs : null, failing: gate.failing };
  }

  async function accepted(account: Account, gate: Gate): Promise<void> {
    if (gate.failures === 0 && gate.failing === null) return;
    const wasOutage = gate.failures >= IS_OUTAGE;
    const nowMs = clock.now();
    const failedForMs = nowMs - (gate.failing?.sinceMs ?? nowMs);
    gate.failures = 0;
    gate.failing = null;
    await deps.db.transaction(async (tx) => {
      await deps.stores.accounts.saveAccountState(tx, stateOf(account.name, gate));
      if (wasOutage) await deps.stores.notifications.retryNow(tx, account.receivers, nowMs);
    });
    logger.info({ receivers: account.receivers, failedForMs }, 'receiver accepts again');
  }

  async function failed(account: Account, gate: Gate, failure: Failure, afterMs: number): Promise<void> {
    const step = ASK_AFTER_MS[Math.min(gate.failures, ASK_AFTER_MS.length - 1)] ?? 0;
    gate.failures += 1;
    const now = clock.monotonic();
    gate.nextAskAt = now + step * (0.5 + deps.random() / 2);
    if (afterMs > 0) {
      const pauseMs = Math.min(afterMs, MAX_PAUSE_MS);
      gate.pausedUntil = Math.max(gate.pausedUntil, now + pauseMs);
      gate.pausedUntilMs = clock.now() + (gate.pausedUntil - now);
    }
    await remember(account, gate, failure, afterMs > 0);
  }

  /** Written when it is news: the first failure, another kind of failure, a pause. */
  async function remember(account: Account, gate: Gate, failure: Failure, isPause: boolean): Promise<void> {
    const isNews = gate.failing?.reason !== failure.reason;
    gate.failing = { ...failure, sinceMs: gate.failing?.sinceMs ?? clock.now() };
    if (!isNews && !isPause) return;
    const state = stateOf(account.name, gate);
    await deps.db.transaction((tx) => deps.stores.accounts.saveAccountState(tx, state));
    if (!isNews) return;
    const fields = { receivers: account.receivers, ...failure };
    if (failure.reason === 'auth') logger.error(fields, 'receiver refuses our credentials: replace them');
    else logger.warn(fields, 'receiver fails');
  }

  return {
    async load() {
      const nowMs = clock.now();
      for (const state of await deps.stores.accounts.accountStates(deps.db.kysely)) {
        const gate = gateOf(state.account);
        const pauseMs = Math.min(MAX_PAUSE_MS, Math.max(0, (state.pausedUntilMs ?? 0) - nowMs));
        gate.pausedUntil = clock.monotonic() + pauseMs;
        gate.pausedUntilMs = nowMs + pauseMs;
        gate.failing = state.failing;
        // Refused credentials may have been replaced meanwhile, and whether the rest is over one message can tell.
        if (state.failing !== null && state.failing.reason !== 'auth') gate.failures = 1;
      }
    },
    passage(account) {
      const gate = gates.get(account);
      if (gate === undefined) return { kind: 'open' };
      const now = clock.monotonic();
      const shutUntil = Math.max(gate.pausedUntil, gate.failures > 0 ? gate.nextAskAt : 0);
      if (shutUntil > now) return { kind: 'shut', forMs: shutUntil - now };
      return gate.failures > 0 ? { kind: 'ask' } : { kind: 'open' };
    },
    async answered(account, result) {
      const gate = gateOf(account.name);
      switch (result.kind) {
        case 'sent':
          return accepted(account, gate);
        case 'unchanged':
          return;
        case 'rejected':
          // It answers, and has to do with this message only.
          gate.failures = 0;
          return;
        case 'dead':
          gate.failures = 0;
          if (result.reason === 'auth') await remember(account, gate, result, false);
          return;
        case 'retry':
          return failed(account, gate, result, result.afterMs ?? 0);
      }
    },
    states: () =>
      [...gates]
        .map(([account, gate]) => stateOf(account, gate))
        .filter((state) => state.pausedUntilMs !== null || state.failing !== null),
  };
}
