import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';

export type ReceivedPage = {
  /** `performance.now()` when the whole event was read. */
  readonly receivedAtMs: number;
  readonly event: { readonly payload?: { readonly summary?: string; readonly custom_details?: unknown } };
};

export type PageReceiver = {
  readonly url: string;
  /** The next trigger that arrives after this call. */
  readonly nextTrigger: (withinMs: number) => Promise<ReceivedPage>;
  readonly close: () => Promise<void>;
};

/** A pager that accepts at once and says when a trigger came. */
export async function startPageReceiver(): Promise<PageReceiver> {
  let waiting: ((page: ReceivedPage) => void) | null = null;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const receivedAtMs = performance.now();
    const event = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    response.writeHead(202, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({ status: 'success', message: 'Event processed', dedup_key: event.dedup_key }),
    );
    if (event.event_action === 'trigger') waiting?.({ receivedAtMs, event });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v2/enqueue`,
    nextTrigger(withinMs) {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no page within ${withinMs} ms`)), withinMs);
        waiting = (page) => {
          clearTimeout(timer);
          waiting = null;
          resolve(page);
        };
      });
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
