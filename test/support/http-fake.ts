/** A real HTTP server on 127.0.0.1 whose next answers can be made to fail, hang or lie. Shared by the fakes of providers. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Failure =
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: string;
    }
  /** Takes the request, processes it when `processed`, and never answers. */
  | { readonly kind: 'hang'; readonly processed?: boolean }
  /** Closes the socket, after processing it when `processed`. */
  | { readonly kind: 'close'; readonly processed?: boolean };

export type FakeRequest = {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
};

export type FakeServer = {
  readonly url: string;
  /** Every request that arrived, failed ones included, oldest first. */
  readonly requests: () => readonly FakeRequest[];
  /** The next `times` requests (1) fail like this; without end when Infinity. */
  readonly failNext: (failure: Failure, times?: number) => void;
  readonly heal: () => void;
  readonly close: () => Promise<void>;
};

export type Answer = {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body: string;
};

/** Starts it on a free port. `failing` may pick which requests count for `failNext`. */
export async function startHttpFake(answer: (request: FakeRequest) => Answer): Promise<FakeServer> {
  const requests: FakeRequest[] = [];
  let failure: Failure | null = null;
  let failuresLeft = 0;

  async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const request: FakeRequest = {
      method: req.method ?? '',
      path: new URL(req.url ?? '/', 'http://fake').pathname,
      headers: req.headers,
      body: Buffer.concat(chunks).toString('utf8'),
    };
    requests.push(request);
    const present = failuresLeft > 0 ? failure : null;
    if (present !== null) failuresLeft -= 1;
    if (present?.kind === 'status') {
      res.writeHead(present.status, present.headers).end(present.body ?? '');
      return;
    }
    if (present === null || present.processed === true) {
      const { status, headers, body } = answer(request);
      if (present === null) {
        res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
        return;
      }
    }
    if (present.kind === 'close') req.socket.destroy();
  }

  const server = createServer((req, res) => {
    handle(req, res).catch(() => res.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    requests: () => requests,
    failNext(next, times = 1) {
      failure = next;
      failuresLeft = times;
    },
    heal() {
      failuresLeft = 0;
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
