import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { between, type Random } from './random.js';
import { sleep } from './real-clock.js';

/**
 * A Prometheus that knows no series and takes its time, sometimes for ever: a diagnosis then lasts long
 * enough to be killed in the middle, and now and then the page goes by its deadline.
 */
export async function startBlankPrometheus(
  random: Random,
  /** How many of its answers never come, 0–1. */
  hangingShare = 0.01,
): Promise<{ url: string; close: () => Promise<void> }> {
  const server = createServer(async (request, response) => {
    request.resume();
    const mood = random();
    if (mood < hangingShare) return;
    await sleep(mood < 0.2 ? between(random, 0, 100) : 0);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end('{"status":"success","data":{"resultType":"vector","result":[]}}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
