/** Plans → simulated runs → OpenMetrics → blocks of a Prometheus database. */

import { execFile } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import { appendFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { RunPlan } from './run-plan.js';
import type { SimulationPool } from './simulation-pool.js';

const PROMTOOL_WITHIN_MS = 30 * 60_000;

export type DatabaseOptions = {
  readonly plans: readonly RunPlan[];
  /** Holds the exposition while it is written, and `data` afterwards. */
  readonly directory: string;
  readonly startedAtMs: number;
  readonly pool: SimulationPool;
  readonly promtool: string;
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
  await appendFile(all, '# EOF\n');
  const data = join(directory, 'data');
  await createBlocks(promtool, all, data);
  await rm(all);
  return data;
}

/** Backfills an OpenMetrics file, which ends with its EOF line, into a database directory. */
export function createBlocks(promtool: string, file: string, dataDirectory: string): Promise<void> {
  return run(promtool, ['tsdb', 'create-blocks-from', 'openmetrics', '--quiet', file, dataDirectory]);
}

/** Returns the files that the processes wrote, one each. */
async function simulateAll({ plans, directory, pool, startedAtMs }: DatabaseOptions): Promise<string[]> {
  const files = new Set<string>();
  await Promise.all(
    plans.map((plan) =>
      pool.run((lane) => {
        const file = join(directory, `part-${lane}.om`);
        files.add(file);
        return { kind: 'expose', plan, file, startedAtMs };
      }),
    ),
  );
  return [...files];
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
