/** Fault B52: twenty people press at once. One transition happens, and each of the others is told what happened. */

import { expect, test } from 'vitest';
import { slackHarness } from '../slack/slack-harness.js';
import { pressBody } from '../support/signed-slack.js';

const OPERATORS = Array.from({ length: 20 }, (_, index) => `op${index}`);

/** Each operator presses what `actOf` says, on the card as it is now, with a response_url of their own. */
async function pressAtOnce(
  h: Awaited<ReturnType<typeof slackHarness>>,
  actOf: (index: number) => string,
): Promise<number[]> {
  const bodies = await Promise.all(
    OPERATORS.map(async (name, index) =>
      pressBody(await h.valueOf(actOf(index)), {
        user: { id: `U0${name.toUpperCase()}`, name },
        response_url: `https://hooks.slack.com/actions/T0TEAM/${index}/x`,
      }),
    ),
  );
  const sent = await Promise.all(bodies.map((body) => h.signed('/slack/interactions', body)));
  return sent.map(({ status }) => status);
}

test('all acknowledge: one has it, nineteen are told who', async () => {
  const h = await slackHarness();

  const statuses = await pressAtOnce(h, () => 'ack');

  const left = await h.aftermath({ status: 200, text: '' });
  const [winner] = left.acts;
  const name = winner?.split(' ')[0];
  expect(statuses).toEqual(OPERATORS.map(() => 200));
  expect(left).toEqual({
    status: 200,
    state: 'acknowledged',
    acts: [`${name} acknowledged Slack (U0${name?.toUpperCase()})`],
    messages: ['page_acknowledge pager queued', 'card slack queued'],
    told: Array.from({ length: 19 }, () => `INC-1 is already acknowledged by ${name} 0s ago.`),
    forms: 0,
  });
});

test('some acknowledge, some resolve, some ask for silence: one transition, everybody else is told', async () => {
  const h = await slackHarness();

  const statuses = await pressAtOnce(h, (index) => ['ack', 'resolve', 'silence1h'][index % 3] ?? 'ack');

  const left = await h.aftermath({ status: 200, text: '' });
  expect(statuses).toEqual(OPERATORS.map(() => 200));
  // Whoever resolves acts on what was seen: after an acknowledgement that is out of date, after a resolve it is done.
  expect(left.acts).toHaveLength(1);
  expect(left.told).toHaveLength(19);
  expect(left.told.every((text) => /^(?:Not done: |INC-1 is already )/.test(text))).toBe(true);
  expect(left.messages.filter((row) => row.startsWith('page_'))).toHaveLength(1);
});

test('twenty stale buttons of a firing period that is over change nothing', async () => {
  const h = await slackHarness();
  const { episode } = await h.view();
  const stale = { actions: [{ value: `resolve.1.${episode.id + 1}.1.critical` }] };

  await Promise.all(
    OPERATORS.map((_name, index) =>
      h.press('resolve', { ...stale, response_url: `https://hooks.slack.com/actions/T0TEAM/${index}/x` }),
    ),
  );

  expect(await h.aftermath({ status: 200, text: '' })).toMatchObject({
    state: 'open',
    acts: [],
    messages: ['card slack queued'],
  });
});
