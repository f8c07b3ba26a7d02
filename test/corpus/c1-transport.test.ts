/** Over a socket, byte by byte where it matters: what clients and proxies do that no HTTP library would. */

import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import {
  type Aftermath,
  aftermath,
  entry,
  groupBody,
  PATH,
  startService,
  TOKEN,
  UNREADABLE,
} from './corpus.js';

const BODY = groupBody([entry()]);
const TAKEN: Aftermath = {
  status: 200,
  receipts: ['group'],
  incidents: ['critical CorpusAlert (1)'],
  quarantined: 0,
  messages: ['card slack queued', 'page pager queued'],
};
const refused = (status: number): Aftermath => ({
  status,
  receipts: [],
  incidents: [],
  quarantined: 0,
  messages: [],
});

type Exchange = { readonly statuses: readonly number[]; readonly text: string };

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Writes the parts one after another, and reads until the server closes, the answers are there, or nothing comes. */
function talk(
  port: number,
  parts: readonly (string | Buffer)[],
  options: { cut?: boolean; answers?: number } = {},
): Promise<Exchange> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    const finish = () => {
      socket.destroy();
      const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((match) => Number(match[1]));
      resolve({ statuses: statuses.filter((status) => status !== 100), text });
    };
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      const done = [...text.matchAll(/HTTP\/1\.1 (?!100)\d{3}/g)].length;
      if (done >= (options.answers ?? 1)) setImmediate(finish);
    });
    socket.on('close', finish);
    socket.on('error', finish);
    void (async () => {
      for (const part of parts) {
        await new Promise<void>((written) => socket.write(part, () => written()));
      }
      if (options.cut === true) socket.destroy();
    })();
  });
}

const AUTH = `Authorization: Bearer ${TOKEN}`;

function head(lines: readonly string[], target = `POST ${PATH} HTTP/1.1`): string {
  return `${[target, 'Host: wakewell', ...lines].join('\r\n')}\r\n\r\n`;
}

function whole(lines: readonly string[], body: string | Buffer = BODY, target?: string): Buffer {
  const bytes = Buffer.from(body);
  return Buffer.concat([Buffer.from(head([...lines, `Content-Length: ${bytes.length}`], target)), bytes]);
}

const basic = (text: string) => `Authorization: Basic ${Buffer.from(text).toString('base64')}`;
const put = `PUT ${PATH} HTTP/1.1`;
const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;

const CASES: readonly (readonly [string, readonly (string | Buffer)[], Aftermath])[] = [
  ['no credential', [whole([])], refused(401)],
  ['another scheme', [whole([`Authorization: Token ${TOKEN}`])], refused(401)],
  ['bearer in small letters', [whole([`authorization: bearer ${TOKEN}`])], TAKEN],
  ['two credentials, one right', [whole([AUTH, 'Authorization: Bearer other'])], refused(401)],
  ['a credential with blanks behind it', [whole([`${AUTH}   `])], TAKEN],
  ['an empty credential', [whole(['Authorization:'])], refused(401)],
  ['Basic with a colon in the password', [whole([basic('am:second:token')])], TAKEN],
  ['Basic without a colon', [whole([basic(TOKEN)])], refused(401)],
  ['Basic that is no base64', [whole(['Authorization: Basic !!!!'])], refused(401)],
  ['a credential of 1 MB', [whole([`Authorization: Bearer ${'x'.repeat(1_000_000)}`])], refused(431)],
  ['a token that is not valid any more', [whole(['Authorization: Bearer yesterday'])], refused(401)],
  ['a token in the address', [whole([], BODY, `POST ${PATH}?token=${TOKEN} HTTP/1.1`)], refused(401)],
  ['PUT', [whole([AUTH], BODY, put)], TAKEN],
  ['GET', [head([AUTH], `GET ${PATH} HTTP/1.1`)], refused(405)],
  ['HEAD', [head([AUTH], `HEAD ${PATH} HTTP/1.1`)], refused(405)],
  ['OPTIONS', [head([AUTH], `OPTIONS ${PATH} HTTP/1.1`)], refused(405)],
  ['a trailing slash', [whole([AUTH], BODY, `POST ${PATH}/ HTTP/1.1`)], TAKEN],
  ['an absolute address', [whole([AUTH], BODY, `POST http://wakewell${PATH} HTTP/1.1`)], TAKEN],
  ['no content type', [whole([AUTH])], TAKEN],
  ['another content type', [whole([AUTH, 'Content-Type: application/x-www-form-urlencoded'])], TAKEN],
  ['a charset that is wrong', [whole([AUTH, 'Content-Type: application/json; charset=utf-16'])], TAKEN],
  ['a charset that does not exist', [whole([AUTH, 'Content-Type: application/json; charset=bogus'])], TAKEN],
  ['gzip', [whole([AUTH, 'Content-Encoding: gzip'], gzipSync(BODY))], TAKEN],
  ['deflate', [whole([AUTH, 'Content-Encoding: deflate'], deflateSync(BODY))], TAKEN],
  ['br', [whole([AUTH, 'Content-Encoding: br'], brotliCompressSync(BODY))], TAKEN],
  ['identity', [whole([AUTH, 'Content-Encoding: identity'])], TAKEN],
  ['an encoding that is not known', [whole([AUTH, 'Content-Encoding: zstd'])], UNREADABLE],
  ['two encodings', [whole([AUTH, 'Content-Encoding: gzip, gzip'], gzipSync(gzipSync(BODY)))], UNREADABLE],
  ['gzip that is none', [whole([AUTH, 'Content-Encoding: gzip'])], UNREADABLE],
  [
    'gzip that is cut off',
    [whole([AUTH, 'Content-Encoding: gzip'], gzipSync(BODY).subarray(0, 100))],
    UNREADABLE,
  ],
  ['an empty body', [whole([AUTH], '')], UNREADABLE],
  ['no body and no length', [head([AUTH])], UNREADABLE],
  [
    'chunked',
    [
      head([AUTH, 'Transfer-Encoding: chunked']),
      chunk(BODY.slice(0, 50)),
      chunk(BODY.slice(50)),
      '0\r\n\r\n',
    ],
    TAKEN,
  ],
  ['chunked with a bad size', [head([AUTH, 'Transfer-Encoding: chunked']), 'zz\r\n'], refused(400)],
  [
    'a length and chunks',
    [head([AUTH, 'Content-Length: 5', 'Transfer-Encoding: chunked']), chunk(BODY), '0\r\n\r\n'],
    refused(400),
  ],
  ['two lengths', [whole([AUTH, 'Content-Length: 5'])], refused(400)],
  [
    'waiting to be told to continue',
    [head([AUTH, 'Expect: 100-continue', `Content-Length: ${Buffer.byteLength(BODY)}`]), BODY],
    TAKEN,
  ],
  ['byte by byte', [...whole([AUTH]).toString('latin1')], TAKEN],
  ['HTTP/1.0', [whole([AUTH], BODY, `POST ${PATH} HTTP/1.0`)], TAKEN],
  ['100 headers', [whole([AUTH, ...Array.from({ length: 100 }, (_, i) => `X-H${i}: ${i}`)])], TAKEN],
  ['a header of 64 KB', [whole([AUTH, `X-Big: ${'x'.repeat(65_536)}`])], refused(431)],
];

test.each(CASES)('C1 %s', async (_name, parts, leaves) => {
  const service = startService();
  const port = await listen(createServer(service.app));

  const { statuses } = await talk(port, parts);

  expect(await aftermath(service, statuses[0] ?? 0)).toEqual(leaves);
});

test('C1 a connection cut in the middle of the body leaves nothing, and the next is taken', async () => {
  const service = startService();
  const port = await listen(createServer(service.app));
  const bytes = whole([AUTH]);

  await talk(port, [bytes.subarray(0, bytes.length - 100)], { cut: true });
  expect(await aftermath(service, 0)).toEqual(refused(0));

  const { statuses } = await talk(port, [bytes]);
  expect(await aftermath(service, statuses[0] ?? 0)).toEqual(TAKEN);
});

test('C1 a length that is too short leaves a body that is cut off, and its rest is no request', async () => {
  const service = startService();
  const port = await listen(createServer(service.app));

  const { statuses } = await talk(port, [head([AUTH, 'Content-Length: 40']), BODY]);

  // Node answers the garbage that follows and closes; what arrived whole before it is still taken.
  expect(statuses.at(-1)).toBe(400);
  await expect.poll(() => aftermath(service, 200)).toEqual(UNREADABLE);
});

test('C1 two requests on one connection are both taken, and are one incident', async () => {
  const service = startService();
  const port = await listen(createServer(service.app));

  const { statuses } = await talk(port, [Buffer.concat([whole([AUTH]), whole([AUTH])])], { answers: 2 });

  expect(statuses).toEqual([200, 200]);
  expect(await aftermath(service, 200)).toEqual({ ...TAKEN, receipts: ['group', 'group'] });
});

test('C1 33 MiB, and a bomb that inflates to them, are refused with 413 and become a warning', async () => {
  const big = Buffer.alloc(33 * 1024 * 1024, 0x20);
  for (const parts of [[whole([AUTH], big)], [whole([AUTH, 'Content-Encoding: gzip'], gzipSync(big))]]) {
    const service = startService();
    const port = await listen(createServer(service.app));

    const { statuses } = await talk(port, parts);

    expect(await aftermath(service, statuses[0] ?? 0)).toEqual({ ...UNREADABLE, status: 413 });
  }
});

test('C1 31 MiB are taken', async () => {
  const service = startService();
  const port = await listen(createServer(service.app));

  const { statuses } = await talk(port, [whole([AUTH], `${BODY}${' '.repeat(31 * 1024 * 1024)}`)]);

  expect(await aftermath(service, statuses[0] ?? 0)).toEqual(TAKEN);
});
