import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { MINUTE, SECOND } from '../../src/domain/clock.js';
import { resolve } from '../../src/incidents/change-state.js';
import { anAlert, resolvedCopy } from '../support/build.js';
import { pressBody, slackHeaders } from '../support/signed-slack.js';
import { type Sent, slackHarness } from './slack-harness.js';

describe('acknowledge', () => {
  test('takes the incident: pager and card are told, and nothing else is said', async () => {
    const h = await slackHarness();

    const sent = await h.press('ack');

    expect(await h.aftermath(sent)).toEqual({
      status: 200,
      state: 'acknowledged',
      acts: ['mia acknowledged Slack (U0MIA)'],
      messages: ['page_acknowledge pager queued', 'card slack queued'],
      told: [],
      forms: 0,
    });
    expect(sent.text).toBe('');
  });

  test('whoever comes second is told who was first, and how long ago', async () => {
    const h = await slackHarness();
    await h.press('ack');
    await h.clock.advance(40 * SECOND);

    const sent = await h.press('ack', { user: { id: 'U0BO', name: 'bo' } });

    expect(await h.aftermath(sent)).toMatchObject({
      status: 200,
      acts: ['mia acknowledged Slack (U0MIA)'],
      told: ['INC-1 is already acknowledged by mia 40s ago.'],
    });
  });

  test('a verdict that came meanwhile does not refuse the thumb', async () => {
    const h = await slackHarness();
    const old = await h.valueOf('ack');
    await h.press('rerun');

    await h.press('ack', { actions: [{ value: old }] });

    expect((await h.view()).incident.state).toBe('acknowledged');
  });

  test('what became critical meanwhile is not taken by who saw a warning', async () => {
    const h = await slackHarness();
    const seen = (await h.valueOf('ack')).replace('critical', 'warning');

    const sent = await h.press('ack', { actions: [{ value: seen }] });

    expect(await h.aftermath(sent)).toMatchObject({
      state: 'open',
      messages: ['card slack queued'],
      told: [
        expect.stringMatching(/^Not done: INC-1 changed .* open and critical; its card is being redrawn/),
      ],
    });
  });

  test('a resolved incident cannot be taken, and who resolved it is said', async () => {
    const h = await slackHarness();
    const seen = await h.valueOf('ack');
    await resolve(h.db, { incidentId: 1, actor: 'ana', nowMs: h.clock.now() });
    await h.clock.advance(2 * MINUTE);

    const sent = await h.press('ack', { actions: [{ value: seen }] });

    expect((await h.aftermath(sent)).told).toEqual(['Not done: INC-1 is resolved by ana 2m ago.']);
  });
});

describe('resolve', () => {
  test('ends it: pager and card are told', async () => {
    const h = await slackHarness();

    const sent = await h.press('resolve');

    expect(await h.aftermath(sent)).toEqual({
      status: 200,
      state: 'resolved',
      acts: ['mia resolved Slack (U0MIA)'],
      messages: ['page_resolve pager queued', 'card slack queued'],
      told: [],
      forms: 0,
    });
  });

  test('on a card that is out of date does nothing, says so and has the card redrawn', async () => {
    const h = await slackHarness();
    const old = await h.valueOf('resolve');
    await h.press('ack');

    const sent = await h.press('resolve', { actions: [{ value: old }] });

    expect(await h.aftermath(sent)).toMatchObject({
      status: 200,
      state: 'acknowledged',
      told: [expect.stringMatching(/^Not done: INC-1 changed .* acknowledged by mia 0s ago/)],
    });
  });

  test('a button of yesterday never resolves the incident of today', async () => {
    const h = await slackHarness();
    const yesterday = await h.valueOf('resolve');
    await h.receive(resolvedCopy(anAlert(), h.clock.now()));
    await h.clock.advance(10 * MINUTE);
    await h.deliverDue();
    await h.receive(anAlert({ startsAtMs: h.clock.now() }));
    expect((await h.view()).episode.number).toBe(2);

    // Even if the revision happened to be the same.
    const { revision } = (await h.view()).incident;
    const value = yesterday.replace(/\.\d+\.critical$/, `.${revision}.critical`);
    const sent = await h.press('resolve', { actions: [{ value }] });

    expect(await h.aftermath(sent)).toMatchObject({ state: 'open', acts: [] });
  });
});

describe('the menu', () => {
  test('runs the checks again', async () => {
    const h = await slackHarness();
    const value = await h.valueOf('rerun');

    const sent = await h.press('rerun', { actions: [{ type: 'overflow', selected_option: { value } }] });

    expect(await h.aftermath(sent)).toMatchObject({
      status: 200,
      acts: ['mia diagnosis_asked Slack (U0MIA)'],
      told: ['Running the checks of INC-1 again. Its card shows the verdict in a few seconds.'],
    });
    expect(await h.work()).toContain('asked INC-1 queued');
  });

  test('marks as noise', async () => {
    const h = await slackHarness();

    const sent = await h.press('noise');

    expect(await h.aftermath(sent)).toMatchObject({
      acts: ['mia feedback Slack (U0MIA)'],
      told: ['INC-1 is marked as noise. Thank you.'],
    });
  });

  test('opens a form for a note, which is added when it is sent', async () => {
    const h = await slackHarness();

    const opened = await h.press('note');
    expect(await h.aftermath(opened)).toMatchObject({ status: 200, acts: [], told: [], forms: 1 });
    const sent = await h.note('rolled back the router');

    expect(await h.aftermath(sent)).toMatchObject({ status: 200, acts: ['mia note Slack (U0MIA)'] });
    expect(await h.story()).toContain('note: rolled back the router');
  });

  test('says how to add a note where the form cannot be opened', async () => {
    const h = await slackHarness();
    h.slack.failWith('expired_trigger_id', 1, 'views.open');

    const sent = await h.press('note');

    expect((await h.aftermath(sent)).told).toEqual([
      'The form could not be opened. Type: /incident note 1 &lt;what happened&gt;',
    ]);
  });

  test('keeps the form open for a note without text, and for an incident that is gone', async () => {
    const h = await slackHarness();

    expect(JSON.parse((await h.note('  ')).text)).toMatchObject({ response_action: 'errors' });
  });

  test('opening the incident is the link itself', async () => {
    const h = await slackHarness();

    expect(await h.aftermath(await h.press('open'))).toMatchObject({ status: 200, acts: [], told: [] });
  });
});

describe('when it cannot be recorded', () => {
  /** Presses and lets time pass until there is an answer. */
  async function pressAndWait(h: Awaited<ReturnType<typeof slackHarness>>, value: string) {
    const startedAt = h.clock.monotonic();
    let sent: Sent | null = null;
    void h.signed('/slack/interactions', pressBody(value)).then((answer) => {
      sent = answer;
    });
    while (sent === null) await h.clock.advance(100);
    return { sent: sent as Sent, tookMs: h.clock.monotonic() - startedAt };
  }

  test('a slow database: the person is told within 2 s, and nothing is recorded later', async () => {
    const h = await slackHarness();
    const value = await h.valueOf('ack');
    let release = () => {};
    const held = h.db.transaction(
      () =>
        new Promise<void>((resolve) => {
          release = resolve;
        }),
    );

    const { sent, tookMs } = await pressAndWait(h, value);
    release();
    await held;

    expect(tookMs).toBeGreaterThanOrEqual(2 * SECOND);

    expect(await h.aftermath(sent)).toEqual({
      status: 503,
      state: 'open',
      acts: [],
      messages: [],
      told: ['Not recorded: the database did not answer within 2 s. Please press again.'],
      forms: 0,
    });
    expect(await h.aftermath(await h.press('ack'))).toMatchObject({ status: 200, state: 'acknowledged' });
  });

  test('a broken database: it is said at once, and the same press counts when it is sent again', async () => {
    const h = await slackHarness();
    const body = pressBody(await h.valueOf('ack'));
    const trouble = sql`create trigger trouble before insert on timeline begin select raise(abort, 'disk I/O error'); end`;
    await trouble.execute(h.db.kysely);

    const sent = await h.signed('/slack/interactions', body);
    expect(await h.aftermath(sent)).toMatchObject({
      status: 503,
      state: 'open',
      messages: [],
      told: ['Not recorded: the database refused it. Please press again.'],
    });
    await sql`drop trigger trouble`.execute(h.db.kysely);

    expect(await h.aftermath(await h.signed('/slack/interactions', body))).toMatchObject({
      status: 200,
      acts: ['mia acknowledged Slack (U0MIA)'],
    });
  });
});

test('no secret is logged or told', async () => {
  const h = await slackHarness();
  h.slack.failWith('token_revoked', 1, 'views.open');

  await h.aftermath(await h.press('note'));
  await h.send(
    '/slack/interactions',
    'payload={}',
    slackHeaders('payload={}', h.clock.now(), 'wrong-secret'),
  );

  expect(h.log.lines().length).toBeGreaterThan(1);
  expect(JSON.stringify([h.log.lines(), h.slack.responses(), await h.story()])).not.toContain('MARKER');
});
