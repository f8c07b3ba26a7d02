/** Child processes that simulate, since a simulation keeps a processor busy for seconds. */

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { SimulationAnswer, SimulationTask } from './simulation-task.js';

const CHILD = fileURLToPath(new URL('./simulate-process.ts', import.meta.url));

export type SimulationPool = {
  readonly size: number;
  /** Takes the next free process, the one numbered `lane`. Rejects when the simulation fails. */
  readonly run: (taskFor: (lane: number) => SimulationTask) => Promise<SimulationAnswer>;
  readonly close: () => void;
};

export function startSimulationPool(size: number, settings: readonly string[]): SimulationPool {
  const children = Array.from({ length: size }, () =>
    fork(CHILD, [...settings], { execArgv: ['--import', 'tsx'] }),
  );
  const free = children.map((child, lane) => ({ child, lane }));
  const waiting: ((one: (typeof free)[number]) => void)[] = [];

  async function take() {
    return free.shift() ?? new Promise<(typeof free)[number]>((resolve) => waiting.push(resolve));
  }

  return {
    size,
    async run(taskFor) {
      const one = await take();
      try {
        const answer = await ask(one.child, taskFor(one.lane));
        if (answer.kind === 'failed') throw new Error(answer.detail);
        return answer;
      } finally {
        const next = waiting.shift();
        if (next === undefined) free.push(one);
        else next(one);
      }
    },
    close() {
      for (const child of children) if (child.connected) child.disconnect();
    },
  };
}

function ask(child: ChildProcess, task: SimulationTask): Promise<SimulationAnswer> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`a simulating process ended with ${code}`));
    child.once('exit', ended);
    child.once('message', (message) => {
      child.off('exit', ended);
      resolve(message as SimulationAnswer);
    });
    child.send(task);
  });
}
