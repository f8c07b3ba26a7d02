import { Socket } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { readConfig } from '../../src/config/config.js';
import { PURPOSES } from '../../src/domain/notification.js';
import { createReceivers } from '../../src/receivers/create-receivers.js';
import { fetchNothing } from '../../src/receivers/shadow.js';
import { aView } from '../support/a-view.js';
import { createManualClock } from '../support/manual-clock.js';
import { aNotification, keptLog } from './receiver-setup.js';

const SECRETS = ['r0123456789abcdef0123456789abcdef', 'xoxb-secret-marker', 'hook-secret-marker'];

afterEach(() => vi.restoreAllMocks());

function everyKind(shadow: boolean, log = keptLog()) {
  const read = readConfig({
    yamlText: JSON.stringify({
      receivers: [
        {
          name: 'pager',
          kind: 'pagerduty',
          routing_key: SECRETS[0],
          events_url: 'http://127.0.0.1:65530/enqueue',
        },
        {
          name: 'team',
          kind: 'slack',
          bot_token: SECRETS[1],
          channel: 'C1',
          api_url: 'http://127.0.0.1:65530/api',
        },
        { name: 'hook', kind: 'webhook', url: 'http://127.0.0.1:65530/in', secret: SECRETS[2] },
        { name: 'log', kind: 'log' },
      ],
    }),
    env: {},
  });
  if (read.kind === 'faulty') throw new Error(read.faults.join('\n'));
  return createReceivers(read.config.receivers, {
    shadow,
    silenceSource: null,
    publicUrl: null,
    fetch: globalThis.fetch,
    clock: createManualClock({ nowMs: 0 }),
    logger: log,
  });
}

test('in shadow mode no receiver opens a connection, for any purpose, full or bare', async () => {
  const connect = vi.spyOn(Socket.prototype, 'connect').mockImplementation(() => {
    throw new Error('a connection was opened');
  });
  const log = keptLog();
  const receivers = everyKind(true, log);
  const view = aView();
  const facts = {
    dedupKey: 'd',
    alertName: 'LLMHighTTFT',
    severity: 'critical',
    scope: {},
    state: 'open',
    incidentId: 412,
    why: 'test',
  } as const;

  for (const receiver of receivers.values()) {
    for (const purpose of PURPOSES) {
      const signal = new AbortController().signal;
      const notification = aNotification(purpose);
      const full = await receiver.deliver({ notification, view, card: null, secondPage: false }, signal);
      const bare = await receiver.deliverBare(
        { purpose, facts, card: null, secondPage: false, idempotencyKey: 'k' },
        signal,
      );
      expect([full, bare]).toEqual([
        { kind: 'sent', ref: null, shadow: true },
        { kind: 'sent', ref: null, shadow: true },
      ]);
    }
  }
  await expect(fetchNothing('http://127.0.0.1:65530/')).rejects.toThrow('shadow mode');

  expect(connect).not.toHaveBeenCalled();
  expect([...receivers.values()].map(({ name, kind }) => [name, kind])).toEqual([
    ['pager', 'pagerduty'],
    ['team', 'slack'],
    ['hook', 'webhook'],
    ['log', 'log'],
  ]);
  for (const secret of SECRETS) expect(log.lines().join('\n')).not.toContain(secret);
  expect(log.lines()[0]).toContain('shadow mode: not sent');
});

test('out of it the same receivers do: this test can fail', async () => {
  const connect = vi.spyOn(Socket.prototype, 'connect').mockImplementation(() => {
    throw new Error('a connection was opened');
  });
  const pager = everyKind(false).get('pager');

  await pager?.deliver(
    { notification: aNotification('page'), view: aView(), card: null, secondPage: false },
    new AbortController().signal,
  );

  expect(connect).toHaveBeenCalled();
});
