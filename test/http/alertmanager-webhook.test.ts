import { once } from 'node:events';
import {
  request as createRequest,
  createServer,
  type IncomingMessage,
  type RequestListener,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import express from 'express';
import request from 'supertest';
import { describe, expect, test } from 'vitest';
import type { AlertGroup } from '../../src/domain/alert.js';
import { AppError } from '../../src/domain/errors.js';
import { createAlertmanagerWebhook, type WebhookDeps } from '../../src/http/alertmanager-webhook.js';
import { webhookFirst } from '../../src/http/webhook-first.js';
import type { IntakeInput } from '../../src/incidents/receive-group.js';
import { silentLogger } from '../support/intake-harness.js';

const PATH = '/api/v1/alertmanager';
const BODY = JSON.stringify({
  alerts: [{ status: 'firing', labels: { alertname: 'A', severity: 'critical' } }],
});

function webhook(overrides: Partial<WebhookDeps> = {}) {
  const received: IntakeInput[] = [];
  const statuses: number[] = [];
  const app = webhookFirst(
    createAlertmanagerWebhook({
      intake: {
        receive: async (input) => {
          received.push(input);
          return {
            receiptId: 1,
            incidentIds: [412],
            opened: 1,
            joined: 0,
            repeated: 0,
            resolved: 0,
            ignored: 0,
            quarantined: 0,
          };
        },
      },
      tokens: [
        { token: 'old-token', source: 'am' },
        { token: { reveal: () => 'new:token' }, source: 'am' },
      ],
      scopeLabels: [],
      severityMapping: {},
      logger: silentLogger,
      metrics: { answered: (status) => statuses.push(status) },
      ...overrides,
    }),
    express(),
  );
  return { app, received, statuses };
}

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
const send = (app: RequestListener) => request(app).post(PATH).set('authorization', 'Bearer old-token');

/** The status of a POST whose request line carries the address as it stands. */
async function statusOf(app: RequestListener, path: string): Promise<number | undefined> {
  const server = createServer(app).listen(0, '127.0.0.1');
  try {
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const call = createRequest({ port, path, method: 'POST' }).end(BODY);
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe('credentials', () => {
  test.each([
    ['Bearer old-token'],
    ['bearer old-token'],
    ['BEARER  new:token'],
    [basic('anybody:old-token')],
    [basic(':new:token')],
  ])('%s is accepted', async (authorization) => {
    const { app, received } = webhook();

    const response = await request(app).post(PATH).set('authorization', authorization).send(BODY);

    expect(response.status).toBe(200);
    expect(response.body).toEqual({ receipt: 1, incidents: ['INC-412'] });
    expect(received[0]?.source).toBe('am');
  });

  test.each([
    [''],
    ['Bearer'],
    ['Bearer other'],
    ['Bearer old-toke'],
    ['Bearer old-token extra'],
    ['Token old-token'],
    [basic('old-token')],
    [basic('old-token:')],
    ['Basic %%%'],
  ])('"%s" is refused with 401 and nothing is read', async (authorization) => {
    const { app, received } = webhook();

    const response = await request(app).post(PATH).set('authorization', authorization).send(BODY);

    expect(response.status).toBe(401);
    expect(received).toEqual([]);
  });

  test('a token in the address is none', async () => {
    const { app } = webhook();

    expect((await request(app).post(`${PATH}?token=old-token`).send(BODY)).status).toBe(401);
  });

  test('without configured tokens everybody is the default source', async () => {
    const { app, received } = webhook({ tokens: [] });

    await request(app).post(PATH).send(BODY).expect(200);

    expect(received[0]?.source).toBe('alertmanager');
  });
});

describe('bodies', () => {
  test('the content type does not matter, and the bytes are kept as they came', async () => {
    const { app, received } = webhook();

    await send(app).set('content-type', 'text/plain; charset=utf-16').send(`${BODY}\n`).expect(200);

    expect(received[0]?.parsed.kind).toBe('group');
    expect(Buffer.from(received[0]?.body ?? []).toString()).toBe(`${BODY}\n`);
  });

  test('Grafana may PUT, and a trailing slash is no redirect', async () => {
    const { app, received } = webhook();

    await request(app).put(`${PATH}/`).set('authorization', 'Bearer old-token').send(BODY).expect(200);

    expect(received).toHaveLength(1);
  });

  test('gzip is undone', async () => {
    const { app, received } = webhook();

    await send(app)
      .set('content-encoding', 'gzip')
      .serialize((body) => body)
      .send(gzipSync(BODY) as never)
      .expect(200);

    expect(Buffer.from(received[0]?.body ?? []).toString()).toBe(BODY);
  });

  test('an unknown encoding and a broken gzip are kept as unreadable', async () => {
    const { app, received } = webhook();

    await send(app).set('content-encoding', 'zstd').send(BODY).expect(200);
    await send(app).set('content-encoding', 'gzip').send(BODY).expect(200);

    expect(received.map((one) => one.parsed)).toEqual([
      { kind: 'unreadable', reason: 'content encoding "zstd" is not known here' },
      { kind: 'unreadable', reason: expect.stringContaining('the body is no gzip') },
    ]);
  });

  test('an unreadable body is answered 200', async () => {
    const { app, received } = webhook();

    await send(app).send('{"alerts":').expect(200);

    expect(received[0]?.parsed.kind).toBe('unreadable');
  });

  test('above the limit it is 413, as sent or inflated, and somebody is told', async () => {
    const { app, received } = webhook({ maxBodyBytes: 1000 });
    const bomb = gzipSync(Buffer.alloc(1_000_000));

    await send(app).send('x'.repeat(1001)).expect(413);
    await send(app)
      .set('content-encoding', 'gzip')
      .serialize((body) => body)
      .send(bomb.subarray(0, 999) as never)
      .expect(413);
    await send(app).send('x'.repeat(1000)).expect(200);

    expect(received[0]?.parsed).toMatchObject({
      kind: 'unreadable',
      reason: expect.stringContaining('1000 bytes'),
    });
  });
});

describe('the address', () => {
  const { app } = webhook({ tokens: [] });

  test.each([
    [PATH],
    [`${PATH}/`],
    [`${PATH}?receiver=wakewell`],
    [`${PATH}/?`],
    ['/API/v1/AlertManager'],
    [`http://wakewell.example${PATH}`],
  ])('%s is the webhook', async (address) => {
    expect(await statusOf(app, address)).toBe(200);
  });

  test.each([
    [`${PATH}//`],
    [`${PATH}s`],
    [`/x${PATH}`],
    [`/${PATH}`],
    ['/api/v1/%61lertmanager'],
    ['/?/api/v1/alertmanager'],
    ['*'],
  ])('%s is not', async (address) => {
    expect(await statusOf(app, address)).toBe(404);
  });
});

describe('failures', () => {
  const full = () => Promise.reject(new Error('disk full'));

  test('what could not be committed is answered 503', async () => {
    const { app, statuses } = webhook({ intake: { receive: full } });

    const response = await send(app).send(BODY);

    expect(response.status).toBe(503);
    expect(response.text).not.toContain('disk full');
    expect(statuses).toEqual([503]);
  });

  test('a critical that could not be committed is paged without the database', async () => {
    const paged: AlertGroup[] = [];
    const { app } = webhook({
      intake: { receive: full },
      breakGlass: async (group) => void paged.push(group),
    });

    await send(app).send(BODY).expect(503);
    await send(app).send(BODY.replace('critical', 'warning')).expect(503);
    await send(app).send(BODY.replace('firing', 'resolved')).expect(503);

    expect(paged.map((group) => group.alerts[0]?.name)).toEqual(['A']);
  });

  test('a failing direct page changes nothing about the answer', async () => {
    const { app } = webhook({ intake: { receive: full }, breakGlass: full });

    await send(app).send(BODY).expect(503);
  });

  test('while stopping it is 503 and nobody is paged directly', async () => {
    const paged: AlertGroup[] = [];
    const stopping = () => Promise.reject(new AppError('unavailable', 'stopping'));
    const { app } = webhook({
      intake: { receive: stopping },
      breakGlass: async (group) => void paged.push(group),
    });

    await send(app).send(BODY).expect(503);

    expect(paged).toEqual([]);
  });

  test('a fault of our own is answered 503 and ends nothing else', async () => {
    const faulty = () => {
      throw new Error('a fault');
    };
    const { app, received } = webhook({ logger: { ...silentLogger, warn: faulty } });

    await request(app).post(PATH).send(BODY).expect(503);
    await send(app).send(BODY).expect(200);

    expect(received).toHaveLength(1);
  });

  test.each(['get', 'head', 'delete', 'patch', 'options'] as const)('%s is 405', async (method) => {
    const { app } = webhook();

    const response = await request(app)[method](PATH);

    expect([response.status, response.headers.allow]).toEqual([405, 'POST, PUT']);
  });
});
