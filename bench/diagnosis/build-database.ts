/** Plans → simulated runs → OpenMetrics → blocks of a Prometheus database. */

import { type ChildProcess, execFile, fork } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import type { RunPlan } from './run-plan.js';
import type { SimulatedRun, Task } from './simulate-process.js';

const CHILD = fileURLToPath(new URL('./simulate-process.ts', import.meta.url));
const PROMTOOL_WITHIN_MS = 30 * 60_000;

export type DatabaseOptions = {
  readonly plans: readonly RunPlan[];
  /** Holds the exposition while it is written, and `data` afterwards. */
  readonly directory: string;
  readonly startedAtMs: number;
  readonly processes: number;
  readonly promtool: string;
  readonly onRun?: (run: SimulatedRun) => void;
};

/** Returns the directory of the blocks. Rejects when a run cannot be simulated or promtool refuses its lines. */
export async function buildDatabase(options: DatabaseOptions): Promise<string> {
  const { directory, promtool } = options;
  const parts = await simulateAll(options);
  const all = join(directory, 'all.om');
  for (const part of parts) {
    await pipeline(createReadStream(part), createWriteStream(all, { flags: 'a' }));
    await rm(part);
  }
  const end = createWriteStream(all, { flags: 'a' });
  await new Promise<void>((resolve, reject) => {
    end.once('error', reject);
    end.end('# EOF\n', resolve);
  });
  const data = join(directory, 'data');
  await run(promtool, ['tsdb', 'create-blocks-from', 'openmetrics', '--quiet', all, data]);
  await rm(all);
  return data;
}

/** Each process takes the next plan when it is through with one. Returns the files they wrote. */
async function simulateAll(options: DatabaseOptions): Promise<string[]> {
  const waiting = [...options.plans];
  const count = Math.min(options.processes, waiting.length);
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const file = join(options.directory, `part-${index}.om`);
      const child = fork(CHILD, [], { execArgv: ['--import', 'tsx'] });
      try {
        for (let plan = waiting.shift(); plan !== undefined; plan = waiting.shift()) {
          const done = await ask(child, { plan, file, startedAtMs: options.startedAtMs });
          if (done.error !== undefined) throw new Error(`${plan.id}: ${done.error}`);
          options.onRun?.(done);
        }
      } finally {
        if (child.connected) child.disconnect();
      }
      return file;
    }),
  );
}

function ask(child: ChildProcess, task: Task): Promise<SimulatedRun> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`a simulating process ended with ${code}`));
    child.once('exit', ended);
    child.once('message', (message) => {
      child.off('exit', ended);
      resolve(message as SimulatedRun);
    });
    child.send(task);
  });
}

function run(binary: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(
      binary,
      [...args],
      { timeout: PROMTOOL_WITHIN_MS, maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => {
        if (error === null) resolve();
        else
          reject(new Error(`${binary} ${args.slice(0, 3).join(' ')}: ${stderr || stdout || error.message}`));
      },
    );
  });
}
