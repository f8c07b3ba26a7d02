/** The whole service between a Slack and a PagerDuty that behave as the real ones do, on real time and a port of its own. */

import { onTestFinished } from 'vitest';
import { buildApp } from '../../src/app.js';
import { readConfig } from '../../src/config/config.js';
import { createLogger } from '../../src/log/logger.js';
import { groupBody } from '../corpus/corpus.js';
import { startFakePagerDuty } from './fake-pagerduty.js';
import { startFakeSlack } from './fake-slack.js';
import { pressBody, slackHeaders } from './signed-slack.js';

const BOT_TOKEN = 'xoxb-MARKER-slack-token';

/** `hooks` stands in for hooks.slack.com. */
export async function startWholeService(
  env: Record<string, string> = {},
  { yaml = '', hooks }: { readonly yaml?: string; readonly hooks?: typeof globalThis.fetch } = {},
) {
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
    fetch(input, init) {
      const url = String(input);
      if (url.startsWith(pagerDuty.url)) return fetch(input, init);
      return url.startsWith('https://hooks.slack.com/') && hooks !== undefined
        ? hooks(input, init)
        : slack.fetch(input, init);
    },
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
    metrics: async () => (await fetch(`${url}/metrics`)).text(),
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
    async press(actionId: string, more: Readonly<Record<string, unknown>> = {}) {
      const actions = slack.messages()[0]?.blocks.find((block) => block.type === 'actions');
      const elements = (actions?.elements ?? []) as { action_id: string; value: string }[];
      const button = elements.find((one) => one.action_id === actionId);
      if (button === undefined) throw new Error(`the card has no ${actionId}`);
      const body = pressBody(button.value, more);
      return post('/slack/interactions', body, slackHeaders(body, Date.now()));
    },
    buttons: () =>
      slack
        .messages()[0]
        ?.blocks.filter((block) => block.type === 'actions')
        .flatMap((block) => (block.elements as { action_id: string }[]).map((one) => one.action_id)),
  };
}
