/**
 * Proves every 30 s, from the database alone, that nothing due is late. What is late is tried again once; what stays
 * late is an incident of our own. The dead-man ping goes only while this passes.
 */

import { type Cancel, type Clock, SECOND } from '../domain/clock.js';
import type { Logger } from '../log/logger.js';
import { minutesBetween } from '../render/duration.js';
import {
  type AuditCheck,
  type Backlog,
  type Late,
  readBacklog,
  readLate,
  readRaised,
} from '../store/audit-store.js';
import type { Database } from '../store/database.js';
import type { IntakeInput } from './intake-types.js';
import { type SelfAlert, selfInput } from './self-alert.js';

export const AUDIT_EVERY_MS = 30 * SECOND;

/** An audit that takes longer holds up what it audits. */
const SLOW_MS = SECOND;

export const LATE_ALERT = 'WakewellLate';

export type AuditorDeps = {
  readonly db: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly resolveHoldMs: number;
  readonly scopeLabels: readonly string[];
  /** Wakes whoever should have done it. */
  readonly retry: () => void;
  /** Takes in alerts about ourselves. */
  readonly receive: (input: IntakeInput) => Promise<unknown>;
  readonly metrics?: {
    readonly audited: (result: {
      readonly late: readonly Late[];
      readonly tookMs: number;
      readonly passedAtMs: number | null;
    }) => void;
    readonly backlog: (rows: readonly Backlog[], nowMs: number) => void;
  };
};

export type Auditor = {
  readonly start: () => void;
  readonly stop: () => Promise<void>;
  /** How long ago the last audit passed, ms of monotonic time; Infinity when none did. */
  readonly passedAgoMs: () => number;
  /** What the last audit found late. */
  readonly late: () => readonly Late[];
};

export function createAuditor(deps: AuditorDeps): Auditor {
  const { clock, logger } = deps;
  let stopped = true;
  let cancel: Cancel | null = null;
  let running: Promise<void> | null = null;
  let passedAt = Number.NEGATIVE_INFINITY;
  let found: readonly Late[] = [];
  let suspects = new Set<AuditCheck>();
  /** Null until the database was asked: an earlier process may have raised some. */
  let raised: Set<AuditCheck> | null = null;

  async function audit(): Promise<void> {
    const startedAt = clock.monotonic();
    const nowMs = clock.now();
    const late = await readLate(deps.db.kysely, nowMs, deps.resolveHoldMs);
    const tookMs = clock.monotonic() - startedAt;
    found = late;
    if (late.length === 0) passedAt = clock.monotonic();
    deps.metrics?.audited({ late, tookMs, passedAtMs: late.length === 0 ? nowMs : null });
    deps.metrics?.backlog(await readBacklog(deps.db.kysely), nowMs);
    if (tookMs > SLOW_MS) logger.warn({ tookMs }, 'the audit takes too long');
    if (late.length > 0) deps.retry();
    const proven = late.filter((one) => suspects.has(one.check));
    suspects = new Set(late.map((one) => one.check));
    raised ??= await readRaised(deps.db.kysely, LATE_ALERT);
    await raise(raised, proven, nowMs);
    await lower(raised, late, nowMs);
  }

  async function raise(raised: Set<AuditCheck>, proven: readonly Late[], nowMs: number): Promise<void> {
    for (const one of proven) {
      if (raised.has(one.check)) continue;
      logger.error({ ...one }, 'something due is late, and a second try did not help');
      await deps.receive(inputOf([alertOf(one.check, 'firing', one, nowMs)], nowMs));
      raised.add(one.check);
    }
  }

  async function lower(raised: Set<AuditCheck>, late: readonly Late[], nowMs: number): Promise<void> {
    const over = [...raised].filter((check) => !late.some((one) => one.check === check));
    if (over.length === 0) return;
    await deps.receive(
      inputOf(
        over.map((check) => alertOf(check, 'resolved', null, nowMs)),
        nowMs,
      ),
    );
    for (const check of over) raised.delete(check);
  }

  function inputOf(alerts: readonly SelfAlert[], nowMs: number): IntakeInput {
    return selfInput(alerts, { scopeLabels: deps.scopeLabels, nowMs });
  }

  function poll(): void {
    cancel = clock.after(AUDIT_EVERY_MS, () => {
      running ??= audit()
        .catch((error: unknown) => logger.error({ err: error }, 'the audit failed'))
        .finally(() => {
          running = null;
        });
      if (!stopped) poll();
    });
  }

  return {
    start() {
      stopped = false;
      poll();
    },
    async stop() {
      stopped = true;
      cancel?.();
      await running;
    },
    passedAgoMs: () => clock.monotonic() - passedAt,
    late: () => found,
  };
}

const WORDS: Readonly<Record<AuditCheck, string>> = {
  pages: 'critical pages that nobody accepted',
  outbox: 'due messages that nobody took',
  work: 'due investigations while none ends',
  timers: 'due timers that did not fire',
  untold: 'incidents that nobody was told of',
  undiagnosed: 'incidents that nobody investigates',
  unreminded: 'open incidents without a reminder',
  unresolved: 'resolved incidents whose pager was not told',
};

/** "3 due messages that nobody took, the oldest for 6m". */
export function lateInWords({ check, count, sinceMs }: Late, nowMs: number): string {
  return `${count} ${WORDS[check]}, the oldest for ${minutesBetween(sinceMs, nowMs)}`;
}

function alertOf(
  check: AuditCheck,
  status: SelfAlert['status'],
  late: Late | null,
  nowMs: number,
): SelfAlert {
  return {
    name: LATE_ALERT,
    // A card that is late wakes nobody; everything else may hide a critical.
    severity: check === 'outbox' ? 'warning' : 'critical',
    status,
    labels: { check },
    summary: late === null ? `No ${WORDS[check]} any more` : lateInWords(late, nowMs),
    description: 'Look at /readyz, /outbox and the log',
  };
}
