import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NO_FLAGS } from '../../src/domain/incident.js';
import { labelsFrom } from '../../src/domain/labels.js';
import { clean, cut, slackLink, slackText, withoutSecrets } from '../../src/render/neutralise.js';
import { renderPagerDutyTrigger } from '../../src/render/page.js';
import { renderPlainText } from '../../src/render/plain-text.js';
import { CARD_BUDGET, renderSlackCard, type SlackBlock } from '../../src/render/slack-card.js';
import { slackMention } from '../../src/render/slack-mention.js';
import { renderVerdictReply } from '../../src/render/slack-reply.js';
import { sparkline } from '../../src/render/sparkline.js';
import { renderWebhookBody } from '../../src/render/webhook-body.js';
import {
  aDiagnosis,
  aFinding,
  anIncidentAlert,
  aResolvedView,
  aVerdict,
  aView,
  FIRED_AT,
  fourFindings,
} from '../support/a-view.js';

const OPTIONS = { publicUrl: 'https://wakewell.example' };

/** Controls but the newline, zero-width characters, bidirectional overrides. */
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: none of these may be left.
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/;

function textsOf(blocks: readonly SlackBlock[]): string[] {
  return blocks.flatMap((block) => {
    const elements = (block.elements as { text: string }[] | undefined) ?? [];
    const text = block.text as { text: string } | undefined;
    return text === undefined ? elements.map((one) => one.text) : [text.text];
  });
}

/** What a reader sees: links by their text, dates by their fallback, escapes undone. */
function visible(blocks: readonly SlackBlock[]): string {
  return textsOf(blocks)
    .join('\n')
    .replace(/<[^|>]*\|([^>]*)>/g, '$1')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&');
}

const blind = () =>
  fourFindings().map((finding) => ({
    ...finding,
    status: 'unknown' as const,
    says: 'Prometheus unreachable (connection refused)',
    trend: [],
    numbers: {},
  }));

describe('the card of a critical', () => {
  const card = renderSlackCard(aView(), OPTIONS);
  const text = visible(card.blocks);

  test('reads as a person would say it at night', () => {
    expect(text).toBe(
      [
        ':red_circle: *CRITICAL*  *TTFT p99 11.8s on llama-70b/prod-us*',
        'SLO is 2s.',
        '*Likely cause: KV cache full, prefill waits for blocks*  (high confidence: 3 checks for, 0 against)',
        ':x: *KV cache* 97% on 7 of 8 workers, limit 90%  ▁▂▃▆█▇██'.replace(
          '▁▂▃▆█▇██',
          sparkline(aFinding().trend),
        ),
        `:x: *Queue depth* 88 waiting on decode-3, limit 50; 212 in all  ${sparkline(aFinding().trend)}`,
        ':white_check_mark: *Prompt length* p99 28.1k tokens, limit 32k: OK',
        ':white_check_mark: *GPU* 96% busy: ruled out',
        '*Do first:* Shed prompts over 16k tokens at the gateway, then add 2 decode workers all steps',
        '*Do NOT:* Halve max_batch_size: prefill is queued behind block allocation (97% of KV in use); a smaller batch helps TBT, not TTFT',
        'INC-412 · fired 03:12 UTC · not acknowledged',
      ].join('\n'),
    );
  });

  test('carries the headline as text, its identity as metadata, and no button', () => {
    expect(card.text).toBe('CRIT TTFT p99 11.8s llama-70b/prod-us (SLO 2s). KV full 97% on 7 of 8. INC-412');
    expect(card.metadata).toEqual({ event_type: 'incident', event_payload: { id: 'INC-412', rev: 1 } });
    expect(card.blocks.some((block) => block.type === 'actions')).toBe(false);
  });

  test('links only to our own pages', () => {
    const links =
      textsOf(card.blocks)
        .join(' ')
        .match(/https?:[^|>\s]+/g) ?? [];
    expect(links.length).toBeGreaterThan(0);
    expect(links.every((link) => link.startsWith('https://wakewell.example/i/412'))).toBe(true);
    expect(textsOf(renderSlackCard(aView(), { publicUrl: null }).blocks).join(' ')).not.toContain('http');
  });

  test('says what was not seen and why', () => {
    const findings = [
      aFinding(),
      aFinding({
        stepId: 'gpu',
        title: 'GPU',
        status: 'unknown',
        says: 'no series named DCGM_FI_DEV_GPU_UTIL',
        trend: [],
      }),
    ];
    expect(
      visible(renderSlackCard(aView({ diagnosis: aDiagnosis({ findings }) }), OPTIONS).blocks),
    ).toContain(':grey_question: *GPU* not seen: no series named DCGM_FI_DEV_GPU_UTIL');
  });

  test('shows six checks at most, failures first to stay, in step order', () => {
    const findings = Array.from({ length: 9 }, (_, i) =>
      aFinding({
        stepId: `s${i}`,
        title: `Step ${i}`,
        status: i === 8 ? 'fail' : 'ok',
        says: `value ${i}`,
        trend: [],
      }),
    );
    const shown = visible(renderSlackCard(aView({ diagnosis: aDiagnosis({ findings }) }), OPTIONS).blocks);
    expect(shown.match(/Step \d/g)).toEqual(['Step 0', 'Step 1', 'Step 2', 'Step 3', 'Step 4', 'Step 8']);
    expect(shown).toContain('3 more checks: 3 OK');
  });

  test('names the other alerts, a guessed severity, the default entry and the recurrence', () => {
    const alerts = [
      anIncidentAlert(),
      anIncidentAlert({ alertKey: 'b', name: 'LLMQueueBuildup' }),
      anIncidentAlert({ alertKey: 'c', name: 'LLMQueueBuildup' }),
    ];
    const shown = visible(
      renderSlackCard(
        aView({
          alerts,
          alertCount: 3,
          firingCount: 3,
          diagnosis: aDiagnosis({ entryIsDefault: true }),
          incident: { severityNote: 'no severity label: treated as warning', reopenedCount: 1 },
        }),
        OPTIONS,
      ).blocks,
    );
    expect(shown).toContain('3 alerts: LLMHighTTFT, LLMQueueBuildup × 2');
    expect(shown).toContain('no severity label: treated as warning');
    expect(shown).toContain('no playbook entry for LLMHighTTFT: default checks');
    expect(shown).toContain('fires again, time 2');
  });

  test('a mention stands in the first block and does not count as a change', () => {
    const mentioned = renderSlackCard(aView(), { ...OPTIONS, mention: '<@U0MIA>' });
    expect(textsOf(mentioned.blocks)[0]).toContain('<@U0MIA>');
    expect(mentioned.contentHash).toBe(card.contentHash);
  });

  test('a new revision that shows the same is no change, an acknowledgement is', () => {
    expect(renderSlackCard(aView({ incident: { revision: 9 } }), OPTIONS).contentHash).toBe(card.contentHash);
    const acked = aView({
      incident: {
        state: 'acknowledged',
        acknowledgedBy: 'mia',
        acknowledgedAtMs: aView().episode.startedAtMs + 120_000,
      },
    });
    const drawn = renderSlackCard(acked, OPTIONS);
    expect(drawn.contentHash).not.toBe(card.contentHash);
    expect(visible(drawn.blocks)).toMatch(/^:eyes: \*ACKED by mia 03:14 UTC \(after 2m\)\*/);
  });

  test('the actions hook places buttons while the incident is not resolved', () => {
    const actions = () => [{ type: 'button', action_id: 'ack' }];
    expect(renderSlackCard(aView(), { ...OPTIONS, actions }).blocks.at(-1)?.type).toBe('actions');
    expect(
      renderSlackCard(aResolvedView(), { ...OPTIONS, actions }).blocks.some((one) => one.type === 'actions'),
    ).toBe(false);
  });
});

describe('the card in other states', () => {
  test('a resolved incident is two lines', () => {
    const card = renderSlackCard(aResolvedView(), OPTIONS);
    const lines = visible(card.blocks).split('\n');
    expect(card.blocks).toHaveLength(1);
    expect(lines).toEqual([
      ':white_check_mark: *RESOLVED*  TTFT p99 1.3s on llama-70b/prod-us  after 31m by alertmanager, acked by mia in 2m',
      'Likely cause: KV cache full, prefill waits for blocks · INC-412',
    ]);
  });

  test('a warning is shorter than a critical', () => {
    const warning = visible(renderSlackCard(aView({ incident: { severity: 'warning' } }), OPTIONS).blocks);
    expect(warning.length).toBeLessThan(visible(renderSlackCard(aView(), OPTIONS).blocks).length);
    expect(warning).toContain('*WARNING*');
    expect(warning).toContain('Other checks: 2 OK');
  });

  test('a blind diagnosis says so and lists the checks to run by hand, with their queries', () => {
    const shown = visible(
      renderSlackCard(aView({ diagnosis: aDiagnosis({ findings: blind() }) }), OPTIONS).blocks,
    );
    expect(shown).toContain('*Not diagnosed: Prometheus unreachable');
    expect(shown).toContain('Checks to run by hand, in this order:\n1. KV cache `max by (worker)');
    expect(shown).not.toContain('Do first');
  });

  test('a blind diagnosis names every check, and shows a query whole or not at all', () => {
    const query = `sum by (pod) (vllm:num_requests_waiting{${'namespace="serving",'.repeat(8)}})`;
    const findings = Array.from({ length: 16 }, (_, i) => ({
      ...aFinding({ title: `Check number ${i + 1}`, status: 'unknown', says: 'no answer within 3 s' }),
      query,
    }));
    const unseen = findings.map(({ title, says }) => `${title}: ${says}`);
    const view = aView({ diagnosis: aDiagnosis({ findings, verdict: aVerdict({ unseen }) }) });

    const shown = visible(renderSlackCard(view, OPTIONS).blocks);
    const page = renderPagerDutyTrigger(view, { ...OPTIONS, routingKey: 'k' });

    for (const { title } of findings) expect(shown).toContain(title);
    const queries = [...shown.matchAll(/`([^`]*)`/g)].map(([, text]) => text);
    expect(queries.every((text) => text === query)).toBe(true);
    expect(shown.length).toBeLessThanOrEqual(CARD_BUDGET);
    expect(page.payload.custom_details?.['not seen']).toBe(
      `${findings.map(({ title }) => title).join(' · ')}: no answer within 3 s`,
    );
    expect(renderPlainText(view)).toContain('Not seen either: Check number 5');
  });

  test('a running diagnosis says so', () => {
    const shown = visible(renderSlackCard(aView({ diagnosis: null }), OPTIONS).blocks);
    expect(shown).toContain('Diagnosis running');
    expect(shown).toContain('1. KV cache utilization per worker');
  });

  test('a diagnosis of an earlier firing period is not shown as the present one', () => {
    const again = aView({ episode: { id: 8, number: 2 }, incident: { episodeId: 8, reopenedCount: 1 } });
    const shown = visible(renderSlackCard(again, OPTIONS).blocks);
    expect(shown).toContain('Diagnosis running');
    expect(shown).not.toContain('97%');
  });
});

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 400 }),
  fc.constantFrom(
    '<!channel>',
    '<!here>',
    '<@U123>',
    '<!subteam^S1>',
    '<https://evil.example|runbook>',
    '&lt;!channel&gt;',
    '`code` ```x```',
    '*bold*',
    '\u202Edetrever\u2066',
    'a\r\nlevel=error forged',
    '\u001b]8;;http://evil\u0007x',
    'x'.repeat(4000),
    '<'.repeat(3000),
    '&'.repeat(3000),
    '👨‍👩‍👧‍👦'.repeat(500),
    '\ud800',
    '',
  ),
);

function hostileView(text: string, other: string) {
  const findings = Array.from({ length: 12 }, (_, i) =>
    aFinding({ stepId: `s${i}`, title: text, says: other }),
  );
  const verdict = aVerdict({
    says: text,
    short: other,
    why: text,
    unseen: [other],
    fixes: [{ do: text, command: other, expect: text, protects: null, needs: 'none', risk: null }],
    wrongFixes: [{ fix: other, because: text }],
  });
  return {
    alerts: [
      anIncidentAlert({ name: text, annotations: labelsFrom([['summary', other]]) }),
      anIncidentAlert({ name: other }),
    ],
    alertCount: 2,
    pagedReceivers: [text],
    diagnosis: aDiagnosis({ findings, verdict, entryIsDefault: true }),
    incident: {
      alertName: text,
      severityNote: other,
      scope: labelsFrom([
        ['model', text],
        ['cluster', other],
      ]),
    },
  };
}

test('hostile text breaks no limit, makes no mention and no link in Slack', () => {
  fc.assert(
    fc.property(hostile, hostile, (text, other) => {
      const over = hostileView(text, other);
      const acked = {
        ...over,
        incident: {
          ...over.incident,
          state: 'acknowledged' as const,
          acknowledgedBy: text,
          acknowledgedAtMs: 1,
        },
      };
      for (const view of [
        aView(over),
        aResolvedView(over),
        aView(acked),
        aView({ ...over, diagnosis: null }),
      ]) {
        const card = renderSlackCard(view, OPTIONS);
        const reply = renderVerdictReply(view, {});
        for (const shown of [...textsOf(card.blocks), ...textsOf(reply.blocks), card.text, reply.text]) {
          expect(shown.length).toBeGreaterThan(0);
          expect(shown.length).toBeLessThanOrEqual(3000);
          expect(shown.isWellFormed()).toBe(true);
          expect(shown).not.toMatch(UNSAFE);
          // What is left of angle brackets is ours: links to our page and the date.
          for (const bracket of shown.match(/<[^>]*>?/g) ?? []) {
            expect(bracket).toMatch(
              /^<(https:\/\/wakewell\.example\/i\/412(#fix)?\||!date\^\d+\^\{time\}\|)[^<>]*>$/,
            );
          }
        }
        // An emoji's name is drawn as one character.
        expect(visible(card.blocks).replace(/:[a-z_]+:/g, '●').length).toBeLessThanOrEqual(CARD_BUDGET);
        expect(card.blocks.length).toBeLessThanOrEqual(50);
      }
    }),
    { numRuns: 200 },
  );
});

test('a reader that breaks lines by itself gets them unbroken', () => {
  const view = aView();
  const unbroken = renderPlainText(view, { columns: Number.POSITIVE_INFINITY });

  expect(unbroken.split('\n').some((line) => line.length > 80)).toBe(true);
  expect(unbroken.replace(/\s+/g, ' ')).toBe(renderPlainText(view).replace(/\s+/g, ' '));
});

test('the plain text card fits 80 columns whatever it shows', () => {
  fc.assert(
    fc.property(hostile, hostile, (text, other) => {
      const over = hostileView(text, other);
      const lines = renderPlainText(aView(over), OPTIONS)
        .split('\n')
        .filter((line) => !line.startsWith('    $ '));
      for (const line of lines) {
        expect(line.length).toBeLessThanOrEqual(80);
        expect(line).not.toMatch(UNSAFE);
      }
    }),
    { numRuns: 100 },
  );
});

test('the plain text card reads like the Slack card', () => {
  expect(renderPlainText(aView(), OPTIONS)).toBe(
    `CRIT TTFT p99 11.8s llama-70b/prod-us (SLO 2s). KV full 97% on 7 of 8. INC-412

Likely cause: KV cache full, prefill waits for blocks
(high confidence: 3 checks for, 0 against)

  ✗ KV cache: 97% on 7 of 8 workers, limit 90% ${sparkline(aFinding().trend)}
  ✗ Queue depth: 88 waiting on decode-3, limit 50; 212 in all ${sparkline(aFinding().trend)}
  ✓ Prompt length: p99 28.1k tokens, limit 32k: OK
  ✓ GPU: 96% busy: ruled out

Do first: Shed prompts over 16k tokens at the gateway, then add 2 decode workers
    $ kubectl scale deploy/decode --replicas=10
    expect: TTFT p99 below 2 s in 3 minutes
Do NOT: Halve max_batch_size: prefill is queued behind block allocation (97% of
  KV in use); a smaller batch helps TBT, not TTFT

INC-412 · fired 03:12 UTC · open
https://wakewell.example/i/412`,
  );
});

describe('the page', () => {
  const options = { routingKey: 'R'.repeat(32), publicUrl: 'https://wakewell.example' };

  test('carries headline, place, key and flat details', () => {
    const event = renderPagerDutyTrigger(aView(), options);
    expect(event).toMatchObject({
      event_action: 'trigger',
      dedup_key: 'd'.repeat(64),
      payload: {
        summary: 'CRIT TTFT p99 11.8s llama-70b/prod-us (SLO 2s). KV full 97% on 7 of 8. INC-412',
        source: 'llama-70b/prod-us',
        severity: 'critical',
        component: 'llama-70b',
        group: 'prod-us',
        class: 'LLMHighTTFT',
        timestamp: '2026-03-12T03:12:00.000Z',
      },
      links: [
        { href: 'https://wakewell.example/i/412', text: 'Incident' },
        { href: 'https://wakewell.example/playbooks/high-ttft', text: 'Playbook' },
      ],
    });
    const details = event.payload.custom_details ?? {};
    expect(details.verdict).toContain('KV cache full');
    expect(details['do first']).toContain('Shed prompts');
    expect(details['do NOT']).toContain('97% of KV');
    expect(details['KV cache']).toBe('fails: 97% on 7 of 8 workers, limit 90%');
    expect(Object.values(details).every((value) => typeof value === 'string')).toBe(true);
  });

  test('stays within the limits whatever the text', () => {
    fc.assert(
      fc.property(hostile, hostile, (text, other) => {
        const event = renderPagerDutyTrigger(aView(hostileView(text, other)), options);
        expect([...event.payload.summary].length).toBeLessThanOrEqual(1024);
        expect(event.payload.source).not.toBe('');
        expect(Buffer.byteLength(JSON.stringify(event))).toBeLessThanOrEqual(512_000);
      }),
      { numRuns: 100 },
    );
  });
});

test('the webhook body says the same with stable names', () => {
  expect(renderWebhookBody(aView(), OPTIONS)).toMatchObject({
    version: 1,
    id: 'INC-412',
    status: 'firing',
    deduplication_key: 'd'.repeat(64),
    verdict: { cause: 'kv_cache_exhausted', confidence: 'high' },
    do_not: { fix: 'Halve max_batch_size' },
    url: 'https://wakewell.example/i/412',
  });
  expect(renderWebhookBody(aResolvedView(), OPTIONS)).toMatchObject({
    status: 'resolved',
    resolved_at: '2026-03-12T03:43:00.000Z',
  });
});

describe('neutralising', () => {
  test('escapes what Slack reads as mark-up and nothing twice', () => {
    expect(slackText('<!channel> & "x"')).toBe('&lt;!channel&gt; &amp; "x"');
    expect(slackText('&lt;!channel&gt;')).toBe('&amp;lt;!channel&amp;gt;');
  });

  test('a link cannot be left by its text', () => {
    expect(slackLink('https://w.example/i/1', 'a|b>c<@U1>')).toBe(
      '<https://w.example/i/1|a¦b&gt;c&lt;@U1&gt;>',
    );
  });

  test('cleaning keeps one visible line', () => {
    expect(clean('a\u202Eb\nc\u200bd\u0007')).toBe('a b c d');
    expect(cut('👨‍👩‍👧‍👦👨‍👩‍👧‍👦', 14)).toBe('👨‍👩‍👧‍👦…');
  });

  test('secrets are cut out, encoded ones too', () => {
    expect(withoutSecrets('key=s3cr3t/x s3cr3t%2Fx', ['s3cr3t/x'])).toBe('key=<secret> <secret>');
  });

  test.each([
    ['U0MIA', '<@U0MIA>'],
    ['@U0MIA', '<@U0MIA>'],
    ['S0ONCALL', '<!subteam^S0ONCALL>'],
    ['<!subteam^S0ONCALL>', '<!subteam^S0ONCALL>'],
    ['here', '<!here>'],
    ['mia', null],
    ['<@U1> extra', null],
    [undefined, null],
  ])('mention %s', (who, expected) => {
    expect(slackMention(who)).toBe(expected);
  });

  test('a sparkline has eight bars at most and none for a flat line', () => {
    expect(sparkline([1, 2, 3, 4, 5, 6, 7, 8])).toBe('▁▂▃▄▅▆▇█');
    expect(sparkline(Array.from({ length: 20 }, (_, i) => i))).toHaveLength(8);
    expect(sparkline([5, 5, 5])).toBe('');
    expect(sparkline([Number.NaN, 1])).toBe('');
  });
});

test('a resolved incident advises nothing', () => {
  const text = renderPlainText(aResolvedView(), OPTIONS);
  expect(text).toContain('RESOLVED after 31m');
  expect(text).not.toMatch(/Do first|Do NOT/);
});

test('a folded incident is not drawn as over: it says where it goes on', () => {
  const folded = aResolvedView({
    alerts: [],
    alertCount: 0,
    incident: { foldedInto: 377, acknowledgedAtMs: null, acknowledgedBy: null },
  });

  const card = renderSlackCard(folded, OPTIONS);

  expect(card.text).toBe('FOLDED TTFT p99 11.8s llama-70b/prod-us. Goes on as INC-377. INC-412');
  expect(textsOf(card.blocks)[0]).toMatch(/^:link: \*FOLDED\* {2}<.*TTFT p99.*> {2}into INC-377\n/);
});

test('what flaps says so first, with a bar, and what its rule could do', () => {
  const cycles = [0, 1, 2].map((n) => ({
    firedAtMs: FIRED_AT + n * 10 * 60_000,
    resolvedAtMs: n === 2 ? null : FIRED_AT + n * 10 * 60_000 + 4 * 60_000,
  }));
  const view = aView({ incident: { flags: { ...NO_FLAGS, flapping: true }, cycles } });

  const shown = textsOf(renderSlackCard(view, OPTIONS).blocks)[0] ?? '';

  expect(shown).toMatch(
    /^:large_yellow_circle: \*FLAPPING 3 times in 20m ▇▁▇▁▇\*\n:red_circle: \*CRITICAL\*/,
  );
  expect(shown).toContain(
    'its rule could keep_firing_for: 9m (it was quiet for 6m at most), or wait with a longer for:',
  );
  expect(renderPlainText(view, OPTIONS)).toContain('FLAPPING 3 times in 20m ▇▁▇▁▇');
});
