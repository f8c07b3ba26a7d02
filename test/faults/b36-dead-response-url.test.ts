/**
 * Fault B36: the person cannot be answered, because response_url is dead. What was pressed counts all the same,
 * nobody is asked twice, and the answer stands below the card.
 */

import { expect, test } from 'vitest';
import { SIGNING_SECRET } from '../support/signed-slack.js';
import { startWholeService } from '../support/whole-service.js';

const DEAD: readonly (readonly [string, typeof globalThis.fetch])[] = [
  ['refuses connections', () => Promise.reject(new TypeError('fetch failed'))],
  ['expired', async () => new Response('expired_url', { status: 404 })],
  ['answers 500', async () => new Response('', { status: 500 })],
  [
    'leads into our own network',
    async () => new Response('', { status: 302, headers: { location: 'http://169.254.169.254/' } }),
  ],
];

test.each(DEAD)('a response_url that %s: the act stands, and the thread says so', async (_name, dead) => {
  let asked = 0;
  const h = await startWholeService(
    { SLACK_SIGNING_SECRET: SIGNING_SECRET },
    {
      hooks(input, init) {
        asked += 1;
        return dead(input, init);
      },
    },
  );
  await h.fire();
  await expect.poll(h.buttons, { timeout: 5_000 }).toEqual(['inc.ack', 'inc.resolve', 'inc.more']);

  // Two thumbs at once: the second one has to be told something.
  const answers = await Promise.all(
    ['U0MIA', 'U0BO'].map((id) => h.press('inc.ack', { user: { id, name: id } })),
  );

  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  const below = () => h.slack.messages().filter(({ metadata }) => metadata?.event_type === 'incident_answer');
  await expect
    .poll(() => below().map(({ text }) => text), { timeout: 5_000 })
    .toEqual([
      expect.stringMatching(
        /^Slack could not show the answer to a press on this card\. INC-1: ACKED by U0(MIA|BO) \d\d:\d\d UTC \(after \d+s\)\.$/,
      ),
    ]);
  expect(below()[0]?.threadTs).toBe(h.slack.messages()[0]?.ts);
  await expect.poll(() => h.pagerDuty.incidents().map(({ state }) => state)).toEqual(['acknowledged']);
  expect(h.pagerDuty.events().map(({ action }) => action)).toEqual(['trigger', 'acknowledge']);
  expect(asked).toBe(1);
});
