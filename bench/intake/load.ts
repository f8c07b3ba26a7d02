/** A load generator over plain sockets: the same few instructions a request for every server it is pointed at. */

import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';

export type LoadResult = {
  readonly requests: number;
  readonly perSecond: number;
  /** Milliseconds, ascending. */
  readonly latencies: readonly number[];
  readonly failures: number;
};

export type Target = { readonly port: number; readonly path: string };

/** One request as bytes. */
export function requestBytes(target: Target, body: string): Buffer {
  const length = Buffer.byteLength(body);
  return Buffer.from(
    `POST ${target.path} HTTP/1.1\r\nHost: 127.0.0.1:${target.port}\r\nContent-Type: application/json\r\n` +
      `User-Agent: bench\r\nContent-Length: ${length}\r\n\r\n${body}`,
  );
}

type Connection = { readonly send: (bytes: Buffer) => Promise<boolean>; readonly close: () => void };

/** Sends one request at a time and resolves to whether it was answered 200. */
function openConnection(port: number): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let received = '';
    let answered: ((ok: boolean) => void) | null = null;
    socket.setEncoding('latin1');
    socket.once('error', reject);
    socket.on('data', (data: string) => {
      received += data;
      const headEnd = received.indexOf('\r\n\r\n');
      if (headEnd === -1) return;
      const head = received.slice(0, headEnd).toLowerCase();
      const length = Number(/content-length: (\d+)/.exec(head)?.[1] ?? 0);
      const end = headEnd + 4 + length;
      if (received.length < end) return;
      received = received.slice(end);
      answered?.(head.startsWith('http/1.1 200'));
    });
    socket.on('close', () => answered?.(false));
    socket.once('connect', () =>
      resolve({
        send: (bytes) =>
          new Promise((done) => {
            answered = done;
            socket.write(bytes);
          }),
        close: () => socket.destroy(),
      }),
    );
  });
}

/** As fast as `connections` clients get their answers, for `durationMs`. */
export async function closedLoop(
  target: Target,
  next: () => Buffer,
  options: { readonly connections: number; readonly durationMs: number },
): Promise<LoadResult> {
  const latencies: number[] = [];
  let failures = 0;
  const opened = await Promise.all(
    Array.from({ length: options.connections }, () => openConnection(target.port)),
  );
  const startedAt = performance.now();
  await Promise.all(
    opened.map(async (connection) => {
      while (performance.now() - startedAt < options.durationMs) {
        const sentAt = performance.now();
        if (await connection.send(next())) latencies.push(performance.now() - sentAt);
        else failures += 1;
      }
    }),
  );
  const tookMs = performance.now() - startedAt;
  for (const connection of opened) connection.close();
  return summary(latencies, failures, tookMs);
}

/** Sends each request once and throws when one is not answered 200. */
export async function eachOnce(target: Target, requests: Buffer[], connections: number): Promise<void> {
  const opened = await Promise.all(Array.from({ length: connections }, () => openConnection(target.port)));
  await Promise.all(
    opened.map(async (connection) => {
      for (let bytes = requests.shift(); bytes !== undefined; bytes = requests.shift()) {
        if (!(await connection.send(bytes)))
          throw new Error(`a request to port ${target.port} was not answered 200`);
      }
      connection.close();
    }),
  );
}

/** At a fixed rate whatever the answers take; a latency counts from when the request should have left. */
export async function openLoop(
  target: Target,
  next: () => Buffer,
  options: { readonly perSecond: number; readonly durationMs: number; readonly connections: number },
): Promise<LoadResult> {
  const latencies: number[] = [];
  let failures = 0;
  const idle = await Promise.all(
    Array.from({ length: options.connections }, () => openConnection(target.port)),
  );
  const all = [...idle];
  const waiting: number[] = [];
  const running = new Set<Promise<void>>();
  const startedAt = performance.now();
  const total = Math.floor((options.perSecond * options.durationMs) / 1000);

  function dispatch(): void {
    while (waiting.length > 0) {
      const connection = idle.pop();
      const dueAt = waiting[0];
      if (connection === undefined || dueAt === undefined) return;
      waiting.shift();
      const run = connection.send(next()).then((ok) => {
        if (ok) latencies.push(performance.now() - dueAt);
        else failures += 1;
        idle.push(connection);
        running.delete(run);
        dispatch();
      });
      running.add(run);
    }
  }

  let released = 0;
  while (released < total) {
    const due = Math.min(total, Math.floor(((performance.now() - startedAt) * options.perSecond) / 1000));
    for (; released < due; released += 1) waiting.push(startedAt + (released * 1000) / options.perSecond);
    dispatch();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  while (running.size > 0 || waiting.length > 0) await Promise.race([...running]);
  const tookMs = performance.now() - startedAt;
  for (const connection of all) connection.close();
  return summary(latencies, failures, tookMs);
}

function summary(latencies: number[], failures: number, tookMs: number): LoadResult {
  latencies.sort((a, b) => a - b);
  return { requests: latencies.length, perSecond: (latencies.length * 1000) / tookMs, latencies, failures };
}

export function percentile(ascending: readonly number[], share: number): number {
  return ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  const ascending = [...values].sort((a, b) => a - b);
  const middle = Math.floor(ascending.length / 2);
  const upper = ascending[middle] ?? Number.NaN;
  return ascending.length % 2 === 1 ? upper : ((ascending[middle - 1] ?? Number.NaN) + upper) / 2;
}
