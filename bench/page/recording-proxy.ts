/** Stands before Prometheus for one diagnosis and notes what is asked, so that the same can be asked bare. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';

export type RecordedRead = {
  readonly path: string;
  readonly method: 'GET' | 'POST';
  /** The form, for POST. */
  readonly body: string;
  readonly atMs: number;
};

export type RecordingProxy = {
  readonly url: string;
  readonly reads: () => readonly RecordedRead[];
  readonly forget: () => void;
  readonly close: () => Promise<void>;
};

export async function startRecordingProxy(targetUrl: string): Promise<RecordingProxy> {
  const target = new Pool(targetUrl, { connections: 4 });
  let reads: RecordedRead[] = [];

  const server = createServer(async (request, response) => {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks).toString('utf8');
      const path = request.url ?? '/';
      const method = request.method === 'POST' ? 'POST' : 'GET';
      reads.push({ path, method, body, atMs: Date.now() });
      const answer = await target.request({ path, method, ...asForm(method, body) });
      const bytes = Buffer.from(await answer.body.arrayBuffer());
      response.writeHead(answer.statusCode, { 'content-type': 'application/json' }).end(bytes);
    } catch {
      response.destroy();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    reads: () => reads,
    forget() {
      reads = [];
    },
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await target.destroy();
    },
  };
}

/** Asks all reads at once through the pool, moved in time as if they were asked now; resolves with the last answer's end. */
export async function askBare(pool: Pool, reads: readonly RecordedRead[]): Promise<void> {
  const nowMs = Date.now();
  await Promise.all(
    reads.map(async ({ path, method, body, atMs }) => {
      const [route = '', query = ''] = path.split('?');
      const moved = `${route}${query === '' ? '' : `?${moveTimes(query, nowMs - atMs)}`}`;
      const answer = await pool.request({
        path: moved,
        method,
        ...asForm(method, moveTimes(body, nowMs - atMs)),
      });
      // Parsed, because an answer that is not parsed is not a read.
      const parsed = (await answer.body.json()) as { status?: string };
      if (parsed.status !== 'success') throw new Error(`${path} ${body}: answered ${answer.statusCode}`);
    }),
  );
}

/** Adds `byMs` to the moments of a query: seconds since 1970 with a fraction. Exported for its test. */
export function moveTimes(form: string, byMs: number): string {
  if (form === '') return form;
  const fields = new URLSearchParams(form);
  for (const name of ['time', 'start', 'end']) {
    const value = Number(fields.get(name) ?? Number.NaN);
    if (Number.isFinite(value)) fields.set(name, String(Math.round(value * 1000 + byMs) / 1000));
  }
  return fields.toString();
}

function asForm(method: 'GET' | 'POST', body: string) {
  return method === 'GET' ? {} : { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body };
}
