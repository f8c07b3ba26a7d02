/** The listening side, with the bounds that Node leaves open by default. */

import { createServer, type RequestListener, type Server } from 'node:http';

/**
 * A server that lets no client hold a socket for long: headers within 5 s, the whole request within 60 s (a
 * webhook body of 32 MiB needs that much on a 5 Mbit/s link), 5 s between requests, 16 KiB and 100 headers.
 */
export function createHttpServer(listener: RequestListener): Server {
  const server = createServer(
    {
      headersTimeout: 5_000,
      requestTimeout: 60_000,
      keepAliveTimeout: 5_000,
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: 16 * 1024,
    },
    listener,
  );
  server.maxHeadersCount = 100;
  server.maxConnections = 2_000;
  return server;
}
