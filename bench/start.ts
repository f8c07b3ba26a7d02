/**
 * How long the built service takes from its start to an accepted connection, and how much memory it holds when
 * it idles. Usage: npm run bench:start (builds first). The last line is JSON: {"start_ms", "rss_mb"}.
 */

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const RUNS = 7;
const TARGET = { start_ms: 1_000, rss_mb: 150 };
/** Until what was only needed for starting is collected. */
const IDLE_MS = 3_000;
const GIVE_UP_MS = 20_000;

type Run = { readonly startMs: number; readonly rssMb: number };

const runs: Run[] = [];
for (let index = 0; index < RUNS; index += 1) {
  const run = await measure();
  runs.push(run);
  console.log(`run ${index + 1} of ${RUNS}: listening after ${run.startMs} ms, ${run.rssMb} MB idle`);
}
const result = {
  start_ms: median(runs.map((run) => run.startMs)),
  rss_mb: median(runs.map((run) => run.rssMb)),
};
const met = result.start_ms <= TARGET.start_ms && result.rss_mb <= TARGET.rss_mb;
console.log(`target: ${TARGET.start_ms} ms and ${TARGET.rss_mb} MB: ${met ? 'met' : 'missed'}`);
console.log(JSON.stringify(result));
process.exitCode = met ? 0 : 1;

/** One start with an empty database, as after an installation. */
async function measure(): Promise<Run> {
  const directory = mkdtempSync(join(tmpdir(), 'wakewell-start-'));
  const port = await freePort();
  const startedAt = performance.now();
  const service = spawn(process.execPath, [MAIN, 'serve'], {
    cwd: directory,
    env: { PATH: process.env.PATH ?? '', WAKEWELL_PORT: String(port), WAKEWELL_LOG_LEVEL: 'error' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => service.once('exit', () => resolve()));
  try {
    while (!(await accepts(port))) {
      if (service.exitCode !== null) throw new Error(`the service ended with ${service.exitCode}`);
      if (performance.now() - startedAt > GIVE_UP_MS) throw new Error('the service does not listen');
      await sleep(2);
    }
    const startMs = Math.round(performance.now() - startedAt);
    await sleep(IDLE_MS);
    return { startMs, rssMb: residentMegabytes(service.pid ?? 0) };
  } finally {
    service.kill('SIGTERM');
    await ended;
    rmSync(directory, { recursive: true, force: true });
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** VmRSS of Linux, in MB of 10^6 bytes. */
function residentMegabytes(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round((Number(kib) * 1024) / 1e6);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
