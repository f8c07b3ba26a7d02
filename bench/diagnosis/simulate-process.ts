/**
 * Simulates plans in a process of its own and writes their exposition. Forked by build-database.ts: the first message
 * is a Task, each answer a SimulatedRun, and the process ends when it is disconnected.
 */

import { closeSync, openSync, writeSync } from 'node:fs';
import { dialectOf } from './dialects/dialects.js';
import { createRunWriter } from './open-metrics.js';
import { blindCluster, type RunPlan } from './run-plan.js';
import { SIGNAL_GROUPS } from './signal-groups.js';
import { simulatePlan } from './simulate-plan.js';
import { truthOf } from './truths.js';

export type Task = { readonly plan: RunPlan; readonly file: string; readonly startedAtMs: number };
export type SimulatedRun = { readonly id: string; readonly tookMs: number; readonly error?: string };

process.on('message', ({ plan, file, startedAtMs }: Task) => {
  const began = performance.now();
  try {
    write(plan, file, startedAtMs);
    process.send?.({ id: plan.id, tookMs: performance.now() - began } satisfies SimulatedRun);
  } catch (error) {
    const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.send?.({ id: plan.id, tookMs: performance.now() - began, error: said } satisfies SimulatedRun);
  }
});
process.once('disconnect', () => process.exit(0));

function write(plan: RunPlan, file: string, startedAtMs: number): void {
  const common = { dialect: dialectOf(plan.engine), startedAtMs, counterReset: plan.counterReset };
  const writers = [createRunWriter({ ...common, cluster: plan.id })];
  if (plan.hasBlindTwin) {
    const [mechanism = ''] = plan.mechanisms;
    const without = truthOf(mechanism).deciding.map((group) => SIGNAL_GROUPS[group]);
    writers.push(createRunWriter({ ...common, cluster: blindCluster(plan), without }));
  }
  const handle = openSync(file, 'a');
  try {
    let atMs = 0;
    for (const snapshot of simulatePlan(plan)) {
      if (!plan.gaps.some(([from, to]) => atMs >= from && atMs < to)) {
        for (const writer of writers) writeSync(handle, writer.scrape(snapshot, startedAtMs + atMs));
      }
      atMs += plan.sampleEveryMs;
    }
  } finally {
    closeSync(handle);
  }
}
