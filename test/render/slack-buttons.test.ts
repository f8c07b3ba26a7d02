/** The card as JSON, with its buttons, in every state; and within Block Kit's limits and our own, whatever is in it. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { labelsFrom } from '../../src/domain/labels.js';
import { SEVERITIES } from '../../src/domain/severity.js';
import { slackButtons } from '../../src/render/slack-buttons.js';
import { renderSlackCard } from '../../src/render/slack-card.js';
import { readSlackValue, SLACK_ACTS, writeSlackValue } from '../../src/render/slack-value.js';
import { sparkline } from '../../src/render/sparkline.js';
import { aDiagnosis, aFinding, anIncidentAlert, aResolvedView, aView, FIRED_AT } from '../support/a-view.js';
import { blockFaults } from '../support/block-kit.js';

const options = { publicUrl: 'https://wakewell.example' };
const cardOf = (view: ReturnType<typeof aView>) =>
  renderSlackCard(view, { ...options, actions: (one) => slackButtons(one, options) });

const plain = (text: string) => ({ type: 'plain_text', text });
const mrkdwn = (text: string) => ({ type: 'mrkdwn', text, verbatim: true });
const section = (id: string, text: string) => ({ type: 'section', block_id: `${id}.3`, text: mrkdwn(text) });
const bars = sparkline(aFinding().trend);

const RESOLVE = {
  type: 'button',
  action_id: 'inc.resolve',
  text: plain('Resolve'),
  value: 'resolve.412.7.3.critical',
  confirm: {
    title: plain('Resolve INC-412?'),
    text: plain(
      'TTFT p99 was 11.8s at 03:12 UTC (SLO 2s). 2 of 3 alerts still fire. Resolving closes card and pager; it reopens and pages when an alert fires anew.',
    ),
    confirm: plain('Resolve'),
    deny: plain('Keep open'),
  },
};
const MORE = {
  type: 'overflow',
  action_id: 'inc.more',
  options: [
    { text: plain('Re-run diagnostics'), value: 'rerun.412.7.3.critical' },
    { text: plain('Add a note'), value: 'note.412.7.3.critical' },
    { text: plain('Mark as noise'), value: 'noise.412.7.3.critical' },
    {
      text: plain('Open incident'),
      value: 'open.412.7.3.critical',
      url: 'https://wakewell.example/i/412',
    },
  ],
};
const ACKNOWLEDGE = {
  type: 'button',
  action_id: 'inc.ack',
  style: 'primary',
  text: plain('Acknowledge'),
  value: 'ack.412.7.3.critical',
};
const three = { alertCount: 3, firingCount: 2 };

describe('the card as JSON', () => {
  test('open: acknowledge first, then resolve, then the menu', () => {
    const card = cardOf(aView({ ...three, incident: { revision: 3 } }));

    expect({ text: card.text, metadata: card.metadata, blocks: card.blocks }).toEqual({
      text: 'CRIT TTFT p99 11.8s llama-70b/prod-us (SLO 2s). KV full 97% on 7 of 8. INC-412',
      metadata: { event_type: 'incident', event_payload: { id: 'INC-412', rev: 3 } },
      blocks: [
        section(
          'h',
          ':red_circle: *CRITICAL*  *<https://wakewell.example/i/412|TTFT p99 11.8s on llama-70b/prod-us>*\nSLO is 2s. 3 alerts (2 firing): LLMHighTTFT.',
        ),
        section(
          'v',
          '*Likely cause: KV cache full, prefill waits for blocks*  (high confidence: 3 checks for, 0 against)',
        ),
        section(
          'e',
          `:x: *KV cache* 97% on 7 of 8 workers, limit 90%  ${bars}\n:x: *Queue depth* 88 waiting on decode-3, limit 50; 212 in all  ${bars}\n:white_check_mark: *Prompt length* p99 28.1k tokens, limit 32k: OK\n:white_check_mark: *GPU* 96% busy: ruled out`,
        ),
        section(
          'f',
          '*Do first:* Shed prompts over 16k tokens at the gateway, then add 2 decode workers <https://wakewell.example/i/412#fix|all steps>\n*Do NOT:* Halve max_batch_size: prefill is queued behind block allocation (97% of KV in use); a smaller batch helps TBT, not TTFT',
        ),
        {
          type: 'context',
          block_id: 'c.3',
          elements: [mrkdwn('INC-412 · fired <!date^1773285120^{time}|03:12 UTC> · not acknowledged')],
        },
        { type: 'actions', block_id: 'a.3', elements: [ACKNOWLEDGE, RESOLVE, MORE] },
      ],
    });
    expect(blockFaults(card.blocks)).toEqual([]);
  });

  test('acknowledged: nobody can take it twice', () => {
    const { blocks } = cardOf(
      aView({
        ...three,
        incident: {
          revision: 3,
          state: 'acknowledged',
          acknowledgedBy: 'mia',
          acknowledgedAtMs: FIRED_AT + 120_000,
        },
      }),
    );

    expect(blocks.at(-1)).toEqual({ type: 'actions', block_id: 'a.3', elements: [RESOLVE, MORE] });
    expect(blocks[0]).toMatchObject({
      text: { text: expect.stringMatching(/^:eyes: \*ACKED by mia 03:14 UTC \(after 2m\)\*\n/) },
    });
  });

  test('resolved: two lines, and nothing to press', () => {
    const { blocks } = cardOf(aResolvedView({ incident: { revision: 3 } }));

    expect(blocks).toEqual([
      section(
        'h',
        ':white_check_mark: *RESOLVED*  <https://wakewell.example/i/412|TTFT p99 1.3s on llama-70b/prod-us>  after 31m by alertmanager, acked by mia in 2m\nLikely cause: KV cache full, prefill waits for blocks · INC-412',
      ),
    ]);
  });

  test('without a signing secret there is no button that nobody would hear', () => {
    const { blocks } = renderSlackCard(aView(), options);

    expect(blocks.map(({ type }) => type)).not.toContain('actions');
  });

  test('a new revision is a new card, since an old button would be refused', () => {
    const [a, b] = [3, 4].map((revision) => cardOf(aView({ incident: { revision } })));

    expect(a?.contentHash).not.toBe(b?.contentHash);
  });
});

describe('the question before resolving', () => {
  const questionOf = (view: ReturnType<typeof aView>) => {
    const resolve = slackButtons(view, { publicUrl: null }).find((one) => one.action_id === 'inc.resolve');
    return (resolve as unknown as typeof RESOLVE).confirm.text.text;
  };

  test('says what still fires where nothing was measured', () => {
    expect(questionOf(aView({ diagnosis: null, incident: { alertName: 'Custom' } }))).toBe(
      'Its alert still fires. Resolving closes card and pager; it reopens and pages when an alert fires anew.',
    );
  });

  test('does not threaten with a page where none would come', () => {
    expect(questionOf(aView({ diagnosis: null, incident: { severity: 'warning' } }))).toMatch(
      /; it reopens when an alert fires anew\.$/,
    );
  });

  test('is calm where nothing fires', () => {
    expect(questionOf(aView({ firingCount: 0 }))).toBe(
      'None of its alerts fires any more. Resolving closes card and pager.',
    );
  });

  test('without a public address the menu has no link', () => {
    const more = slackButtons(aView(), { publicUrl: null }).find((one) => one.type === 'overflow');

    expect((more as unknown as typeof MORE).options.map(({ text }) => text.text)).toEqual([
      'Re-run diagnostics',
      'Add a note',
      'Mark as noise',
    ]);
  });
});

describe('the silence button', () => {
  const here = { publicUrl: null, silenceSource: 'alertmanager' };
  const silenceOf = (view: ReturnType<typeof aView>, with_ = here) =>
    slackButtons(view, with_).find((one) => one.action_id === 'inc.silence') as unknown as
      | typeof RESOLVE
      | undefined;

  test('names what it silences and what still pages', () => {
    const view = aView({
      alerts: [
        anIncidentAlert({
          labels: labelsFrom([
            ['alertname', 'LLMHighTTFT'],
            ['model', 'llama-70b'],
            ['pod', 'a'],
          ]),
        }),
        anIncidentAlert({
          labels: labelsFrom([
            ['alertname', 'LLMHighTTFT'],
            ['model', 'llama-70b'],
            ['pod', 'b'],
          ]),
        }),
      ],
      alertCount: 2,
      firingCount: 2,
      incident: { source: 'alertmanager' },
    });

    expect(silenceOf(view)).toMatchObject({
      text: plain('Silence 1h'),
      value: 'silence1h.412.7.1.critical',
      confirm: {
        title: plain('Silence for 1 hour?'),
        text: plain(
          'Silences LLMHighTTFT where model=llama-70b, for 1 hour from now. Other alerts still page.',
        ),
      },
    });
    expect(JSON.stringify(slackButtons(view, here))).toContain('silence4h.412.7.1.critical');
  });

  test('is there only where a silence can be placed, and nothing is hidden in it', () => {
    const view = (over: Parameters<typeof aView>[0]) =>
      aView({ ...over, incident: { source: 'alertmanager', ...over?.incident } });

    expect(silenceOf(view({}))).toBeDefined();
    expect(silenceOf(view({}), { publicUrl: null, silenceSource: 'other' })).toBeUndefined();
    expect(slackButtons(view({}), { publicUrl: null }).map((one) => one.action_id)).not.toContain(
      'inc.silence',
    );
    expect(silenceOf(view({ firingCount: 51 }))).toBeUndefined();
    expect(silenceOf(view({ firingCount: 0, alerts: [] }))).toBeUndefined();
    expect(
      silenceOf(view({ incident: { silence: { by: 'mia', comment: '', untilMs: null } } })),
    ).toBeUndefined();
    expect(silenceOf(view({ incident: { kind: 'storm' } }))).toBeUndefined();
  });
});

test('labels, buttons and texts stay within the limits of Slack and of a phone, whatever the incident holds', () => {
  const hostile = fc.string({ unit: 'binary', maxLength: 400 });
  fc.assert(
    fc.property(
      hostile,
      hostile,
      fc.constantFrom(...SEVERITIES),
      fc.nat(2 ** 40),
      (name, model, severity, id) => {
        const view = aView({
          diagnosis: aDiagnosis({ incidentId: id }),
          alerts: [
            anIncidentAlert({
              labels: labelsFrom([
                ['alertname', name],
                ['model', model],
              ]),
            }),
          ],
          incident: { id, alertName: name, severity, scope: { model }, revision: 2 ** 40 },
        });
        const { source } = view.incident;
        const { blocks } = renderSlackCard(view, {
          ...options,
          actions: (one) => slackButtons(one, { ...options, silenceSource: source }),
        });
        expect(blockFaults(blocks)).toEqual([]);
        const elements = blocks.find(({ type }) => type === 'actions')?.elements as {
          text?: { text: string };
          confirm?: { title: { text: string }; text: { text: string } };
        }[];
        expect(elements.length).toBeLessThanOrEqual(4);
        for (const { text, confirm } of elements) {
          expect(text?.text.length ?? 0).toBeLessThanOrEqual(14);
          expect(confirm?.title.text.length ?? 0).toBeLessThanOrEqual(40);
          expect(confirm?.text.text.length ?? 0).toBeLessThanOrEqual(250);
        }
      },
    ),
    { numRuns: 200 },
  );
});

describe('what a button carries', () => {
  test('is read back as it was written', () => {
    for (const act of SLACK_ACTS) {
      const value = { act, incidentId: 412, episodeId: 7, revision: 3, severity: 'critical' } as const;
      expect(readSlackValue(writeSlackValue(value))).toEqual(value);
    }
  });

  test.each([
    '',
    'ack',
    'ack.1.1.1',
    'ack.1.1.1.page',
    'drop.1.1.1.info',
    'ack.-1.1.1.info',
    'ack.1.1.1.info.1',
  ])('%j is none of ours', (text) => {
    expect(readSlackValue(text)).toBeNull();
  });
});
