import { expect, onTestFinished, test } from 'vitest';
import { MINUTE, SECOND } from '../../src/domain/clock.js';
import { createPagerDutyReceiver } from '../../src/receivers/pagerduty.js';
import type { Receiver } from '../../src/receivers/receiver.js';
import { createSlackReceiver } from '../../src/receivers/slack.js';
import { keptLog } from '../receivers/receiver-setup.js';
import { startFakePagerDuty } from '../support/fake-pagerduty.js';
import { startFakeSlack } from '../support/fake-slack.js';
import { aPuppet, NOW, outboxHarness, type Puppet } from './outbox-harness.js';

const ROUTING_KEY = 'MARKERpagerkey0123456789abcdef00';
const TOKEN = 'xoxb-MARKER-slack-token';

/** The outbox with the real receivers against servers that behave as PagerDuty and Slack do. */
async function setup() {
  const pagerDuty = await startFakePagerDuty();
  const slack = await startFakeSlack({ token: TOKEN, nowMs: () => NOW });
  onTestFinished(async () => {
    await pagerDuty.close();
    await slack.close();
  });
  const inner = new Map<string, Receiver>();
  const through = (name: string, kind: 'pagerduty' | 'slack'): Puppet => ({
    ...aPuppet(name, kind),
    deliver: (delivery, signal) =>
      inner.get(name)?.deliver(delivery, signal) ?? Promise.reject(new Error('not wired')),
  });
  const h = await outboxHarness({
    receivers: [through('pager', 'pagerduty'), through('team', 'slack'), aPuppet('journal', 'log')],
  });
  const log = keptLog();
  const deps = {
    publicUrl: 'https://wakewell.example',
    fetch: globalThis.fetch,
    clock: h.clock,
    logger: log,
  };
  inner.set(
    'pager',
    createPagerDutyReceiver({ name: 'pager', routingKey: ROUTING_KEY, eventsUrl: pagerDuty.url }, deps),
  );
  inner.set(
    'team',
    createSlackReceiver(
      { name: 'team', botToken: TOKEN, channel: '#incidents', apiUrl: slack.url, mention: 'U0MIA' },
      deps,
    ),
  );
  /** Lets time pass in small steps, with the network given its own time in between. */
  async function pass(ms: number): Promise<void> {
    for (let done = 0; done < ms; done += 500) {
      await h.clock.advance(Math.min(500, ms - done));
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
  }
  return { ...h, pagerDuty, slack, receiverLog: log, pass };
}

test('one problem wakes once: lost answers, repeats, acknowledgement and resolve', async () => {
  const h = await setup();
  const id = await h.incident();
  h.pagerDuty.failNext({ kind: 'close', processed: true }, 2);
  await h.dispatcher.start();
  await h.enqueue(id, 'pager', 'page');
  await h.enqueue(id, 'team', 'card');
  await h.pass(10 * SECOND);
  await h.setState(id, 'acknowledged');
  await h.enqueue(id, 'pager', 'page_acknowledge');
  await h.enqueue(id, 'team', 'card');
  await h.pass(5 * SECOND);
  await h.setState(id, 'resolved');
  await h.enqueue(id, 'pager', 'page_resolve');
  await h.enqueue(id, 'team', 'card');
  await h.pass(5 * SECOND);

  expect(h.pagerDuty.incidents()).toMatchObject([{ state: 'resolved', triggers: 3 }]);
  expect(h.slack.messages()).toMatchObject([{ updates: 2, channel: 'C0INCIDENTS' }]);
  expect(h.slack.messages()[0]?.text).toMatch(/^OK /);
  h.pagerDuty.expectNoUnexpected();
  h.slack.expectNoUnexpected();
});

test('a page whose answer is still awaited when the incident resolves leaves no zombie', async () => {
  const h = await setup();
  const id = await h.incident();
  // Processed, and the answer never comes: the call is given up after five seconds.
  h.pagerDuty.failNext({ kind: 'hang', processed: true });
  await h.dispatcher.start();
  await h.enqueue(id, 'pager', 'page');
  await h.pass(SECOND);
  await h.setState(id, 'resolved');
  await h.enqueue(id, 'pager', 'page_resolve');
  await h.pass(15 * SECOND);

  expect(h.pagerDuty.incidents()).toMatchObject([{ state: 'resolved', triggers: 1 }]);
  h.pagerDuty.expectNoUnexpected();
});

test('while Slack hangs, pages leave at once; when it is back the cards show the last state, once each', async () => {
  const h = await setup();
  h.slack.failNext({ kind: 'hang' }, Number.POSITIVE_INFINITY);
  await h.dispatcher.start();
  const ids: number[] = [];
  for (let i = 0; i < 8; i++) {
    const id = await h.incident();
    ids.push(id);
    await h.enqueue(id, 'team', 'card');
  }
  await h.pass(SECOND);
  for (const id of ids) await h.enqueue(id, 'pager', 'page');
  await h.pass(SECOND);
  expect(h.pagerDuty.incidents()).toHaveLength(8);

  h.slack.heal();
  await h.pass(2 * MINUTE);
  expect(h.slack.messages()).toHaveLength(8);
  h.slack.expectNoUnexpected();
});

test('no secret reaches the database, the story or a log', async () => {
  const h = await setup();
  const id = await h.incident();
  h.pagerDuty.failNext({ kind: 'status', status: 403, body: `invalid key ${ROUTING_KEY}` }, 3);
  h.slack.failNext({ kind: 'status', status: 200, body: `{"ok":false,"error":"token ${TOKEN} revoked"}` }, 3);
  await h.dispatcher.start();
  await h.enqueue(id, 'pager', 'page');
  await h.enqueue(id, 'team', 'card');
  await h.pass(30 * SECOND);

  const everything = JSON.stringify([
    await h.rows(),
    await h.story(id),
    h.log.lines(),
    h.receiverLog.lines(),
  ]);
  expect(everything).toContain('HTTP 403');
  expect(everything).not.toContain('MARKER');
});
