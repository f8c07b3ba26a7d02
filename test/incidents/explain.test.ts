/** Situations driven through intake, outbox, people and Alertmanager; each must be explained by its code. */

import { describe, expect, test } from 'vitest';
import { HOUR, MINUTE } from '../../src/domain/clock.js';
import { DROP_WORDS, dropCodeOf } from '../../src/domain/drop-reasons.js';
import { REASONS, type ReasonCode } from '../../src/domain/reasons.js';
import type { TimelineKind } from '../../src/domain/timeline.js';
import { acknowledge, resolve } from '../../src/incidents/change-state.js';
import { createReadExplanation } from '../../src/incidents/read-explanation.js';
import { aGroup, anAlert, resolvedCopy } from '../support/build.js';
import { createReconcileHarness } from '../support/reconcile-harness.js';
import { TEST_NOW_MS } from '../support/test-database.js';

type Harness = Awaited<ReturnType<typeof createReconcileHarness>>;

const CRITICAL = anAlert();
const OTHER = anAlert({ labels: { instance: 'worker-2' } });
const WARNING = anAlert({ name: 'LLMQueueBuildup', severity: 'warning' });
const INFO = anAlert({ name: 'LLMBaseline', severity: 'info' });
const PRESSURE = anAlert({ name: 'LLMKVCachePressure', severity: 'warning' });
const UNTIL = TEST_NOW_MS + HOUR;
const by = (h: Harness) => ({ incidentId: 1, actor: 'mia', nowMs: h.clock.now() });

/** Changes rows as another outcome of a delivery would. */
const row = (h: Harness, values: Record<string, unknown>, purpose = 'page') =>
  h.db.kysely
    .updateTable('notifications')
    .set(values as never)
    .where('purpose', '=', purpose as never)
    .execute();
const silenced = async (h: Harness, ...alerts: (typeof CRITICAL)[]) => {
  await h.receive(...alerts);
  for (const alert of alerts) h.am.hold(alert.labels);
  const id = h.am.silence({ cluster: 'prod-us' }, { untilMs: UNTIL });
  await h.run();
  return id;
};
const minutes = async (h: Harness, count: number) => {
  for (let minute = 0; minute < count; minute += 1) await h.minute();
};

/** At least two situations a code. `trouble`: what the outbox knows of the receiver. */
/** What another part of the service writes down. */
const TOLD: readonly (readonly [ReasonCode, TimelineKind, string, string])[] = [
  [
    'only_critical_pages',
    'routed',
    'Routed to pager (default; no page: only critical pages, this is warning)',
    'Routed to b (route x; no page: only critical pages, this is info)',
  ],
  [
    'folded',
    'folded',
    'Folded into INC-3: KV cache full',
    'INC-2 folded in (LLMHighTTFT, 1 alert): KV cache full',
  ],
  [
    'unfolded',
    'unfolded',
    'Was part of INC-3 until KV cache full did not explain it',
    'LLMHighTTFT goes on as INC-4',
  ],
  [
    'flapping',
    'flapping',
    'Flapping: it fired and resolved 3 times in 9m',
    'Flapping: it fired and resolved 4 times in 20m',
  ],
  ['storm', 'storm', 'In the storm of prod-us: INC-9 speaks for it', 'Joined the storm INC-7'],
  [
    'reminded',
    'reminded',
    'Nobody has taken this for 15m: paged again pager',
    'Nobody has taken this for 1h: said again in slack',
  ],
  ['escalated', 'escalated', 'Escalated to infrastructure after 30m', 'Escalated to the GPU team'],
  [
    'resolved_at_pager',
    'pager_resolved',
    'Resolved at the pager by mia, still fires',
    'Resolved at the pager by tom',
  ],
  [
    'maintenance',
    'maintenance',
    'Recorded only: maintenance window "a" until 04:00 UTC',
    'Recorded only: maintenance window "b" until 05:00 UTC',
  ],
];
const UMBRELLAS: readonly (readonly [ReasonCode, 'storm' | 'bundle', object])[] = [
  ['bundled', 'bundle', { state: 'withheld' }],
  ['bundled', 'bundle', { state: 'withheld', attempts: 1 }],
  ['in_umbrella', 'storm', { state: 'withheld' }],
  ['in_umbrella', 'storm', { state: 'sent' }],
  ['listed', 'storm', { state: 'sent', listed_at: TEST_NOW_MS }],
  ['listed', 'bundle', { state: 'withheld', listed_at: TEST_NOW_MS }],
];

const SITUATIONS: readonly (readonly [ReasonCode, string, (h: Harness) => Promise<unknown>, string?])[] = [
  ['routed', 'a critical', (h) => h.receive(CRITICAL)],
  ['routed', 'a warning', (h) => h.receive(WARNING)],
  ['recorded_only', 'an info', (h) => h.receive(INFO)],
  [
    'recorded_only',
    'an info of another model',
    (h) => h.receive(anAlert({ name: 'X', severity: 'info', labels: { model: 'm' } })),
  ],
  [
    'severity_assumed',
    'no label',
    (h) => h.receive({ ...WARNING, severityNote: 'no severity label: treated as warning' }),
  ],
  [
    'severity_assumed',
    'an unknown word',
    (h) => h.receive({ ...WARNING, severityNote: 'unknown severity "red": treated as warning' }),
  ],
  ['opened', 'a critical', (h) => h.receive(CRITICAL)],
  ['opened', 'an unreadable body', (h) => h.receiveUnreadable('the body is no JSON')],
  [
    'joined',
    'another worker',
    async (h) => {
      await h.receive(CRITICAL);
      await h.receive(OTHER);
    },
  ],
  [
    'joined',
    'explained by its cause',
    async (h) => {
      await h.receive(PRESSURE);
      await h.receive(WARNING);
    },
  ],
  [
    'reopened',
    'after the hold',
    async (h) => {
      await h.receive(CRITICAL);
      await h.receive(resolvedCopy(CRITICAL, h.clock.now()));
      await h.clock.advance(10 * MINUTE);
      await h.receive({ ...CRITICAL, startsAtMs: h.clock.now() });
    },
  ],
  [
    'reopened',
    'a warning after the hold',
    async (h) => {
      await h.receive(WARNING);
      await h.receive(resolvedCopy(WARNING, h.clock.now()));
      await h.clock.advance(20 * MINUTE);
      await h.receive({ ...WARNING, startsAtMs: h.clock.now() });
    },
  ],
  [
    'continued',
    'within the hold',
    async (h) => {
      await h.receive(CRITICAL);
      await h.receive(resolvedCopy(CRITICAL, h.clock.now()));
      await h.clock.advance(MINUTE);
      await h.receive({ ...CRITICAL, startsAtMs: h.clock.now() });
    },
  ],
  [
    'continued',
    'a warning within the hold',
    async (h) => {
      await h.receive(WARNING);
      await h.receive(resolvedCopy(WARNING, h.clock.now()));
      await h.clock.advance(2 * MINUTE);
      await h.receive({ ...WARNING, startsAtMs: h.clock.now() });
    },
  ],
  [
    'severity_raised',
    'by the same name',
    async (h) => {
      await h.receive(anAlert({ severity: 'warning' }));
      await h.receive(CRITICAL);
    },
  ],
  [
    'severity_raised',
    'by what it explains',
    async (h) => {
      await h.receive(PRESSURE);
      await h.receive(CRITICAL);
    },
  ],
  [
    'late_copy',
    'of a critical',
    async (h) => {
      await h.receive(CRITICAL);
      await h.receive(resolvedCopy(CRITICAL, h.clock.now()));
      await h.receive(CRITICAL);
    },
  ],
  [
    'late_copy',
    'of one of two',
    async (h) => {
      await h.receive(CRITICAL, OTHER);
      await h.receive(resolvedCopy(OTHER, h.clock.now()));
      await h.receive(OTHER);
    },
  ],
  [
    'unreadable',
    'one entry of two',
    (h) =>
      h.receiveGroup(
        aGroup([CRITICAL], { quarantined: [{ index: 1, reason: 'labels: expected an object', raw: '7' }] }),
      ),
  ],
  [
    'unreadable',
    'two entries',
    (h) =>
      h.receiveGroup(
        aGroup([WARNING], {
          quarantined: [
            { index: 1, reason: 'status: found nothing', raw: '{}' },
            { index: 2, reason: 'x', raw: '8' },
          ],
        }),
      ),
  ],
  [
    'found_by_reconciling',
    'a lost alert',
    async (h) => {
      h.am.hold(CRITICAL.labels, { endsAtMs: UNTIL });
      await minutes(h, 2);
    },
  ],
  [
    'found_by_reconciling',
    'a cut-off group',
    async (h) => {
      const group = aGroup([CRITICAL], { truncatedAlerts: 1 });
      await h.receiveGroup(group);
      h.noteTruncated(group);
      for (const alert of [CRITICAL, OTHER]) h.am.hold(alert.labels);
      await h.run();
    },
  ],
  [
    'resolve_found_by_reconciling',
    'a lost resolve',
    async (h) => {
      await h.receive(CRITICAL);
      await minutes(h, 8);
    },
  ],
  [
    'resolve_found_by_reconciling',
    'while silenced',
    async (h) => {
      await silenced(h, CRITICAL);
      h.am.drop(CRITICAL.labels);
      await minutes(h, 8);
    },
  ],
  [
    'paged',
    'accepted',
    async (h) => {
      await h.receive(CRITICAL);
      await h.clock.advance(6000);
      await h.deliverDue();
    },
  ],
  [
    'paged',
    'accepted and acknowledged',
    async (h) => {
      await h.receive(CRITICAL);
      await h.clock.advance(6000);
      await h.deliverDue();
      await acknowledge(h.db, by(h));
    },
  ],
  [
    'passed_on',
    'to another pager',
    async (h) => {
      await h.receive(CRITICAL);
      await row(h, { on_behalf_of: 'first' });
    },
  ],
  [
    'passed_on',
    'and accepted there',
    async (h) => {
      await h.receive(CRITICAL);
      await row(h, { on_behalf_of: 'first', state: 'sent' });
    },
  ],
  [
    'paged_anew',
    'a silence ended',
    async (h) => {
      h.am.expire(await silenced(h, CRITICAL));
      await h.minute([CRITICAL]);
    },
  ],
  [
    'paged_anew',
    'two silences ended',
    async (h) => {
      h.am.expire(await silenced(h, CRITICAL));
      await h.minute([CRITICAL]);
      const again = h.am.silence({ cluster: 'prod-us' }, { untilMs: UNTIL });
      await h.minute([CRITICAL]);
      h.am.expire(again);
      await h.minute([CRITICAL]);
    },
  ],
  [
    'sent_bare',
    'accepted',
    async (h) => {
      await h.receive(CRITICAL);
      await row(h, { bare: 1, state: 'sent' });
    },
  ],
  [
    'sent_bare',
    'of two alerts',
    async (h) => {
      await h.receive(CRITICAL, OTHER);
      await row(h, { bare: 1, state: 'sent' });
    },
  ],
  ['not_critical', 'a warning', (h) => h.receive(WARNING)],
  ['not_critical', 'an info', (h) => h.receive(INFO)],
  ['page_waits', 'for its verdict', (h) => h.receive(CRITICAL)],
  [
    'page_waits',
    'under way',
    async (h) => {
      await h.receive(CRITICAL);
      await row(h, { state: 'sending' });
    },
  ],
  [
    'page_retrying',
    'after one try',
    async (h) => {
      await h.receive(CRITICAL);
      await row(h, { attempts: 1, last_reason: 'timeout: no answer within 5 s' });
    },
  ],
  [
    'page_retrying',
    'after many',
    async (h) => {
      await h.receive(CRITICAL);
      await row(h, { attempts: 40, last_reason: 'server_error: HTTP 503' });
    },
  ],
  [
    'receiver_in_trouble',
    'revoked',
    async (h) => {
      await h.receive(CRITICAL);
      await h.clock.advance(MINUTE);
    },
    'pager refuses our credentials',
  ],
  [
    'receiver_in_trouble',
    'paused',
    async (h) => {
      await h.receive(CRITICAL, OTHER);
      await h.clock.advance(MINUTE);
    },
    'pager asked for a pause',
  ],
  [
    'budget_used',
    'a minute',
    async (h) => {
      await h.receive(CRITICAL);
      await h.clock.advance(MINUTE);
    },
  ],
  [
    'budget_used',
    'ten minutes',
    async (h) => {
      await h.receive(CRITICAL);
      await h.clock.advance(10 * MINUTE);
    },
  ],
  [
    'page_refused',
    'key revoked',
    async (h) => {
      await h.receive(CRITICAL);
      await row(h, { state: 'dead', last_reason: 'Page refused by pager: HTTP 403' });
    },
  ],
  [
    'page_refused',
    'unknown receiver',
    async (h) => {
      await h.receive(CRITICAL);
      await row(h, { state: 'dead', last_reason: 'no receiver "pager" is configured' });
    },
  ],
  [
    'page_late',
    'resolved first',
    async (h) => {
      await h.receive(CRITICAL);
      await row(h, { state: 'dropped', last_reason: DROP_WORDS.resolved });
    },
  ],
  [
    'page_late',
    'another period',
    async (h) => {
      await h.receive(CRITICAL);
      await row(h, { state: 'dropped', last_reason: DROP_WORDS.period_over });
    },
  ],
  [
    'acknowledged',
    'by a person',
    async (h) => {
      await h.receive(CRITICAL);
      await acknowledge(h.db, by(h));
    },
  ],
  [
    'acknowledged',
    'before the page left',
    async (h) => {
      await h.receive(CRITICAL);
      await row(h, {
        state: 'dropped',
        last_reason: `${DROP_WORDS.acknowledged} mia before it could be sent`,
      });
    },
  ],
  ['silenced', 'a critical', (h) => silenced(h, CRITICAL)],
  ['silenced', 'a warning', (h) => silenced(h, WARNING)],
  [
    'held_back',
    'inhibited',
    async (h) => {
      await h.receive(WARNING);
      h.am.hold(CRITICAL.labels);
      h.am.hold(WARNING.labels, { inhibitedBy: [h.am.fingerprint(CRITICAL.labels)] });
      await h.run();
    },
  ],
  [
    'held_back',
    'muted',
    async (h) => {
      await h.receive(WARNING);
      h.am.hold(WARNING.labels, { mutedBy: ['weekends'] });
      await h.run();
    },
  ],
  [
    'shadow',
    'a page',
    async (h) => {
      await h.receive(CRITICAL);
      await row(h, { state: 'sent', shadow: 1 });
    },
  ],
  [
    'shadow',
    'a card',
    async (h) => {
      await h.receive(WARNING);
      await row(h, { state: 'sent', shadow: 1 }, 'card');
    },
  ],
  [
    'told',
    'a card of a critical',
    async (h) => {
      await h.receive(CRITICAL);
      await row(h, { state: 'sent' }, 'card');
    },
  ],
  [
    'told',
    'a card of a warning',
    async (h) => {
      await h.receive(WARNING);
      await row(h, { state: 'sent' }, 'card');
    },
  ],
  [
    'not_told',
    'a card refused',
    async (h) => {
      await h.receive(WARNING);
      await row(h, { state: 'dead', last_reason: 'Card refused by slack: channel_not_found' }, 'card');
    },
  ],
  [
    'not_told',
    'a card given up',
    async (h) => {
      await h.receive(CRITICAL);
      await row(h, { state: 'dead', last_reason: 'Card given up' }, 'card');
    },
  ],
];

const explainOf = (h: Harness, trouble?: string) =>
  createReadExplanation({
    db: h.db,
    receivers: { troubleOf: () => trouble ?? null },
    now: h.clock.now,
  })(1);

describe('explanations', () => {
  const each = SITUATIONS.map(([code, name, drive, trouble]) => ({ code, name, drive, trouble }));
  test.each(each)('$code: $name', async ({ code, drive, trouble }) => {
    const h = await createReconcileHarness();

    await drive(h);
    const explanation = await explainOf(h, trouble);

    const found = [
      ...(explanation?.reasons ?? []),
      ...(explanation?.alerts ?? []).flatMap((alert) => alert.reasons),
    ].filter((reason) => reason.code === code);
    expect(explanation?.reasons.map((reason) => reason.code)).toContain(code);
    expect(found[0]?.detail).toMatch(/\S/);
    expect(explanation?.summary).toMatch(/^(Paged: |Nobody was paged)/);
  });

  test.each(TOLD)('%s: from the story', async (code, kind, ...texts) => {
    for (const text of texts) {
      const h = await createReconcileHarness();
      await h.receive(CRITICAL);
      await h.db.kysely
        .insertInto('timeline')
        .values({ incident_id: 1, at: h.clock.now(), kind, text, actor: 'wakewell', via: null })
        .execute();

      expect((await explainOf(h))?.reasons).toContainEqual({
        code,
        detail: text,
        atMs: h.clock.now(),
        receiver: null,
      });
    }
  });

  test.each(UMBRELLAS)('%s: by a %s', async (code, kind, values) => {
    const h = await createReconcileHarness();
    await h.receive(CRITICAL);
    await h.receive(anAlert({ labels: { model: 'other' } }));
    await h.db.kysely.updateTable('incidents').set({ kind }).where('id', '=', 2).execute();
    await row(h, { umbrella_id: 2, ...values });

    expect((await explainOf(h))?.reasons.map((reason) => reason.code)).toContain(code);
  });

  test.each(['an empty route', 'a route without a pager'])('no_pager: %s', async (_name) => {
    const h = await createReconcileHarness();
    await h.receive(CRITICAL);
    await h.db.kysely.deleteFrom('notifications').where('purpose', '=', 'page').execute();

    expect((await explainOf(h))?.reasons.map((reason) => reason.code)).toContain('no_pager');
  });

  test('every code of the list has two situations', () => {
    const counts = new Map<string, number>([['no_pager', 2]]);
    for (const [code] of [...SITUATIONS, ...TOLD, ...TOLD, ...UMBRELLAS])
      counts.set(code, (counts.get(code) ?? 0) + 1);

    expect(Object.keys(REASONS).filter((code) => (counts.get(code) ?? 0) < 2)).toEqual([]);
  });

  test('what is not so is not said: a plain page has no reason against it', async () => {
    const h = await createReconcileHarness();
    await h.receive(CRITICAL);
    await h.clock.advance(6000);
    await h.deliverDue();

    const explanation = await explainOf(h);

    expect(explanation).toMatchObject({ paged: true, summary: 'Paged: pager' });
    expect(explanation?.reasons.map(({ code }) => code).sort()).toEqual([
      'opened',
      'paged',
      'routed',
      'told',
    ]);
    expect(explanation?.reasons.filter(({ code }) => REASONS[code].topic === 'not_paged')).toEqual([]);
  });

  test('a resolve by a person takes nothing back', async () => {
    const h = await createReconcileHarness();
    await h.receive(CRITICAL);
    await h.clock.advance(6000);
    await h.deliverDue();
    await resolve(h.db, by(h));

    expect((await explainOf(h))?.summary).toBe('Paged: pager');
  });

  test('every word for a dropped message leads back to its code', () => {
    for (const [code, words] of Object.entries(DROP_WORDS)) expect(dropCodeOf(`${words} x`)).toBe(code);
    expect(dropCodeOf('unchanged: the card shows this already')).toBeNull();
  });
});
