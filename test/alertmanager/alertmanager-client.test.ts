import { describe, expect, onTestFinished, test } from 'vitest';
import { alertKey } from '../../src/alertmanager/alert-key.js';
import { createAlertmanagerClient } from '../../src/alertmanager/alertmanager-client.js';
import { readPeers } from '../../src/alertmanager/read-peers.js';
import { systemClock } from '../../src/app.js';
import { MINUTE } from '../../src/domain/clock.js';
import { labelsFrom } from '../../src/domain/labels.js';
import { startFakeAlertmanager } from '../support/fake-alertmanager.js';
import { type FakeAnswer, startFakePrometheus } from '../support/fake-prometheus.js';

const LABELS = { alertname: 'LLMHighTTFT', severity: 'critical', model: 'llama-70b' };
const READ = { source: 'alertmanager', scopeLabels: ['model'], severityMapping: {} };

async function aPeer() {
  const peer = await startFakeAlertmanager({ clock: systemClock });
  onTestFinished(() => peer.close());
  return peer;
}

function aClient(baseUrl: string, over: object = {}) {
  const client = createAlertmanagerClient({ baseUrl, read: READ, clock: systemClock, ...over });
  onTestFinished(() => client.close());
  return client;
}

/** A server that answers anything a test says. */
async function answering(answer: FakeAnswer) {
  const server = await startFakePrometheus(() => answer);
  onTestFinished(() => server.close());
  return server;
}

describe('one Alertmanager', () => {
  test('an alert it holds has the identity that the webhook gives it', async () => {
    const peer = await aPeer();
    peer.hold(LABELS);
    const id = peer.silence({ alertname: 'LLMHighTTFT' }, { untilMs: Date.now() + MINUTE });

    const answer = await aClient(peer.url).alerts();

    expect(answer).toMatchObject({ kind: 'ok', value: { unreadable: 0 } });
    const [held] = answer.kind === 'ok' ? answer.value.alerts : [];
    expect(held?.alert.alertKey).toBe(alertKey('alertmanager', labelsFrom(Object.entries(LABELS))));
    expect(held).toMatchObject({
      silencedBy: [id],
      inhibitedBy: [],
      processed: true,
      receivers: ['wakewell'],
    });
    expect(held?.expiresAtMs).toBeGreaterThan(Date.now());
    expect(held?.alert.endsAtMs).toBeNull();
  });

  test('credentials, own headers and a path prefix are sent as configured', async () => {
    const server = await answering({ kind: 'json', body: [] });

    await aClient(`${server.url}/am/`, {
      bearerToken: 'tok-1',
      headers: { 'X-Scope-OrgID': 'team' },
    }).silences();
    await aClient(server.url, { basicAuth: { username: 'u', password: 'p' } }).silences();

    const [first, second] = server.questions();
    expect(first?.path).toBe('/am/api/v2/silences');
    expect(first?.headers).toMatchObject({ authorization: 'Bearer tok-1', 'x-scope-orgid': 'team' });
    expect(second?.headers.authorization).toBe(`Basic ${Buffer.from('u:p').toString('base64')}`);
  });

  test.each<readonly [string, FakeAnswer, RegExp]>([
    ['an error in JSON text', { kind: 'json', status: 400, body: 'bad matcher' }, /HTTP 400: bad matcher/],
    [
      'an error object',
      { kind: 'json', status: 422, body: { code: 612, message: 'too few' } },
      /HTTP 422: too few/,
    ],
    ['an error page', { kind: 'text', status: 502, body: '<html>' }, /HTTP 502$/],
    [
      'a redirect',
      { kind: 'text', status: 302, body: '', headers: { location: 'http://elsewhere/' } },
      /not followed/,
    ],
    ['no JSON', { kind: 'text', body: 'hello' }, /no JSON/],
    ['another JSON', { kind: 'json', body: { status: 'success' } }, /is this Alertmanager/],
    ['a closed connection', { kind: 'cut' }, /cannot be reached/],
    ['garbage', { kind: 'garbage' }, /cannot be reached/],
    ['silence', { kind: 'hang' }, /no answer within 0.2 s/],
    ['an endless body', { kind: 'endless', chunk: Buffer.alloc(65_536, 32), everyMs: 0 }, /more than 1 MiB/],
  ])('%s is an outcome with its reason', async (_name, answer, says) => {
    const server = await answering(answer);
    const options = answer.kind === 'hang' ? { timeoutMs: 200 } : { maxBodyBytes: 1024 * 1024 };

    const outcome = await aClient(server.url, { bearerToken: 'secret-marker', ...options }).alerts();

    expect(outcome).toMatchObject({ kind: 'failed', detail: expect.stringMatching(says) });
    expect(JSON.stringify(outcome)).not.toContain('secret-marker');
  });

  test('a refused connection is said, and that nothing was sent', async () => {
    expect(await aClient('http://127.0.0.1:1').alerts()).toMatchObject({
      kind: 'failed',
      detail: '127.0.0.1:1 cannot be reached (ECONNREFUSED)',
      sent: false,
    });
  });

  test('an entry that cannot be read is counted and costs no other', async () => {
    const server = await answering({
      kind: 'json',
      body: [{ labels: { alertname: 'A' } }, { labels: 'none' }, 7],
    });

    const answer = await aClient(server.url).alerts();

    expect(answer).toMatchObject({
      kind: 'ok',
      value: { unreadable: 2, alerts: [{ alert: { name: 'A' } }] },
    });
  });

  test('a silence is created with the matchers as given', async () => {
    const peer = await aPeer();

    const answer = await aClient(peer.url).createSilence({
      matchers: [
        { name: 'alertname', operator: '=', value: 'A "quoted"' },
        { name: 'pod', operator: '!~', value: 'x.*' },
      ],
      startsAtMs: Date.now(),
      endsAtMs: Date.now() + MINUTE,
      createdBy: 'mia',
      comment: 'INC-1: draining',
    });

    expect(answer.kind).toBe('ok');
    expect(peer.silences()).toMatchObject([
      {
        matchers: [
          { name: 'alertname', value: 'A "quoted"', isRegex: false, isEqual: true },
          { name: 'pod', value: 'x.*', isRegex: true, isEqual: false },
        ],
        createdBy: 'mia',
      },
    ]);
  });
});

describe('peers', () => {
  const two = async () => [await aPeer(), await aPeer()] as const;

  test('hold together what any of them holds', async () => {
    const [a, b] = await two();
    a.hold(LABELS);
    b.hold({ ...LABELS, model: 'mixtral' });
    b.hold(LABELS, { inhibitedBy: ['0123456789abcdef'] });

    const reading = await readPeers([aClient(a.url), aClient(b.url)]);

    expect(reading).toMatchObject({ kind: 'read', complete: true, faults: [] });
    if (reading.kind !== 'read') return;
    expect(reading.alerts.size).toBe(2);
    const key = alertKey('alertmanager', labelsFrom(Object.entries(LABELS)));
    expect(reading.alerts.get(key)?.inhibitedBy).toEqual(['0123456789abcdef']);
  });

  test('prove nothing absent while one of them cannot be asked', async () => {
    const [a, b] = await two();
    a.hold(LABELS);
    b.failNext({ kind: 'status', status: 503 }, Number.POSITIVE_INFINITY);

    const reading = await readPeers([aClient(a.url), aClient(b.url)]);

    expect(reading).toMatchObject({
      kind: 'read',
      complete: false,
      faults: [expect.stringMatching(/HTTP 503/)],
    });
  });

  test.each([
    [
      'is fresh from a restart',
      (peer: Awaited<ReturnType<typeof aPeer>>) => peer.restart(),
      /restarted 0 s ago/,
    ],
    [
      'gathers its cluster',
      (peer: Awaited<ReturnType<typeof aPeer>>) => peer.setCluster('settling'),
      /gathers/,
    ],
  ])('prove nothing absent while one of them %s', async (_name, make, says) => {
    const [a, b] = await two();
    make(b);

    const reading = await readPeers([aClient(a.url), aClient(b.url)]);

    expect(reading).toMatchObject({ kind: 'read', complete: false });
    expect(reading.faults).toEqual([expect.stringMatching(says)]);
  });

  test('none of which answers are unreachable, each with its reason', async () => {
    const reading = await readPeers([aClient('http://127.0.0.1:1'), aClient('http://127.0.0.1:2')]);

    expect(reading.kind).toBe('unreachable');
    expect(reading.faults).toHaveLength(2);
  });
});
