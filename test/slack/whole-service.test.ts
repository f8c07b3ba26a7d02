/** An act anywhere shows everywhere. */

import { expect, test } from 'vitest';
import { pagerDutyEvent, pagerDutySignature } from '../support/signed-pagerduty.js';
import { pressBody, SIGNING_SECRET, slackHeaders } from '../support/signed-slack.js';
import { startWholeService } from '../support/whole-service.js';

test('a press on the card reaches the pager, the card and the API', async () => {
  const h = await startWholeService({ SLACK_SIGNING_SECRET: SIGNING_SECRET });
  await h.fire();
  await expect.poll(h.buttons, { timeout: 5_000 }).toEqual(['inc.ack', 'inc.resolve', 'inc.more']);
  await expect.poll(() => h.pagerDuty.incidents().map(({ state }) => state)).toEqual(['triggered']);

  expect((await h.press('inc.ack')).status).toBe(200);

  await expect.poll(() => h.pagerDuty.incidents().map(({ state }) => state)).toEqual(['acknowledged']);
  await expect.poll(h.buttons).toEqual(['inc.resolve', 'inc.more']);
  expect(JSON.stringify(h.slack.messages()[0]?.blocks)).toContain('ACKED by mia');

  expect((await h.press('inc.resolve')).status).toBe(200);

  await expect.poll(() => h.pagerDuty.incidents().map(({ state }) => state)).toEqual(['resolved']);
  await expect.poll(h.buttons).toEqual([]);
  expect(h.slack.messages().filter(({ threadTs }) => threadTs === null)).toHaveLength(1);
  expect(await h.metrics()).toContain('wakewell_callbacks_total{provider="slack",code="200"} 2');
});

test('an acknowledgement at the pager reaches the card, and does not go back', async () => {
  const h = await startWholeService(
    {},
    {
      yaml: 'receivers:\n  - { name: pagerduty, kind: pagerduty, signing_secrets: [MARKER-pagerduty-webhook-secret], routing_key: 0123456789abcdef0123456789abcdef }\n',
    },
  );
  await h.fire();
  await expect.poll(() => h.pagerDuty.incidents().length, { timeout: 5_000 }).toBe(1);
  await expect.poll(() => h.slack.messages().length).toBeGreaterThan(0);
  const body = JSON.stringify(
    pagerDutyEvent('incident.acknowledged', h.pagerDuty.incidents()[0]?.dedupKey ?? '', {
      occurred_at: new Date().toISOString(),
    }),
  );

  const answer = await h.post('/api/v1/pagerduty', body, {
    'x-pagerduty-signature': pagerDutySignature(body),
  });

  expect(answer.status).toBe(200);
  await expect.poll(() => JSON.stringify(h.slack.messages()[0]?.blocks)).toContain('ACKED by Mia Muster');
  expect(h.pagerDuty.events().map(({ action }) => action)).toEqual(['trigger']);
});

test('without a signing secret there are no addresses, and no buttons', async () => {
  const h = await startWholeService();
  await h.fire();
  await expect.poll(() => h.slack.messages().length, { timeout: 5_000 }).toBeGreaterThan(0);

  const body = pressBody('ack.1.1.1.critical');
  const answers = await Promise.all(
    ['/slack/interactions', '/slack/commands', '/slack/events', '/api/v1/pagerduty'].map((path) =>
      h.post(path, body, slackHeaders(body, Date.now())),
    ),
  );

  expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
  expect(h.buttons()).toEqual([]);
});
