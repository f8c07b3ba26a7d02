/** Starts and stops the three servers, each in a process of its own. */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Target } from './load.js';

export type BenchServer = Target & {
  readonly rssMb: () => number;
  readonly stop: () => Promise<void>;
};

export const ALERTMANAGER = '/usr/bin/prometheus-alertmanager';

const WEBHOOK = '/api/v1/alertmanager';

export async function startDurable(): Promise<BenchServer> {
  const directory = mkdtempSync(join(tmpdir(), 'wakewell-bench-'));
  return startScript('durable-server.ts', [join(directory, 'bench.db')], directory);
}

export function startStoreless(): Promise<BenchServer> {
  return startScript('storeless-server.ts', [], null);
}

async function startScript(
  script: string,
  args: readonly string[],
  directory: string | null,
): Promise<BenchServer> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', path, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = await portOf(child);
  return server(child, { port, path: WEBHOOK }, directory);
}

/** The first line that a server prints. */
function portOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.stdout?.once('data', (line: Buffer) => resolve(Number(line.toString())));
    child.once('exit', (code) => reject(new Error(`a server ended with ${String(code)} before it listened`)));
  });
}

/** Takes webhooks and forgets them. */
const SINK = `
  const server = require('node:http').createServer((request, response) => {
    request.resume();
    request.on('end', () => response.end());
  });
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));
`;

/**
 * The real Alertmanager; null where it is not installed. `delivering`: as it feeds a receiver like us, one
 * webhook, groups by alert name, flushed every second. `idle`: default timings, so that it only takes alerts in.
 */
export async function startAlertmanager(kind: 'delivering' | 'idle'): Promise<BenchServer | null> {
  if (!existsSync(ALERTMANAGER)) return null;
  const directory = mkdtempSync(join(tmpdir(), 'wakewell-bench-am-'));
  const config = join(directory, 'alertmanager.yml');
  const sink =
    kind === 'delivering'
      ? spawn(process.execPath, ['-e', SINK], { stdio: ['ignore', 'pipe', 'inherit'] })
      : null;
  const receiver =
    sink === null ? '' : `\n    webhook_configs: [{ url: 'http://127.0.0.1:${await portOf(sink)}/' }]`;
  const timing = sink === null ? '' : '\n  group_wait: 0s\n  group_interval: 1s\n  repeat_interval: 4h';
  writeFileSync(
    config,
    `route:\n  receiver: bench\n  group_by: [alertname]${timing}\nreceivers:\n  - name: bench${receiver}\n`,
  );
  const port = await freePort();
  const args = [
    `--config.file=${config}`,
    `--storage.path=${directory}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--cluster.listen-address=',
    '--log.level=error',
  ];
  const child = spawn(ALERTMANAGER, args, { stdio: 'ignore' });
  for (let attempt = 0; ; attempt += 1) {
    const ready = await fetch(`http://127.0.0.1:${port}/-/ready`).catch(() => null);
    if (ready?.ok === true) break;
    if (attempt > 100) throw new Error('Alertmanager is not ready after 10 s');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return server(child, { port, path: '/api/v2/alerts' }, directory, sink);
}

function server(
  child: ChildProcess,
  target: Target,
  directory: string | null,
  helper: ChildProcess | null = null,
): BenchServer {
  return {
    ...target,
    rssMb() {
      const status = readFileSync(`/proc/${String(child.pid)}/status`, 'utf8');
      return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1024;
    },
    async stop() {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      helper?.kill('SIGKILL');
      await gone;
      if (directory !== null) rmSync(directory, { recursive: true, force: true });
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
