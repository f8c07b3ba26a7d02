/** A server in place of Prometheus that answers what a test says: any status, type and body, late, cut short or without end. */

import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export type FakeQuestion = {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The form fields: query, time, timeout … */
  readonly form: Readonly<Record<string, string>>;
};

export type FakeAnswer =
  | { readonly kind: 'json'; readonly body: unknown; readonly status?: number; readonly type?: string }
  | {
      readonly kind: 'text';
      readonly body: string | Buffer;
      readonly status?: number;
      readonly headers?: Record<string, string>;
    }
  /** Takes the question and never answers. */
  | { readonly kind: 'hang' }
  /** Closes the socket with a reset. */
  | { readonly kind: 'reset' }
  /** Begins to answer and closes. */
  | { readonly kind: 'cut' }
  /** Writes what is no HTTP. */
  | { readonly kind: 'garbage' }
  /** JSON headers, then `chunk` every `everyMs` (0: as fast as it is read), without end or until `bytes` are written. */
  | { readonly kind: 'endless'; readonly chunk: Buffer; readonly everyMs: number; readonly bytes?: number };

export type FakePrometheus = {
  readonly url: string;
  readonly questions: () => readonly FakeQuestion[];
  /** From now on questions are answered by it. */
  readonly answer: (answering: (question: FakeQuestion) => FakeAnswer) => void;
  /** Bytes of endless answers that the client took. */
  readonly bytesSent: () => number;
  readonly openSockets: () => number;
  readonly close: () => Promise<void>;
};

/** `{status: success}` with an instant vector of label sets and values. */
export function vectorOf(
  samples: readonly (readonly [Readonly<Record<string, string>>, string])[],
  extra: Readonly<Record<string, unknown>> = {},
): FakeAnswer {
  const result = samples.map(([metric, value]) => ({ metric, value: [1_700_000_000, value] }));
  return { kind: 'json', body: { status: 'success', data: { resultType: 'vector', result }, ...extra } };
}

export async function startFakePrometheus(
  answering: (question: FakeQuestion) => FakeAnswer = () => vectorOf([]),
): Promise<FakePrometheus> {
  let current = answering;
  let sent = 0;
  const questions: FakeQuestion[] = [];
  const sockets = new Set<Socket>();

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const question = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      form: Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString('utf8'))),
    };
    questions.push(question);
    give(current(question), response);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });

  function give(answer: FakeAnswer, response: ServerResponse): void {
    switch (answer.kind) {
      case 'json':
        response.writeHead(answer.status ?? 200, { 'content-type': answer.type ?? 'application/json' });
        response.end(JSON.stringify(answer.body));
        return;
      case 'text':
        response.writeHead(answer.status ?? 200, answer.headers ?? {});
        response.end(answer.body);
        return;
      case 'hang':
        return;
      case 'reset':
        response.socket?.resetAndDestroy();
        return;
      case 'cut':
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
        response.write('{"status":');
        setImmediate(() => response.socket?.destroy());
        return;
      case 'garbage':
        response.socket?.end('no such protocol\r\n\r\n');
        return;
      case 'endless':
        endless(answer, response);
    }
  }

  function endless(answer: Extract<FakeAnswer, { kind: 'endless' }>, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/json' });
    let left = answer.bytes ?? Number.POSITIVE_INFINITY;
    const more = () => {
      if (response.destroyed) return;
      if (left <= 0) {
        response.end();
        return;
      }
      response.write(answer.chunk, (error) => {
        if (error != null) return;
        sent += answer.chunk.length;
        left -= answer.chunk.length;
        if (answer.everyMs === 0) setImmediate(more);
        else setTimeout(more, answer.everyMs).unref();
      });
    };
    more();
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    questions: () => questions,
    answer(next) {
      current = next;
    },
    bytesSent: () => sent,
    openSockets: () => sockets.size,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
