import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createHttpServer } from '../../src/http/http-server.js';

async function listening() {
  const server = createHttpServer((request, response) => {
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    request.on('end', () => response.end(String(bytes)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, port: (server.address() as AddressInfo).port };
}

test('a body of 32 MiB fits', async () => {
  const { port } = await listening();

  const response = await fetch(`http://127.0.0.1:${port}/`, {
    method: 'POST',
    body: new Uint8Array(32 * 1024 * 1024),
  });

  expect(await response.text()).toBe(String(32 * 1024 * 1024));
});

test('headers above 16 KiB are refused', async () => {
  const { port } = await listening();

  const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { 'x-long': 'x'.repeat(17_000) } });

  expect(response.status).toBe(431);
});

test('a client that never finishes its headers loses its connection', async () => {
  const { server, port } = await listening();
  // The bound itself, shortened so that the test need not wait for it.
  expect(server.headersTimeout).toBe(5_000);
  server.headersTimeout = 200;
  const socket = connect(port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n');
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk;
  });

  await once(socket, 'close');

  expect(answer).toMatch(/^HTTP\/1\.1 408 /);
});
