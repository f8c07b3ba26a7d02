/** What reaches the PagerDuty address: after each case exactly these rows, and nothing sent back to the pager. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { sql } from 'kysely';
import { describe, expect, onTestFinished, test } from 'vitest';
import { DAY, MINUTE, SECOND } from '../../src/domain/clock.js';
import { secondPageKey } from '../../src/domain/second-page.js';
import { createPagerDutyWebhook, PAGERDUTY_PATH } from '../../src/http/pagerduty-webhook.js';
import { createIncidentActions } from '../../src/incidents/incident-actions.js';
import { createNotificationStore } from '../../src/store/notification-store.js';
import { keptLog } from '../receivers/receiver-setup.js';
import { anAlert, resolvedCopy } from '../support/build.js';
import { createIntakeHarness } from '../support/intake-harness.js';
import { pagerDutyEvent, pagerDutySignature, WEBHOOK_SECRET } from '../support/signed-pagerduty.js';

const NEW_SECRET = 'MARKER-pagerduty-next-secret-0123';

async function startService(secrets: readonly string[] = [WEBHOOK_SECRET]) {
  const h = createIntakeHarness();
  const log = keptLog();
  const actions = createIncidentActions({ ...h, pageDeadlineMs: 5_000, onCommitted: () => {} });
  const router = createPagerDutyWebhook({
    secrets: secrets.map((secret) => ({ secret, receiver: 'pager' })),
    apply: actions.pagerAct,
    clock: h.clock,
    logger: log,
  });
  const server = createServer(express().use(router));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await h.receive(anAlert());
  await h.clock.advance(MINUTE);
  await h.deliverDue();
  await h.db.kysely.updateTable('work').set({ state: 'done' }).execute();
  const before = (await h.outbox()).length;
  const { dedupKey } = (await h.view()).episode;

  const send = async (body: string, signature: string | null = pagerDutySignature(body)) => {
    const answer = await fetch(`http://127.0.0.1:${port}${PAGERDUTY_PATH}`, {
      method: 'POST',
      body,
      headers: signature === null ? {} : { 'x-pagerduty-signature': signature },
    });
    return answer.status;
  };
  return {
    ...h,
    log,
    send,
    dedupKey,
    event: (type: string, over: Readonly<Record<string, unknown>> = {}) =>
      JSON.stringify(pagerDutyEvent(type, dedupKey, over)),
    async aftermath(status: number) {
      const { incident, timeline } = await h.view();
      return {
        status,
        state: incident.state,
        acts: timeline
          .filter(({ via }) => via !== null)
          .map(({ actor, kind, via }) => `${actor} ${kind} ${via}`),
        messages: (await h.outbox()).slice(before).map((row) => row.replace(/ \+.*$/, '')),
      };
    },
  };
}

type Service = Awaited<ReturnType<typeof startService>>;
type Aftermath = Awaited<ReturnType<Service['aftermath']>>;

const nothing = (status: number): Aftermath => ({ status, state: 'open', acts: [], messages: [] });
/** Taken, and said on the card; the pager, which knows, is told nothing. */
const ACKED: Aftermath = {
  status: 200,
  state: 'acknowledged',
  acts: ['Mia Muster acknowledged PagerDuty'],
  messages: ['card slack queued'],
};
const RESOLVED_THERE: Aftermath = {
  status: 200,
  state: 'open',
  acts: ['Mia Muster pager_resolved PagerDuty'],
  messages: ['card slack queued'],
};

const CASES: readonly (readonly [string, (s: Service) => Promise<number>, Aftermath])[] = [
  ['an acknowledgement', (s) => s.send(s.event('incident.acknowledged')), ACKED],
  ['no signature', (s) => s.send(s.event('incident.acknowledged'), null), nothing(401)],
  [
    'a signature by an old secret',
    (s) => {
      const body = s.event('incident.acknowledged');
      return s.send(body, pagerDutySignature(body, 'MARKER-an-old-secret-0123456789'));
    },
    nothing(401),
  ],
  [
    'two signatures, one right',
    (s) => {
      const body = s.event('incident.acknowledged');
      return s.send(body, `${pagerDutySignature(body, 'other')},${pagerDutySignature(body)}`);
    },
    ACKED,
  ],
  [
    'a right signature of another version only',
    (s) => {
      const body = s.event('incident.acknowledged');
      return s.send(body, pagerDutySignature(body).replace('v1=', 'v2='));
    },
    nothing(401),
  ],
  [
    'a signature in capital letters',
    (s) => {
      const body = s.event('incident.acknowledged');
      return s.send(body, `v1=${pagerDutySignature(body).slice(3).toUpperCase()}`);
    },
    nothing(401),
  ],
  [
    'one byte changed after it was signed',
    (s) => {
      const body = s.event('incident.acknowledged');
      return s.send(body.replace('Mia', 'Bia'), pagerDutySignature(body));
    },
    nothing(401),
  ],
  [
    'a body with line breaks in it',
    (s) => s.send(JSON.stringify(JSON.parse(s.event('incident.acknowledged')), null, 2)),
    ACKED,
  ],
  [
    'a body that is not ASCII',
    (s) =>
      s.send(
        s.event('incident.acknowledged', { agent: { type: 'user_reference', summary: 'Zoë 李 \u202e' } }),
      ),
    { ...ACKED, acts: ['Zoë 李 acknowledged PagerDuty'] },
  ],
  [
    'an event that was acted upon before',
    async (s) => {
      await s.send(s.event('incident.acknowledged'));
      await s.clock.advance(10 * MINUTE);
      return s.send(s.event('incident.acknowledged'));
    },
    ACKED,
  ],
  [
    'an event of last week',
    (s) =>
      s.send(
        s.event('incident.acknowledged', {
          occurred_at: new Date(s.clock.now() - 8 * DAY).toISOString(),
        }),
      ),
    nothing(200),
  ],
  [
    'an acknowledgement of what is none of ours',
    (s) => s.send(JSON.stringify(pagerDutyEvent('incident.acknowledged', 'f'.repeat(64)))),
    nothing(200),
  ],
  [
    'an incident without a key',
    (s) => s.send(s.event('incident.acknowledged', { data: { id: 'Q1', incident_key: null } })),
    nothing(200),
  ],
  ['a resolve while its alert fires', (s) => s.send(s.event('incident.resolved')), RESOLVED_THERE],
  [
    'a resolve and, late, the acknowledgement before it',
    async (s) => {
      await s.send(s.event('incident.resolved'));
      await s.clock.advance(SECOND);
      return s.send(s.event('incident.acknowledged'));
    },
    RESOLVED_THERE,
  ],
  ['an event of a type that is not used', (s) => s.send(s.event('incident.priority_updated')), nothing(200)],
  ['an event type from the prototype', (s) => s.send(s.event('constructor')), nothing(200)],
  [
    'the test of the address',
    (s) => s.send(s.event('pagey.ping', { data: { message: 'Hello' } })),
    nothing(200),
  ],
  ['a signed body that is no JSON', (s) => s.send('{'), nothing(200)],
  ['a signed body without an event', (s) => s.send('{"messages":[]}'), nothing(200)],
  ['a body of 1 MB', (s) => s.send(' '.repeat(1_000_000)), nothing(413)],
  [
    'what an integration did',
    (s) =>
      s.send(
        s.event('incident.acknowledged', {
          agent: { type: 'event_source_reference', summary: '<!channel> integration' },
        }),
      ),
    { ...ACKED, acts: ['PagerDuty acknowledged PagerDuty'] },
  ],
  [
    'what nobody did',
    (s) => s.send(s.event('incident.acknowledged', { agent: null })),
    { ...ACKED, acts: ['PagerDuty acknowledged PagerDuty'] },
  ],
];

describe('C8', () => {
  test.each(CASES)('%s', async (_name, send, leaves) => {
    const service = await startService();

    const status = await send(service);

    expect(await service.aftermath(status)).toEqual(leaves);
    expect(JSON.stringify(service.log.lines())).not.toContain('MARKER');
  });

  test('a secret is replaced without a gap: the old and the new one count', async () => {
    const service = await startService([WEBHOOK_SECRET, NEW_SECRET]);
    const body = service.event('incident.acknowledged');

    expect(await service.aftermath(await service.send(body, pagerDutySignature(body, NEW_SECRET)))).toEqual(
      ACKED,
    );
  });

  test('without a secret there is no such address', async () => {
    const service = await startService([]);

    expect(await service.send(service.event('incident.acknowledged'))).toBe(404);
  });

  test('what cannot be recorded is asked for again, and counts then', async () => {
    const service = await startService();
    const trouble = sql`create trigger trouble before insert on timeline begin select raise(abort, 'disk I/O error'); end`;
    await trouble.execute(service.db.kysely);
    const body = service.event('incident.acknowledged');

    expect(await service.send(body)).toBe(503);
    await sql`drop trigger trouble`.execute(service.db.kysely);

    expect(await service.aftermath(await service.send(body))).toEqual(ACKED);
  });

  test('a database that does not answer is asked again, and nothing is recorded later', async () => {
    const service = await startService();
    let release = () => {};
    const held = service.db.transaction(
      () =>
        new Promise<void>((resolve) => {
          release = resolve;
        }),
    );
    let status = 0;
    void service.send(service.event('incident.acknowledged')).then((answer) => {
      status = answer;
    });
    while (status === 0) await service.clock.advance(100);
    release();
    await held;

    expect(await service.aftermath(status)).toEqual(nothing(503));
  });
});

test('an acknowledgement of the reminder is one of the incident, and the first page is told of it', async () => {
  const s = await startService();
  const nowMs = s.clock.now();
  await s.db.transaction((tx) =>
    createNotificationStore().enqueue(tx, [
      {
        incidentId: 1,
        episodeId: 1,
        receiver: 'pager',
        purpose: 'page_again',
        dueAtMs: nowMs,
        createdAtMs: nowMs,
      },
    ]),
  );
  await s.deliverDue();
  const body = JSON.stringify(pagerDutyEvent('incident.acknowledged', secondPageKey(s.dedupKey)));

  const status = await s.send(body);

  expect(await s.aftermath(status)).toEqual({
    ...ACKED,
    messages: ['page_again pager sent', 'page_acknowledge pager queued', 'card slack queued'],
  });
});

describe('a resolve at the pager', () => {
  const pagerResolved = async (s: Service) => s.send(s.event('incident.resolved'));

  test('of what still fires is said on the card, and ends nothing', async () => {
    const s = await startService();

    await pagerResolved(s);

    expect(await s.story()).toContain(
      'pager_resolved: Resolved in PagerDuty, still firing: it stays open here',
    );
    expect((await s.view()).episode).toMatchObject({
      pagerResolvedAtMs: s.clock.now(),
      pagerResolvedBy: 'Mia Muster',
    });
  });

  test('is taken back by opening it again there', async () => {
    const s = await startService();
    await pagerResolved(s);

    await s.send(s.event('incident.reopened'));

    expect((await s.view()).episode.pagerResolvedAtMs).toBeNull();
    expect(await s.story()).toContain('note: Opened again');
  });

  test('of what is over here spares the pager our own, and a new firing pages anew', async () => {
    const s = await startService();
    await s.receive(resolvedCopy(anAlert(), s.clock.now()));
    expect(await s.outbox()).toContain('page_resolve pager queued +300000');

    await pagerResolved(s);
    await s.clock.advance(MINUTE);
    await s.receive(anAlert({ startsAtMs: s.clock.now() }));

    expect((await s.outbox()).filter((row) => row.startsWith('page'))).toEqual([
      'page pager sent +-115000',
      'page_resolve pager dropped +240000',
      'page pager queued +5000',
    ]);
    expect((await s.view()).episode.number).toBe(2);
  });

  test('of an earlier firing period changes nothing', async () => {
    const s = await startService();
    await s.receive(resolvedCopy(anAlert(), s.clock.now()));
    await s.clock.advance(10 * MINUTE);
    await s.deliverDue();
    await s.receive(anAlert({ startsAtMs: s.clock.now() }));

    await pagerResolved(s);

    expect((await s.view()).incident.state).toBe('open');
    expect((await s.view()).episode).toMatchObject({ number: 2, pagerResolvedAtMs: null });
  });

  test('after which the alert goes quiet and comes back: somebody is paged', async () => {
    const s = await startService();
    await pagerResolved(s);
    await s.receive(resolvedCopy(anAlert(), s.clock.now()));
    await s.clock.advance(MINUTE);

    await s.receive(anAlert({ startsAtMs: s.clock.now() }));

    expect(await s.outbox()).toContain('page pager queued +5000');
  });
});
