/** The bytes of a request, whatever its content type says, decoded and bounded. */

import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';

export type ReadBody =
  | { readonly kind: 'body'; readonly bytes: Buffer }
  /** It arrived, but its content encoding could not be undone; `bytes` are as they came. */
  | { readonly kind: 'undecodable'; readonly bytes: Buffer; readonly reason: string }
  /** Larger than allowed, as sent or after decoding. */
  | { readonly kind: 'too_large' }
  /** The sender went away before its end: nobody waits for an answer. */
  | { readonly kind: 'aborted' };

/** A sender who is refused is read on for this long, since it reads our answer only when it has finished. */
const MAX_DRAIN_FACTOR = 8;

const DECODERS = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
};

/** Reads a request to its end. Memory is bounded by `maxBytes` for the body and again for what it decodes to. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<ReadBody> {
  const raw = await readRaw(request, maxBytes);
  if (raw.kind !== 'body') return raw;
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === '' || encoding === 'identity') return raw;
  if (!isKnown(encoding)) {
    return {
      kind: 'undecodable',
      bytes: raw.bytes,
      reason: `content encoding "${encoding.slice(0, 40)}" is not known here`,
    };
  }
  try {
    return { kind: 'body', bytes: await DECODERS[encoding](raw.bytes, { maxOutputLength: maxBytes }) };
  } catch (error) {
    if (error instanceof RangeError) return { kind: 'too_large' };
    const why = error instanceof Error ? error.message : 'unknown fault';
    return { kind: 'undecodable', bytes: raw.bytes, reason: `the body is no ${encoding}: ${why}` };
  }
}

function isKnown(encoding: string): encoding is keyof typeof DECODERS {
  return Object.hasOwn(DECODERS, encoding);
}

function readRaw(request: IncomingMessage, maxBytes: number): Promise<ReadBody> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
      else {
        chunks.length = 0;
        if (size > maxBytes * MAX_DRAIN_FACTOR) resolve({ kind: 'too_large' });
      }
    });
    request.on('end', () => {
      if (size > maxBytes) resolve({ kind: 'too_large' });
      else
        resolve({
          kind: 'body',
          bytes: chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks),
        });
    });
    // After 'end' these change nothing: a promise settles once.
    request.on('error', () => resolve({ kind: 'aborted' }));
    request.on('close', () => resolve({ kind: 'aborted' }));
  });
}
