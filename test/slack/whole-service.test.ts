/** The whole service between a Slack, a PagerDuty and a person: an act anywhere shows everywhere. */

import { expect, onTestFinished, test } from 'vitest';
import { buildApp } from '../../src/app.js';
import { readConfig } from '../../src/config/config.js';
import { createLogger } from '../../src/log/logger.js';
import { groupBody } from '../corpus/corpus.js';
import { startFakePagerDuty } from '../support/fake-pagerduty.js';
import { startFakeSlack } from '../support/fake-slack.js';
import { pagerDutyEvent, pagerDutySignature } from '../support/signed-pagerduty.js';
import { pressBody, SIGNING_SECRET, slackHeaders } from '../support/signed-slack.js';

const BOT_TOKEN = 'xoxb-MARKER-slack-token';

async function startService(env: Record<string, string> = {}, yaml = '') {
  const slack = await startFakeSlack({ token: BOT_TOKEN });
  const pagerDuty = await startFakePagerDuty();
  const read = readConfig({
    yamlText: `database_url: "file::memory:"\nport: 0\ntimings: { page_deadline: 500ms }\n${yaml}`,
    env: {
      SLACK_BOT_TOKEN: BOT_TOKEN,
      SLACK_CHANNEL: 'C0INCIDENTS',
      SLACK_API_URL: slack.url.replace(/\/$/, ''),
      PAGERDUTY_ROUTING_KEY: '0123456789abcdef0123456789abcdef',
      PAGERDUTY_EVENTS_URL: pagerDuty.url,
      ...env,
    },
  });
  if (read.kind === 'faulty') throw new Error(read.faults.join('\n'));
  const app = await buildApp(read.config, {
    logger: createLogger({ level: 'silent' }),
    fetch: (input, init) =>
      String(input).startsWith(pagerDuty.url) ? fetch(input, init) : slack.fetch(input, init),
  });
  onTestFinished(async () => {
    await app.stop();
    await slack.close();
    await pagerDuty.close();
    slack.expectNoUnexpected();
    pagerDuty.expectNoUnexpected();
  });
  const { url } = await app.start();
  const post = (path: string, body: string, headers: Record<string, string> = {}) =>
    fetch(`${url}${path}`, { method: 'POST', body, headers });
  return {
    slack,
    pagerDuty,
    post,
    fire: () =>
      post(
        '/api/v1/alertmanager',
        groupBody([
          JSON.stringify({
            status: 'firing',
            labels: {
              alertname: 'LLMHighTTFT',
              severity: 'critical',
              cluster: 'prod-us',
              model: 'llama-70b',
            },
            startsAt: new Date().toISOString(),
          }),
        ]),
      ),
    /** Presses what the card shows now. */
    async press(actionId: string) {
      const actions = slack.messages()[0]?.blocks.find((block) => block.type === 'actions');
      const elements = (actions?.elements ?? []) as { action_id: string; value: string }[];
      const button = elements.find((one) => one.action_id === actionId);
      if (button === undefined) throw new Error(`the card has no ${actionId}`);
      const body = pressBody(button.value);
      return post('/slack/interactions', body, slackHeaders(body, Date.now()));
    },
    buttons: () =>
      slack
        .messages()[0]
        ?.blocks.filter((block) => block.type === 'actions')
        .flatMap((block) => (block.elements as { action_id: string }[]).map((one) => one.action_id)),
  };
}

test('a press on the card reaches the pager, the card and the API', async () => {
  const h = await startService({ SLACK_SIGNING_SECRET: SIGNING_SECRET });
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
});

test('an acknowledgement at the pager reaches the card, and does not go back', async () => {
  const h = await startService(
    {},
    'receivers:\n  - { name: pagerduty, kind: pagerduty, signing_secrets: [MARKER-pagerduty-webhook-secret], routing_key: 0123456789abcdef0123456789abcdef }\n',
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
  const h = await startService();
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
