/**
 * Takes webhook calls: one transaction stores the body, its alerts, the incident and episode, the work to be
 * done and, for a critical, the page itself. Only then the call is answered.
 *
 * Calls that arrive together share one commit, because a commit waits for the disk and a row does not.
 */

import { AppError } from '../domain/errors.js';
import { isDatabaseTrouble, type Tx } from '../store/database.js';
import type { IntakeDeps, IntakeInput, ReceiveOutcome } from './intake-types.js';
import { loadPlanState } from './load-plan-state.js';
import { createPlanner } from './plan-intake.js';
import { writePlan } from './write-plan.js';
import { createWriteStores } from './write-types.js';

export type { IntakeDeps, IntakeInput, IntakeMetrics, ReceiveOutcome } from './intake-types.js';

export type Intake = {
  /** Resolves when the call is committed. Rejects when it could not be (AppError `unavailable` while stopping); nothing is stored then. */
  readonly receive: (input: IntakeInput) => Promise<ReceiveOutcome>;
  /** The same as part of a transaction. Whoever commits it calls what follows a commit. */
  readonly receiveWithin: (tx: Tx, inputs: readonly IntakeInput[]) => Promise<ReceiveOutcome[]>;
  /** Refuses new calls and waits for those under way. */
  readonly close: () => Promise<void>;
};

/** A batch is closed at this many alerts, so that a storm's callers do not all wait for its last one. */
const MAX_BATCH_ALERTS = 2000;

const DEFAULT_PAGE_DEADLINE_MS = 5000;

type Waiting = {
  readonly input: IntakeInput;
  readonly resolve: (outcome: ReceiveOutcome) => void;
  readonly reject: (error: unknown) => void;
};

export function createIntake(deps: IntakeDeps): Intake {
  const stores = createWriteStores();
  const queue: Waiting[] = [];
  let running: Promise<void> | null = null;
  let closed = false;

  function commit(inputs: readonly IntakeInput[]): Promise<ReceiveOutcome[]> {
    return deps.db.transaction((tx) => receiveWithin(tx, inputs), { promised: true });
  }

  async function receiveWithin(tx: Tx, inputs: readonly IntakeInput[]): Promise<ReceiveOutcome[]> {
    const nowMs = deps.clock.now();
    const options = { ...deps, nowMs, pageDeadlineMs: deps.pageDeadlineMs ?? DEFAULT_PAGE_DEADLINE_MS };
    const split = inputs.map((input) => deps.heartbeats?.split(input) ?? { beats: [], rest: input });
    const beats = split.flatMap((one) => one.beats);
    const back = (await deps.heartbeats?.record(tx, beats, nowMs)) ?? [];
    // In the order of the calls; what the beats bring along comes after them and is nobody's answer.
    const calls = [...split.map((one) => one.rest), ...back];
    const planner = createPlanner(options);
    await loadPlanState(tx, stores, calls, options, planner);
    for (const call of calls) planner.receive(call);
    return writePlan(tx, stores, planner.plan, options);
  }

  async function commitBatch(batch: readonly Waiting[]): Promise<void> {
    const startedAt = deps.clock.monotonic();
    try {
      const outcomes = await commit(batch.map((one) => one.input));
      for (const [index, one] of batch.entries()) settle(one, outcomes[index]);
      deps.onCommitted();
      for (const { input } of batch) {
        const { parsed } = input;
        if (parsed.kind === 'group' && parsed.group.truncatedAlerts > 0) deps.onTruncated?.(parsed.group);
      }
      count(batch, startedAt);
    } catch (error) {
      // One call must not take down its neighbours; a database in trouble takes down all of them anyway.
      if (batch.length > 1 && !isDatabaseTrouble(error)) {
        deps.logger.warn(
          { err: error, requests: batch.length },
          'a batch failed, its calls are tried one by one',
        );
        for (const one of batch) await commitBatch([one]);
        return;
      }
      await rescue(batch, error);
    }
  }

  /**
   * A call that we cannot take though the database is well is our fault, and would come back for ever. It is
   * kept as unreadable, which a human sees.
   */
  async function rescue(batch: readonly Waiting[], error: unknown): Promise<void> {
    deps.logger.error({ err: error, requests: batch.length }, 'webhook calls could not be committed');
    const [only] = batch;
    if (only !== undefined && only.input.parsed.kind === 'group' && !isDatabaseTrouble(error)) {
      const reason = `it could not be taken: ${error instanceof Error ? error.message : String(error)}`;
      try {
        const [outcome] = await commit([{ ...only.input, parsed: { kind: 'unreadable', reason } }]);
        settle(only, outcome);
        deps.onCommitted();
        return;
      } catch (cause) {
        deps.logger.error({ err: cause }, 'a webhook call could not even be kept as unreadable');
      }
    }
    deps.metrics?.failed(batch.length);
    for (const one of batch) one.reject(error);
  }

  function count(batch: readonly Waiting[], startedAt: number): void {
    let alerts = 0;
    let quarantined = 0;
    let unreadable = 0;
    for (const { input } of batch) {
      if (input.parsed.kind === 'unreadable') unreadable += 1;
      else {
        alerts += input.parsed.group.alerts.length;
        quarantined += input.parsed.group.quarantined.length;
      }
    }
    const tookMs = deps.clock.monotonic() - startedAt;
    deps.metrics?.committed({ requests: batch.length, alerts, quarantined, unreadable, tookMs });
  }

  async function drain(): Promise<void> {
    // One turn of the event loop gathers what arrives together.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (queue.length > 0) await commitBatch(takeBatch(queue));
  }

  function wake(): void {
    running ??= drain().finally(() => {
      running = null;
      if (queue.length > 0) wake();
    });
  }

  return {
    receiveWithin,
    receive(input) {
      if (closed) return Promise.reject(new AppError('unavailable', 'the service is stopping'));
      return new Promise((resolve, reject) => {
        queue.push({ input, resolve, reject });
        wake();
      });
    },
    async close() {
      closed = true;
      while (running !== null) await running;
    },
  };
}

function takeBatch(queue: Waiting[]): Waiting[] {
  let alerts = 0;
  let taken = 0;
  for (const { input } of queue) {
    if (taken > 0 && alerts >= MAX_BATCH_ALERTS) break;
    alerts += input.parsed.kind === 'group' ? input.parsed.group.alerts.length : 1;
    taken += 1;
  }
  return queue.splice(0, taken);
}

function settle(one: Waiting, outcome: ReceiveOutcome | undefined): void {
  if (outcome === undefined) one.reject(new Error('a committed call has no outcome'));
  else one.resolve(outcome);
}
