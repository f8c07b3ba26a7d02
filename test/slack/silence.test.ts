/** Silencing from Slack, with an Alertmanager behind it. */

import { expect, test } from 'vitest';
import { MINUTE } from '../../src/domain/clock.js';
import { anAlert } from '../support/build.js';
import { createReconcileHarness } from '../support/reconcile-harness.js';
import { slackHarness } from './slack-harness.js';

async function silencing() {
  const base = await createReconcileHarness();
  base.am.hold(anAlert().labels);
  const h = await slackHarness({ base });
  return { ...h, am: base.am };
}

test('the button silences for an hour and says what is quiet until when', async () => {
  const h = await silencing();

  const sent = await h.press('silence1h');

  expect(await h.aftermath(sent)).toMatchObject({
    status: 200,
    state: 'open',
    acts: ['mia silenced Slack (U0MIA)'],
    told: [
      'Silenced for INC-1 until 04:01 UTC: `{alertname="LLMHighTTFT", severity="critical", cluster="prod-us", namespace="serving", model="llama-70b"}`. Other alerts still page.'.replace(
        /[{}]/g,
        '',
      ),
    ],
  });
  expect(h.am.silences()).toMatchObject([{ createdBy: 'mia', comment: 'silenced (INC-1)' }]);
});

test('on a card that is out of date nothing is silenced', async () => {
  const h = await silencing();
  const old = await h.valueOf('silence4h');
  await h.press('rerun', { response_url: undefined });

  const sent = await h.press('silence4h', { actions: [{ value: old }] });

  expect(await h.aftermath(sent)).toMatchObject({
    told: [expect.stringMatching(/^Not done: INC-1 changed since that was drawn/)],
  });
  expect(h.am.silences()).toEqual([]);
});

test('the command takes a duration and a reason', async () => {
  const h = await silencing();

  expect(await h.command('silence 1 soon')).toBe('For how long? `/incident silence 1 1h [why]`, 1m to 30d.');
  expect(await h.command('silence 1 30m a rollout')).toBe('Asking Alertmanager…');
  await h.aftermath({ status: 200, text: '' });

  expect(h.am.silences()).toMatchObject([{ comment: 'a rollout (INC-1)' }]);
  expect(h.slack.responses().map(({ text }) => text)).toEqual([
    expect.stringMatching(/^Silenced for INC-1 until 03:31 UTC: /),
  ]);
});

test('what Alertmanager does not take is said to be loud', async () => {
  const h = await silencing();
  h.am.failNext({ kind: 'status', status: 500 }, Number.POSITIVE_INFINITY);

  const sent = await h.press('silence1h');

  expect((await h.aftermath(sent)).told).toEqual([
    expect.stringMatching(/^Not silenced: Alertmanager did not take the silence: /),
  ]);
});

test('without an Alertmanager it is refused with what to do', async () => {
  const h = await slackHarness();
  await h.clock.advance(MINUTE);

  const sent = await h.press('silence1h');

  expect((await h.aftermath(sent)).told).toEqual([
    'Not done: no Alertmanager is configured: set ALERTMANAGER_URL, or silence it where its alerts come from.',
  ]);
});
