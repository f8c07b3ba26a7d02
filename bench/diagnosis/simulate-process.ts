/**
 * Simulates in a process of its own. Forked by simulation-pool.ts with a world and a trace file (empty for none): each
 * message is a SimulationTask, each answer a SimulationAnswer, and the process ends when it is disconnected.
 */

import { closeSync, openSync, writeSync } from 'node:fs';
import { dialectOf } from './dialects/dialects.js';
import { createRunWriter } from './open-metrics.js';
import { blindCluster } from './run-plan.js';
import { SIGNAL_GROUPS } from './signal-groups.js';
import { loadSettings, simulatePlan } from './simulate-plan.js';
import type { ExposeTask, PlayOnTask, SimulationAnswer, SimulationTask } from './simulation-task.js';
import { minutesToSlo } from './slo.js';
import { truthOf } from './truths.js';

const [worldName = '', traceFile = ''] = process.argv.slice(2);
const settings = loadSettings(worldName, traceFile);

process.on('message', (task: SimulationTask) => {
  process.send?.(answer(task) satisfies SimulationAnswer);
});
process.once('disconnect', () => process.exit(0));

function answer(task: SimulationTask): SimulationAnswer {
  try {
    if (task.kind === 'play_on') return { kind: 'played_on', minutes: playOn(task) };
    expose(task);
    return { kind: 'exposed' };
  } catch (error) {
    const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { kind: 'failed', detail: `${task.plan.id}: ${said}` };
  }
}

function expose({ plan, file, startedAtMs }: ExposeTask): void {
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
    for (const snapshot of simulatePlan(plan, settings)) {
      if (!plan.gaps.some(([from, to]) => atMs >= from && atMs < to)) {
        for (const writer of writers) writeSync(handle, writer.scrape(snapshot, startedAtMs + atMs));
      }
      atMs += plan.sampleEveryMs;
    }
  } finally {
    closeSync(handle);
  }
}

function playOn({ plan, intervention, atMs, horizonMs }: PlayOnTask): number | null {
  const interventions = intervention === null ? [] : [{ atMs, intervention }];
  const longer = { ...plan, durationMs: atMs + horizonMs };
  return minutesToSlo(simulatePlan(longer, settings, interventions), atMs);
}
