/** Starts the real Prometheus and Alertmanager as child processes on loopback, for the demo and the tests. */

import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

export type Launched = { readonly url: string; readonly close: () => Promise<void> };

/** Ready takes 1 to 3 s on an idle machine; a busy one gets time. */
const READY_WITHIN_MS = 30_000;
const READY_POLL_MS = 100;
/** Both flush and end within a second; after this they are killed. */
const STOP_WITHIN_MS = 5000;

/**
 * Runs the binary until it ends or the guard's standard input does. The pipe's other end is ours: however we end,
 * a kill -9 included, the kernel closes it, and nothing outlives us.
 */
const GUARD =
  'exec 3<&0; "$@" 3<&- </dev/null & child=$!; (cat <&3 >/dev/null; kill "$child" 2>/dev/null) & wait "$child"';

/** The first of `names` that can be run from `path`, or null. */
export function findBinary(names: readonly string[], path: string): string | null {
  for (const name of names) {
    for (const directory of path.split(delimiter)) {
      const file = join(directory, name);
      try {
        accessSync(file, constants.X_OK);
        return file;
      } catch {
        // Not here: the next directory.
      }
    }
  }
  return null;
}

/** Below the range that systems take the ports of outgoing connections from: those come and go at any moment. */
const PORTS = { from: 20_000, to: 32_000 } as const;
const handedOut = new Set<number>();

/** A TCP port on loopback that is free, and that this process has not handed out before. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(PORTS.from, PORTS.to);
    if (handedOut.has(port)) continue;
    handedOut.add(port);
    if (await isFree(port)) return port;
  }
}

/** Whether a TCP port on loopback can be listened on now. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Starts Prometheus with `configYaml` and rule files by name. Rejects when it does not become ready. */
export function launchPrometheus(options: {
  readonly binary: string;
  readonly configYaml: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly port?: number;
  /** A database that is there already and stays; else one of its own. */
  readonly dataDirectory?: string;
  readonly flags?: readonly string[];
}): Promise<Launched> {
  return launch(options.binary, options, (directory, port) => [
    `--config.file=${join(directory, 'config.yml')}`,
    `--storage.tsdb.path=${options.dataDirectory ?? join(directory, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=warn',
    ...(options.flags ?? []),
  ]);
}

/** Starts Alertmanager with `configYaml`, without its cluster. Rejects when it does not become ready. */
export function launchAlertmanager(options: {
  readonly binary: string;
  readonly configYaml: string;
  readonly port?: number;
}): Promise<Launched> {
  return launch(options.binary, options, (directory, port) => [
    `--config.file=${join(directory, 'config.yml')}`,
    `--storage.path=${join(directory, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    // Empty: no gossip, which would want a private address.
    '--cluster.listen-address=',
    '--log.level=warn',
  ]);
}

type LaunchOptions = {
  readonly configYaml: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly port?: number;
};

async function launch(
  binary: string,
  options: LaunchOptions,
  args: (directory: string, port: number) => string[],
): Promise<Launched> {
  const directory = mkdtempSync(join(tmpdir(), 'wakewell-peer-'));
  writeFileSync(join(directory, 'config.yml'), options.configYaml);
  for (const [name, text] of Object.entries(options.files ?? {})) writeFileSync(join(directory, name), text);
  const port = options.port ?? (await freePort());
  // Of its own process group, so that Ctrl-C in a terminal reaches us alone and we stop it in our order.
  const child = spawn('sh', ['-c', GUARD, 'guard', binary, ...args(directory, port)], {
    cwd: directory,
    stdio: ['pipe', 'ignore', 'pipe'],
    detached: true,
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-4000);
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = `http://127.0.0.1:${port}`;

  const close = async () => {
    child.stdin.on('error', () => {});
    child.stdin.end();
    const force = setTimeout(() => killGroup(child), STOP_WITHIN_MS);
    await ended;
    clearTimeout(force);
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await ready(child, binary, url, () => said);
  } catch (error) {
    await close();
    throw error;
  }
  return { url, close };
}

async function ready(child: ChildProcess, binary: string, url: string, said: () => string): Promise<void> {
  for (let waitedMs = 0; waitedMs < READY_WITHIN_MS; waitedMs += READY_POLL_MS) {
    if (child.exitCode !== null) throw new Error(`${binary} ended with ${child.exitCode}: ${said()}`);
    try {
      const response = await fetch(`${url}/-/ready`, { signal: AbortSignal.timeout(1000) });
      await response.body?.cancel();
      if (response.ok) return;
    } catch {
      // Not listening yet.
    }
    await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
  }
  throw new Error(`${binary} was not ready within ${READY_WITHIN_MS / 1000} s: ${said()}`);
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Already gone.
  }
}
