/** Metrics of what is due later, and of the clock that it is due by. Labels are closed lists. */

import { Counter, type Registry } from 'prom-client';

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

  return {
    ended(kind: string, outcome: string): void {
      ended.inc({ kind, outcome });
    },
    stepped(steppedMs: number): void {
      steps.inc({ direction: steppedMs > 0 ? 'forward' : 'back' });
    },
  };
}
