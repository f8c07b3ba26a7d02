/** The service under torture: a child process on one database, started, watched and killed. */

import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createServer } from 'node:net';
import type { Clock } from '../../src/domain/clock.js';
import { sleep } from './real-clock.js';

/** How a process ended. */
export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

/** One life of the process. `readyAtMs` is null when it died before it was ready. */
export type Life = { readonly startedAtMs: number; readyAtMs: number | null; endedAtMs: number | null };

export type Service = {
  readonly url: string;
  readonly lives: readonly Life[];
  /**
   * Starts the process. `wrap` puts a command before it that becomes the process (`strace -D`, `unshare sh -c 'exec …'`);
   * `args` follow `serve`.
   */
  readonly spawn: (options?: SpawnOptions) => void;
  /** Of the process that runs, or ran last. */
  readonly pid: () => number;
  readonly untilExit: () => Promise<Exit>;
  readonly signal: (name: NodeJS.Signals) => void;
  /** True when /readyz answers 200; false when the process ended first, or is not ready within 30 s. */
  readonly untilReady: () => Promise<boolean>;
  /** kill -9, and waits for the end. */
  readonly kill: () => Promise<void>;
  /** SIGTERM, and kill -9 after 10 s. Says whether it ended by itself. */
  readonly stop: () => Promise<boolean>;
};

export type SpawnOptions = {
  readonly wrap?: (command: readonly string[]) => readonly string[];
  readonly args?: readonly string[];
};

const READY_WITHIN_MS = 30_000;
const STOP_WITHIN_MS = 10_000;

export async function createService(options: {
  readonly distDirectory: string;
  readonly workDirectory: string;
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
  readonly clock: Clock;
}): Promise<Service> {
  const { clock } = options;
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const log = createWriteStream(options.logFile, { flags: 'a' });
  const lives: Life[] = [];
  let child: ChildProcess | null = null;
  let ended: Promise<Exit> = Promise.resolve({ code: 0, signal: null });
  let pid = 0;

  function spawnChild({ wrap = (command) => command, args = [] }: SpawnOptions = {}): void {
    const life: Life = { startedAtMs: clock.now(), readyAtMs: null, endedAtMs: null };
    lives.push(life);
    const [file = '', ...rest] = wrap([
      process.execPath,
      `${options.distDirectory}/main.js`,
      'serve',
      ...args,
    ]);
    const started = spawn(file, rest, {
      cwd: options.workDirectory,
      env: {
        PATH: process.env.PATH ?? '',
        HOME: options.workDirectory,
        ...options.env,
        WAKEWELL_PORT: String(port),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    started.stdout.pipe(log, { end: false });
    started.stderr.pipe(log, { end: false });
    child = started;
    outliveNobody(started);
    pid = started.pid ?? 0;
    ended = new Promise((resolve) => {
      const done = (exit: Exit) => {
        life.endedAtMs ??= clock.now();
        if (child === started) child = null;
        resolve(exit);
      };
      started.once('exit', (code, signal) => done({ code, signal }));
      started.once('error', () => done({ code: 127, signal: null }));
    });
  }

  async function untilReady(): Promise<boolean> {
    const life = lives.at(-1);
    const giveUpAtMs = clock.monotonic() + READY_WITHIN_MS;
    while (clock.monotonic() < giveUpAtMs && life !== undefined && life.endedAtMs === null) {
      const answer = await fetch(`${url}/readyz`).catch(() => null);
      await answer?.arrayBuffer().catch(() => null);
      if (answer?.status === 200) {
        life.readyAtMs = clock.now();
        return true;
      }
      await sleep(5);
    }
    return false;
  }

  return {
    url,
    lives,
    spawn: spawnChild,
    pid: () => pid,
    untilExit: () => ended,
    signal: (name) => void child?.kill(name),
    untilReady,
    async kill() {
      child?.kill('SIGKILL');
      await ended;
    },
    async stop() {
      child?.kill('SIGTERM');
      const byItself = await Promise.race([ended.then(() => true), sleep(STOP_WITHIN_MS).then(() => false)]);
      if (!byItself) child?.kill('SIGKILL');
      await ended;
      return byItself;
    },
  };
}

const running = new Set<ChildProcess>();

/** The service must not outlive a harness that is ended without a chance to stop it. */
function outliveNobody(child: ChildProcess): void {
  if (running.size === 0) process.once('exit', killAll);
  running.add(child);
  child.once('exit', () => {
    running.delete(child);
    if (running.size === 0) process.removeListener('exit', killAll);
  });
}

function killAll(): void {
  for (const child of running) child.kill('SIGKILL');
}

/** A port that was free a moment ago; kept through all lives, as Alertmanager's configuration would. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
