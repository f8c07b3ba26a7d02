/** Metrics of what is due later, and of the clock that it is due by. Labels are closed lists. */

import { Counter, Gauge, type Registry } from 'prom-client';

export type TimerMetrics = ReturnType<typeof createTimerMetrics>;

export function createTimerMetrics(registry: Registry) {
  const registers = [registry];
  const ended = new Counter({
    name: 'wakewell_timers_total',
    help: 'Timers whose time came, by kind and by what became of them',
    labelNames: ['kind', 'outcome'],
    registers,
  });
  const steps = new Counter({
    name: 'wakewell_clock_jumps_total',
    help: 'Steps of the wall clock by more than 5 s',
    labelNames: ['direction'],
    registers,
  });
  // Present from the start, so that a first step is an increase and not a new series.
  for (const direction of ['forward', 'back']) steps.inc({ direction }, 0);

  const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
  const auditPassed = gauge(
    'wakewell_auditor_last_ok_timestamp_seconds',
    'When an audit last found nothing late',
  );
  const auditSeconds = gauge('wakewell_auditor_seconds', 'Duration of the last audit');
  const late = new Gauge({
    name: 'wakewell_late',
    help: 'What the last audit found late, by check',
    labelNames: ['check'],
    registers,
  });
  const pings = new Counter({
    name: 'wakewell_deadman_pings_total',
    help: 'Dead-man pings by outcome; withheld: the audit did not pass',
    labelNames: ['outcome'],
    registers,
  });
  const pinged = gauge(
    'wakewell_deadman_last_ping_timestamp_seconds',
    'When the dead-man receiver last accepted a ping',
  );

  const depth = new Gauge({
    name: 'wakewell_outbox_depth',
    help: 'Messages that wait, by receiver and severity of their incident; as of the last audit',
    labelNames: ['receiver', 'severity'],
    registers,
  });
  const oldest = new Gauge({
    name: 'wakewell_outbox_oldest_age_seconds',
    help: 'Age of the oldest message that waits; as of the last audit',
    labelNames: ['receiver', 'severity'],
    registers,
  });

  return {
    backlog(
      rows: readonly {
        readonly receiver: string;
        readonly severity: string;
        readonly count: number;
        readonly sinceMs: number;
      }[],
      nowMs: number,
    ): void {
      depth.reset();
      oldest.reset();
      for (const { receiver, severity, count, sinceMs } of rows) {
        depth.set({ receiver, severity }, count);
        oldest.set({ receiver, severity }, Math.max(0, (nowMs - sinceMs) / 1000));
      }
    },
    audited(result: {
      readonly late: readonly { readonly check: string; readonly count: number }[];
      readonly tookMs: number;
      readonly passedAtMs: number | null;
    }): void {
      late.reset();
      for (const { check, count } of result.late) late.set({ check }, count);
      auditSeconds.set(result.tookMs / 1000);
      if (result.passedAtMs !== null) auditPassed.set(result.passedAtMs / 1000);
    },
    pinged(outcome: string, atMs: number): void {
      pings.inc({ outcome });
      if (outcome === 'sent') pinged.set(atMs / 1000);
    },
    ended(kind: string, outcome: string): void {
      ended.inc({ kind, outcome });
    },
    stepped(steppedMs: number): void {
      steps.inc({ direction: steppedMs > 0 ? 'forward' : 'back' });
    },
  };
}
