/** Rows B28–B33 of the fault matrix: what PagerDuty can do to a page. Every outgoing call stands in a declared window. */

import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { MINUTE, SECOND } from '../../src/domain/clock.js';
import { startWorld, type Window, type World } from './world.js';

/** Half an hour of a whole service, second by second. */
const LONG = { timeout: 180_000 };

/** The card of an incident is posted once and then updated; what happens to it is another test's subject. */
const CARDS: readonly Window[] = [
  { to: 'slack', what: 'chat.postMessage', ok: true, from: 0, until: 60 * MINUTE, times: [1, 40] },
  { to: 'slack', what: 'chat.update', ok: true, from: 0, until: 60 * MINUTE, times: [0, 400] },
];

const metrics = async (w: World) => (await w.get('/metrics')).text;

describe('B28', () => {
  test('the answer never comes though the event was processed: sent again under the same key, one incident', async () => {
    const w = await startWorld();
    w.fail('pager', { kind: 'hang', processed: true }, 1);
    expect(await w.fire('model-1')).toBe(200);
    await w.pass(20 * SECOND);

    w.expectCalls([
      { to: 'pager', what: 'trigger', ok: false, from: 0, until: 5 * SECOND, times: 1 },
      { to: 'pager', what: 'trigger', ok: true, from: 5 * SECOND, until: 6 * SECOND, times: 1 },
      ...CARDS,
    ]);
    expect(w.pagers.pager.incidents()).toMatchObject([{ triggers: 2, state: 'triggered' }]);
    expect(w.pagers['pager-b'].requests()).toHaveLength(0);
  });

  test('the connection breaks after the event was processed: the same', async () => {
    const w = await startWorld();
    w.fail('pager', { kind: 'close', processed: true }, 3);
    await w.fire('model-1');
    await w.pass(20 * SECOND);

    w.expectCalls([
      { to: 'pager', what: 'trigger', ok: false, from: 0, until: 9 * SECOND, times: 3 },
      { to: 'pager', what: 'trigger', ok: true, from: 0, until: 10 * SECOND, times: 1 },
      ...CARDS,
    ]);
    expect(w.pagers.pager.incidents()).toMatchObject([{ triggers: 4 }]);
  });
});

test('B29: an invalid event is not repeated: its bare form goes once, and story, log and metrics say so', async () => {
  const w = await startWorld();
  w.fail('pager', { kind: 'status', status: 400, body: '{"status":"invalid event"}' }, 1);
  await w.fire('model-1');
  await w.pass(20 * SECOND);

  w.expectCalls([
    { to: 'pager', what: 'trigger', ok: false, from: 0, until: 5 * SECOND, times: 1 },
    { to: 'pager', what: 'trigger', ok: true, from: 0, until: 5 * SECOND, times: 1 },
    ...CARDS,
  ]);
  const bodies = w
    .calls()
    .filter((call) => call.to === 'pager')
    .map((call) => call.body);
  expect(bodies[0]).not.toBe(bodies[1]);
  expect(w.pagers.pager.incidents()).toMatchObject([
    {
      summary:
        'CRIT LLMHighTTFT model-1/prod-us. No details: the full message failed, the incident says why. INC-1',
    },
  ]);
  expect(await w.story(1)).toContain(
    'send_failed: Page was refused by pager for its content (HTTP 400: {"status":"invalid event"}): it is sent from bare facts',
  );
  expect(
    w.log().some((line) => line.level === 50 && line.msg === 'message set aside, sent in its bare form'),
  ).toBe(true);
  expect(await metrics(w)).toMatch(
    /wakewell_deliveries_total\{receiver="pager",purpose="page",outcome="rejected",reason=""\} 1/,
  );
});

describe('B30: half an hour of 429', () => {
  test(
    'without Retry-After: the ladder within 30 s, nothing lost or doubled, acceptance within 5 s of the end',
    LONG,
    async () => {
      // The whole half hour by FAULTS_FULL=1; nothing changes after the first minutes.
      const lifted = (process.env.FAULTS_FULL === '1' ? 30 : 8) * MINUTE;
      const w = await startWorld();
      w.fail('pager', { kind: 'status', status: 429 });
      await w.fire('model-1');
      await w.pass(5 * MINUTE);
      await w.fire('model-2');
      await w.pass(lifted - 5 * MINUTE);
      w.heal('pager');
      await w.pass(MINUTE);

      w.expectCalls([
        // One asks at a time: never more than one in two and a half seconds.
        {
          to: 'pager',
          what: 'trigger',
          ok: false,
          from: 0,
          until: lifted,
          times: [(lifted / MINUTE) * 16, (lifted / MINUTE) * 25],
        },
        {
          to: 'pager',
          what: 'trigger',
          about: 'model-1',
          ok: true,
          from: lifted,
          until: lifted + 5 * SECOND,
          times: 1,
        },
        {
          to: 'pager',
          what: 'trigger',
          about: 'model-2',
          ok: true,
          from: lifted,
          until: lifted + 5 * SECOND,
          times: 1,
        },
        {
          to: 'pager-b',
          what: 'trigger',
          about: 'model-1',
          ok: true,
          from: 25 * SECOND,
          until: 36 * SECOND,
          times: 1,
        },
        {
          to: 'pager-b',
          what: 'trigger',
          about: 'model-2',
          ok: true,
          from: 5 * MINUTE + 25 * SECOND,
          until: 5 * MINUTE + 36 * SECOND,
          times: 1,
        },
        ...CARDS,
      ]);
      expect(w.pagers.pager.incidents().map((one) => one.triggers)).toEqual([1, 1]);
      expect(w.pagers['pager-b'].incidents().map((one) => one.triggers)).toEqual([1, 1]);
    },
  );

  test('with Retry-After: asked no earlier than it says, and at once when it is over', LONG, async () => {
    const w = await startWorld();
    w.fail('pager', { kind: 'status', status: 429, headers: { 'retry-after': '100' } });
    await w.fire('model-1');
    await w.pass(30 * MINUTE - 5 * SECOND);
    const asked = w
      .calls()
      .filter((call) => call.to === 'pager')
      .map((call) => call.atMs);
    const gaps = asked.slice(1).map((at, i) => at - (asked[i] ?? 0));
    expect(gaps.every((gap) => gap >= 100 * SECOND && gap <= 101 * SECOND)).toBe(true);
    w.heal('pager');
    await w.pass(2 * MINUTE);

    w.expectCalls([
      { to: 'pager', what: 'trigger', ok: false, from: 0, until: 30 * MINUTE, times: 18 },
      {
        to: 'pager',
        what: 'trigger',
        ok: true,
        from: (asked.at(-1) ?? 0) + 100 * SECOND,
        until: (asked.at(-1) ?? 0) + 101 * SECOND,
        times: 1,
      },
      { to: 'pager-b', what: 'trigger', ok: true, from: 25 * SECOND, until: 36 * SECOND, times: 1 },
      ...CARDS,
    ]);
  });
});

test(
  'B31: 38 minutes of 500, 502 and 503: the ladder within 30 s; after them no stale page, one an episode, new criticals first',
  LONG,
  async () => {
    const w = await startWorld({ config: { timings: { resolve_hold: '1m', reopen_window: '30m' } } });
    const states = [500, 502, 503];
    let turn = 0;
    const worsen = () =>
      w.fail('pager', { kind: 'status', status: states[turn++ % 3] ?? 500, body: '<html>oops</html>' });
    worsen();
    // Six problems: acknowledged, resolved by its alert, resolved by a person, resolved and back, a warning that rises, untouched.
    for (let i = 1; i <= 4; i++) await w.fire(`model-${i}`);
    await w.fire('model-5', 'warning');
    await w.fire('model-6');
    await w.pass(6 * MINUTE);
    worsen();
    await w.act(1, 'acknowledge');
    await w.end('model-2');
    await w.act(3, 'resolve');
    await w.end('model-4');
    await w.fire('model-5', 'critical');
    await w.pass(16 * MINUTE);
    worsen();
    await w.pass(15 * MINUTE);
    await w.fire('model-7');
    await w.pass(MINUTE);
    const lifted = 38 * MINUTE;
    const before = w.calls().length;
    w.heal('pager');
    // One that nobody was told of yet, while the others wait.
    await w.fire('model-8');
    await w.pass(3 * MINUTE);

    const after = w
      .calls()
      .slice(before)
      .filter((call) => call.to === 'pager');
    const triggers = after.filter((call) => call.what === 'trigger').map((call) => call.about);
    expect(triggers[0]).toBe('model-8');
    expect([...triggers].sort()).toEqual(['model-5', 'model-6', 'model-7', 'model-8']);
    // What a lost answer may have left standing there is closed, and wakes nobody.
    expect(
      after
        .slice(4)
        .map((call) => `${call.what} ${call.about}`)
        .sort(),
    ).toEqual(['acknowledge model-1', 'resolve model-2', 'resolve model-3', 'resolve model-4']);
    expect(after.every((call) => call.atMs <= lifted + 6 * SECOND && call.answer === 202)).toBe(true);
    w.pagers.pager.expectNoUnexpected();
    expect(w.pagers.pager.incidents().map((one) => one.triggers)).toEqual([1, 1, 1, 1]);
    // The next rung woke once for each that stood for 30 s, and was told of what ended.
    const rung = w.calls().filter((call) => call.to === 'pager-b' && call.what === 'trigger');
    expect(rung.map((call) => call.about).sort()).toEqual(
      ['model-1', 'model-2', 'model-3', 'model-4', 'model-5', 'model-6', 'model-7'].sort(),
    );
    expect(
      w.pagers['pager-b']
        .incidents()
        .map((one) => [one.summary.match(/model-\d/)?.[0], one.state])
        .sort(),
    ).toEqual([
      ['model-1', 'acknowledged'],
      ['model-2', 'resolved'],
      ['model-3', 'resolved'],
      ['model-4', 'resolved'],
      ['model-5', 'triggered'],
      ['model-6', 'triggered'],
      ['model-7', 'triggered'],
    ]);
  },
);

test.each([401, 403])(
  'B32: a revoked key (%i): the next of the ladder at once, and an alarm until it works again',
  async (status) => {
    const w = await startWorld();
    w.fail('pager', { kind: 'status', status, body: `{"message":"key ${'a'.repeat(32)} revoked"}` });
    await w.fire('model-1');
    await w.pass(2 * SECOND);

    w.expectCalls([
      { to: 'pager', what: 'trigger', ok: false, from: 0, until: SECOND, times: 1 },
      { to: 'pager-b', what: 'trigger', ok: true, from: 0, until: SECOND, times: 1 },
      ...CARDS,
    ]);
    expect(await w.story(1)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(new RegExp(`^send_failed: Page refused by pager: HTTP ${status}`)),
        'send_failed: Page to pager refused: passed on to pager-b',
      ]),
    );
    expect(
      w
        .log()
        .some((line) => line.level === 50 && line.msg === 'receiver refuses our credentials: replace them'),
    ).toBe(true);
    expect(await w.get('/readyz')).toMatchObject({
      status: 200,
      text: expect.stringContaining('{"name":"receiver pager","ok":false}'),
    });
    expect((await w.get('/outbox')).text).toContain('pager refuses our credentials since 03:00 UTC');
    expect(await metrics(w)).toContain('wakewell_receiver_failing{receiver="pager",reason="auth"} 1');

    w.heal('pager');
    await w.fire('model-2');
    await w.pass(2 * SECOND);
    expect((await w.get('/readyz')).text).not.toContain('receiver pager');
    expect(await metrics(w)).not.toContain('wakewell_receiver_failing{');
    expect((await w.get('/outbox')).text).not.toContain('refuses our credentials');
    expect(JSON.stringify(w.log())).not.toContain('a'.repeat(32));
  },
);

describe('B33: the way to the pager is broken', () => {
  /** Takes connections; what it does with them is the test's. */
  async function server(
    take: (socket: Socket) => void,
  ): Promise<{ readonly port: number; readonly seen: () => number }> {
    let seen = 0;
    const sockets = new Set<Socket>();
    const listener: Server = createServer((socket) => {
      seen += 1;
      sockets.add(socket);
      socket.on('error', () => {});
      take(socket);
    });
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    onTestFinished(async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => listener.close(resolve));
    });
    return { port: (listener.address() as AddressInfo).port, seen: () => seen };
  }

  const slackLast: readonly Window[] = [
    { to: 'slack', what: 'chat.postMessage', ok: true, from: 0, until: 5 * SECOND, times: 1 },
    { to: 'slack', what: 'chat.update', ok: true, from: 0, until: 60 * SECOND, times: [0, 10] },
    // The last rung: a message of its own with a mention.
    { to: 'slack', what: 'chat.postMessage', ok: true, from: 25 * SECOND, until: 36 * SECOND, times: 1 },
  ];

  test.each([
    [
      'a name that does not resolve',
      async (): Promise<string> => 'http://nowhere.invalid/v2/enqueue',
      /ENOTFOUND|EAI_AGAIN/,
    ],
    [
      'a port where nobody listens',
      async (): Promise<string> => 'http://127.0.0.1:1/v2/enqueue',
      /ECONNREFUSED|connection failed/,
    ],
    [
      'a server that speaks no TLS',
      async (): Promise<string> =>
        `https://127.0.0.1:${(await server((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))).port}/v2/enqueue`,
      /SSL|EPROTO|ECONNRESET|UND_ERR|connection failed/,
    ],
    [
      'a connection that is reset',
      async (): Promise<string> =>
        `http://127.0.0.1:${(await server((socket) => socket.resetAndDestroy())).port}/v2/enqueue`,
      /ECONNRESET|UND_ERR_SOCKET|connection failed/,
    ],
  ] as const)('%s: retried within seconds, and the ladder after 30', async (_name, eventsUrl, detail) => {
    const w = await startWorld({ eventsUrl: await eventsUrl(), pagers: ['pager'] });
    await w.fire('model-1');
    await w.pass(40 * SECOND);

    w.expectCalls([
      { to: 'pager', what: 'trigger', ok: false, from: 0, until: 41 * SECOND, times: [10, 20] },
      ...slackLast,
    ]);
    expect(w.pagers.pager.requests()).toHaveLength(0);
    expect((await w.story(1)).find((one) => one.startsWith('send_failed: Page not accepted'))).toMatch(
      detail,
    );
    expect(w.slack.messages().at(-1)?.text).toMatch(/^<@U0MIA> CRIT/);
  });

  test('a half-open socket that takes everything and says nothing: five seconds a try, and the ladder after 30', async () => {
    const silent = await server(() => {});
    const w = await startWorld({
      eventsUrl: `http://127.0.0.1:${silent.port}/v2/enqueue`,
      pagers: ['pager'],
    });
    w.fail('pager', { kind: 'hang' });
    await w.fire('model-1');
    await w.pass(40 * SECOND);

    w.expectCalls([
      { to: 'pager', what: 'trigger', ok: false, from: 0, until: 41 * SECOND, times: [4, 7] },
      ...slackLast,
    ]);
    const tries = w
      .calls()
      .filter((call) => call.to === 'pager')
      .map((call) => call.atMs);
    expect(tries.slice(1).every((at, i) => at - (tries[i] ?? 0) >= 5 * SECOND)).toBe(true);
    expect(silent.seen()).toBeGreaterThan(0);
  });
});
