import { describe, expect, test } from 'vitest';
import { HOUR } from '../../src/domain/clock.js';
import { headline, MAX_HEADLINE } from '../../src/render/headline.js';
import { renderPagerDutyTrigger } from '../../src/render/page.js';
import { renderPlainText } from '../../src/render/plain-text.js';
import { renderSlackCard } from '../../src/render/slack-card.js';
import { renderWebhookBody } from '../../src/render/webhook-body.js';
import { createPageRenderers } from '../../src/ui/pages.js';
import { aView, FIRED_AT } from '../support/a-view.js';

const silence = { by: '<!here> mia', comment: 'draining *node-3*', untilMs: FIRED_AT + HOUR };
const silenced = aView({ incident: { silence, flags: { ...aView().incident.flags, silenced: true } } });
const headOf = (view: typeof silenced) => {
  const [head] = renderSlackCard(view, { publicUrl: null }).blocks;
  return (head as unknown as { text: { text: string } }).text.text;
};

describe('a silenced incident', () => {
  test('says so first on its card, by whom, until when and why', () => {
    const until = new Date(FIRED_AT + HOUR).toISOString().slice(11, 16);

    expect(headOf(silenced).split('\n')[0]).toBe(
      `:no_bell: *SILENCED until ${until} UTC by &lt;!here&gt; mia: draining ∗node-3∗*`,
    );
    expect(renderPlainText(silenced)).toContain(`SILENCED until ${until} UTC by <!here> mia: draining`);
    expect(renderWebhookBody(silenced, { publicUrl: null })).toMatchObject({
      state: 'open',
      silenced_by: '<!here> mia',
      silenced_until: new Date(FIRED_AT + HOUR).toISOString(),
    });
  });

  test('that somebody took says both', () => {
    const both = aView({
      incident: {
        silence,
        state: 'acknowledged',
        acknowledgedBy: 'tom',
        acknowledgedAtMs: FIRED_AT + 60_000,
      },
    });

    expect(headOf(both)).toMatch(/^:no_bell: \*SILENCED until .*; acked by tom /);
  });

  test('is SILENCED by shape and word on its page', () => {
    const html = createPageRenderers().incidentPage({
      view: silenced,
      explanation: null,
      notifications: [],
      notice: null,
      actor: null,
      nowMs: FIRED_AT,
    });

    expect(html).toContain('∅ SILENCED');
    expect(html).toContain('by &lt;!here> mia');
  });
});

describe('an episode that began because a silence ended', () => {
  const again = aView({ episode: { id: 7, number: 2, because: 'silence by mia ended' } });

  test('says so on the phone, in the page and in line 2 of the card', () => {
    expect(headline(again)).toMatch(/\. Silence by mia ended\. KV full/);
    expect(headline(again).length).toBeLessThanOrEqual(MAX_HEADLINE);
    expect(headOf(again).split('\n')[1]).toContain('silence by mia ended');
    const trigger = renderPagerDutyTrigger(again, { routingKey: 'key', publicUrl: null });
    expect(trigger.payload.custom_details?.notes).toBe('silence by mia ended');
  });

  test('whose silence has a hostile name stays one line within its length', () => {
    const hostile = aView({ episode: { because: `silence by ${'\n<@U1>'.repeat(50)} ended` } });

    expect(headline(hostile).length).toBeLessThanOrEqual(MAX_HEADLINE);
    expect(headline(hostile)).not.toMatch(/[\n<>]/);
    expect(headline(hostile)).toMatch(/INC-412$/);
  });
});
