/** Starts and stops the three servers, each in a process of its own. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findBinary, launchAlertmanager } from '../../src/prometheus/launch.js';
import type { Target } from './load.js';

export type BenchServer = Target & {
  readonly rssMb: () => number;
  readonly stop: () => Promise<void>;
};

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

/** Takes webhooks and forgets them, for as long as its standard input is open. */
const SINK = `
  const server = require('node:http').createServer((request, response) => {
    request.resume();
    request.on('end', () => response.end());
  });
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));
  process.stdin.resume().on('end', () => process.exit());
`;

/** How the peer groups: as finely as incidents arise here, or by name alone. */
export const PEER_GROUPS = {
  as_incidents: 'alertname, cluster, namespace, model',
  by_name: 'alertname',
} as const;

export type PeerKind = {
  readonly groups: keyof typeof PEER_GROUPS;
  /** `true`: one webhook, flushed every second. `false`: default timings, so that it only takes alerts in. */
  readonly delivers: boolean;
};

/** The real Alertmanager; null where it is not installed. It ends with us, however we end. */
export async function startAlertmanager({ groups, delivers }: PeerKind): Promise<BenchServer | null> {
  const binary = findBinary(['prometheus-alertmanager', 'alertmanager'], process.env.PATH ?? '');
  if (binary === null) return null;
  const sink = delivers
    ? spawn(process.execPath, ['-e', SINK], { stdio: ['pipe', 'pipe', 'inherit'] })
    : null;
  const receiver =
    sink === null ? '' : `\n    webhook_configs: [{ url: 'http://127.0.0.1:${await portOf(sink)}/' }]`;
  const timing = sink === null ? '' : '\n  group_wait: 0s\n  group_interval: 1s\n  repeat_interval: 4h';
  const { url, close } = await launchAlertmanager({
    binary,
    configYaml: `route:\n  receiver: bench\n  group_by: [${PEER_GROUPS[groups]}]${timing}\nreceivers:\n  - name: bench${receiver}\n`,
  });
  return {
    port: Number(new URL(url).port),
    path: '/api/v2/alerts',
    rssMb: () => Number.NaN,
    async stop() {
      await close();
      sink?.kill('SIGKILL');
    },
  };
}

function server(child: ChildProcess, target: Target, directory: string | null): BenchServer {
  const killChild = () => child.kill('SIGKILL');
  process.once('exit', killChild);
  return {
    ...target,
    rssMb() {
      const status = readFileSync(`/proc/${String(child.pid)}/status`, 'utf8');
      return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1024;
    },
    async stop() {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      killChild();
      process.off('exit', killChild);
      await gone;
      if (directory !== null) rmSync(directory, { recursive: true, force: true });
    },
  };
}
