import { describe, expect, test } from 'vitest';
import { HOUR, MINUTE } from '../../src/domain/clock.js';
import { acknowledge, resolve } from '../../src/incidents/change-state.js';
import { aGroup, anAlert, resolvedCopy } from '../support/build.js';
import { createReconcileHarness } from '../support/reconcile-harness.js';
import { TEST_NOW_MS } from '../support/test-database.js';

const ALERT = anAlert();
const OTHER = anAlert({ labels: { instance: 'worker-2' } });
const WARNING = anAlert({ name: 'LLMQueueBuildup', severity: 'warning' });
const UNTIL = TEST_NOW_MS + HOUR;

/** An incident whose page and card were accepted. */
async function paged(options: Parameters<typeof createReconcileHarness>[0] = {}) {
  const h = await createReconcileHarness(options);
  await h.receive(ALERT);
  await h.clock.advance(6000);
  await h.deliverDue();
  for (const peer of h.peers) peer.hold(ALERT.labels);
  return h;
}

const last = (lines: readonly string[], kind: string) =>
  lines.filter((line) => line.startsWith(`${kind}:`)).at(-1);

describe('a silence', () => {
  test('is named in the timeline, shown on the card and pages nobody', async () => {
    const h = await paged();
    h.am.silence({ alertname: 'LLMHighTTFT' }, { by: 'mia', comment: 'draining node-3', untilMs: UNTIL });

    await h.run();

    const { incident } = await h.view();
    expect(incident.silence).toEqual({ by: 'mia', comment: 'draining node-3', untilMs: UNTIL });
    expect(incident.flags.silenced).toBe(true);
    expect(last(await h.story(), 'silenced')).toBe(
      'silenced: Silenced in Alertmanager by mia until 04:00 UTC: draining node-3',
    );
    expect(await h.outbox()).toEqual([
      'page pager sent +-1000',
      'card slack sent +-1000',
      'card slack queued +0',
    ]);
  });

  test('is told once, however often it is read, also after a restart', async () => {
    const h = await paged();
    h.am.silence({ alertname: 'LLMHighTTFT' }, { untilMs: UNTIL });
    await h.run();
    const { revision } = (await h.view()).incident;
    const story = await h.story();

    await h.minute([ALERT]);
    h.restart();
    await h.minute([ALERT]);

    expect(await h.story()).toEqual(story);
    expect((await h.view()).incident.revision).toBe(revision);
  });

  test('that is extended is told with its new end', async () => {
    const h = await paged();
    const first = h.am.silence({ alertname: 'LLMHighTTFT' }, { untilMs: UNTIL });
    await h.run();
    h.am.expire(first);
    h.am.silence({ alertname: 'LLMHighTTFT' }, { by: 'tom', untilMs: UNTIL + HOUR });

    await h.minute([ALERT]);

    expect(last(await h.story(), 'silenced')).toBe('silenced: Now silenced by tom until 05:00 UTC: draining');
    expect((await h.view()).incident.silence?.by).toBe('tom');
  });

  test('of some of its alerts is told and silences nobody', async () => {
    const h = await paged();
    await h.receive(ALERT, OTHER);
    h.am.hold(OTHER.labels);
    h.am.silence({ instance: 'worker-2' }, { untilMs: UNTIL });

    await h.run();

    const view = await h.view();
    expect(view.incident.silence).toBeNull();
    expect(last(await h.story(), 'silenced')).toBe(
      'silenced: LLMHighTTFT silenced in Alertmanager by mia until 04:00 UTC: draining; other alerts of it are not',
    );
    expect(view.alerts.map((alert) => alert.upstream?.state)).toEqual(['active', 'silenced']);
  });

  test('is over as soon as an alert is delivered that it does not cover', async () => {
    const h = await paged();
    h.am.silence({ alertname: 'LLMHighTTFT', instance: '' }, { untilMs: UNTIL });
    await h.run();
    expect((await h.view()).incident.silence).not.toBeNull();

    await h.receive(OTHER);

    // At once: a page that its severity asks for must not wait for the next comparison.
    expect((await h.view()).incident.silence).toBeNull();

    h.am.hold(OTHER.labels);
    await h.minute([ALERT, OTHER]);
    expect(last(await h.story(), 'silence_ended')).toBe(
      'silence_ended: No longer silent: LLMHighTTFT is not covered by the silence of mia',
    );
    // This episode has paged already.
    expect(await h.episodes()).toHaveLength(1);
  });
});

describe('a silence that ends', () => {
  test('while a critical fires pages again under a new key, closes the old page and says why', async () => {
    const h = await paged();
    const id = h.am.silence({ alertname: 'LLMHighTTFT' }, { untilMs: UNTIL });
    await h.run();
    await h.deliverDue();
    h.am.expire(id);

    await h.minute([ALERT]);

    expect(await h.episodes()).toEqual([
      { number: 1, because: null, over: true },
      { number: 2, because: 'silence by mia ended', over: false },
    ]);
    expect((await h.outbox()).slice(-4)).toEqual([
      'card slack sent +-60000',
      'page_resolve pager queued +0',
      'page pager queued +5000',
      'card slack queued +5000',
    ]);
    expect(last(await h.story(), 'silence_ended')).toBe(
      'silence_ended: The silence by mia ended and LLMHighTTFT still fires',
    );
    expect(last(await h.story(), 'routed')).toBe(
      'routed: Routed anew because the silence by mia ended: pager, slack',
    );
    expect((await h.work()).at(-1)).toBe('opened INC-1 queued');
    const view = await h.view();
    expect(view.incident).toMatchObject({ state: 'open', silence: null });

    // And no second time.
    await h.deliverDue();
    await h.minute([ALERT]);
    expect(await h.episodes()).toHaveLength(2);
  });

  test('pages also where it had kept the first page from going', async () => {
    const h = await createReconcileHarness();
    h.am.hold(ALERT.labels);
    const id = h.am.silence({ alertname: 'LLMHighTTFT' }, { untilMs: UNTIL });
    await h.receive(ALERT);
    await h.run();
    h.am.expire(id);

    await h.minute([ALERT]);

    expect((await h.outbox()).filter((line) => line.startsWith('page'))).toEqual([
      'page pager dropped +-55000',
      'page_resolve pager queued +0',
      'page pager queued +5000',
    ]);
  });

  test('never takes an acknowledgement back, and pages nobody who took it', async () => {
    const h = await paged();
    const id = h.am.silence({ alertname: 'LLMHighTTFT' }, { untilMs: UNTIL });
    await h.run();
    await acknowledge(h.db, { incidentId: 1, actor: 'mia', nowMs: h.clock.now() });
    h.am.expire(id);

    await h.minute([ALERT]);

    expect((await h.view()).incident).toMatchObject({ state: 'acknowledged', silence: null });
    expect(await h.episodes()).toHaveLength(1);
    expect((await h.outbox()).filter((line) => line.startsWith('page pager'))).toHaveLength(1);
    expect(last(await h.story(), 'silence_ended')).toContain('The silence by mia ended');
  });

  test('over a warning shows it again and pages nobody', async () => {
    const h = await createReconcileHarness();
    await h.receive(WARNING);
    h.am.hold(WARNING.labels);
    const id = h.am.silence({ alertname: 'LLMQueueBuildup' }, { untilMs: UNTIL });
    await h.run();
    h.am.expire(id);

    await h.minute([WARNING]);

    expect(await h.outbox()).toEqual(['card slack queued +-60000']);
    expect((await h.view()).incident.silence).toBeNull();
  });

  test('together with the resolve of what it covered leaves nothing to page', async () => {
    const h = await paged();
    const id = h.am.silence({ alertname: 'LLMHighTTFT' }, { untilMs: UNTIL });
    await h.run();
    h.am.expire(id);
    h.am.drop(ALERT.labels);

    await h.clock.advance(5 * MINUTE);
    await h.run();
    await h.minute();

    expect((await h.view()).incident).toMatchObject({ state: 'resolved', silence: null });
    expect(await h.episodes()).toHaveLength(1);
  });
});

describe('a resolve that never arrived', () => {
  test('closes the incident with its reason after two complete reads', async () => {
    const h = await paged();
    await h.run();
    h.am.drop(ALERT.labels);
    // Past its expiry, as Alertmanager gave it.
    await h.clock.advance(5 * MINUTE);

    expect(await h.run()).toMatchObject({ outcome: 'complete', gone: 0 });
    expect((await h.view()).incident.state).toBe('open');
    expect(await h.minute()).toMatchObject({ outcome: 'complete', gone: 1 });

    const view = await h.view();
    expect(view.incident).toMatchObject({ state: 'resolved', resolvedBy: 'alertmanager' });
    expect((await h.story()).slice(-3)).toEqual([
      'alert_resolved: LLMHighTTFT resolved',
      'resolve_reconciled: Found by reconciling: gone from Alertmanager in two complete reads, and its resolve never arrived',
      'resolved: Resolved: none of its alerts fires any more',
    ]);
    expect((await h.outbox()).slice(-2)).toEqual([
      'page_resolve pager queued +300000',
      'card slack queued +0',
    ]);
  });

  test('of a silenced alert closes its incident too', async () => {
    const h = await paged();
    h.am.silence({ alertname: 'LLMHighTTFT' }, { untilMs: UNTIL });
    await h.run();
    h.am.drop(ALERT.labels);

    await h.clock.advance(5 * MINUTE);
    await h.run();
    await h.minute();

    expect((await h.view()).incident).toMatchObject({
      state: 'resolved',
      silence: null,
      flags: { silenced: false },
    });
  });

  test('is not believed before the alert has expired', async () => {
    const h = await paged();
    h.am.hold(ALERT.labels, { endsAtMs: h.clock.now() + 10 * MINUTE });
    await h.run();
    h.am.drop(ALERT.labels);

    for (let minute = 0; minute < 8; minute += 1) await h.minute();

    expect((await h.view()).incident.state).toBe('open');
    await h.minute();
    await h.minute();
    expect((await h.view()).incident.state).toBe('resolved');
  });

  test.each([
    [
      'an unreachable',
      (am: { failNext: (f: { kind: 'close' }, n: number) => void }) => am.failNext({ kind: 'close' }, 1e9),
      'unreachable',
    ],
    ['a restarted', (am: { restart: () => void }) => am.restart(), 'partial'],
    ['a settling', (am: { setCluster: (s: 'settling') => void }) => am.setCluster('settling'), 'partial'],
  ] as const)('is not concluded from %s Alertmanager', async (_name, break_, outcome) => {
    const h = await paged();
    await h.run();
    h.am.drop(ALERT.labels);
    break_(h.am as never);

    for (let minute = 0; minute < 10; minute += 1) {
      const result = await h.minute();
      expect(result.outcome).toBe(outcome);
      expect(result.faults).toHaveLength(1);
    }

    expect((await h.view()).incident.state).toBe('open');
  });

  test('is not concluded from one peer while the other cannot be asked', async () => {
    const h = await paged({ peers: 2 });
    await h.run();
    h.peers[0]?.drop(ALERT.labels);
    h.peers[1]?.failNext({ kind: 'status', status: 503 }, 1e9);

    for (let minute = 0; minute < 10; minute += 1) await h.minute();

    expect((await h.view()).incident.state).toBe('open');
    h.peers[1]?.heal();
    h.peers[1]?.drop(ALERT.labels);
    await h.minute();
    await h.minute();
    expect((await h.view()).incident.state).toBe('resolved');
  });

  test('was in an earlier life of the process: its delivery is what counts', async () => {
    const h = await paged();
    h.am.drop(ALERT.labels);
    h.restart();

    await h.minute();
    await h.minute();
    expect((await h.view()).incident.state).toBe('open');
    await h.clock.advance(3 * MINUTE);
    await h.run();

    expect((await h.view()).incident.state).toBe('resolved');
  });
});

describe('an alert that never arrived', () => {
  test('is taken in at the second look, and pages', async () => {
    const h = await createReconcileHarness();
    h.am.hold(ALERT.labels, { startsAtMs: TEST_NOW_MS - 10 * MINUTE });

    expect(await h.run()).toMatchObject({ found: 0 });
    expect(await h.minute([])).toMatchObject({ found: 1 });

    const view = await h.view();
    expect(view.incident).toMatchObject({ alertName: 'LLMHighTTFT', state: 'open', severity: 'critical' });
    expect(view.alerts[0]?.alertKey).toBe(ALERT.alertKey);
    expect((await h.story())[1]).toBe(
      'reconciled: Found by reconciling: fires in Alertmanager since 02:50 UTC and never arrived',
    );
    expect(await h.outbox()).toEqual(['page pager queued +5000', 'card slack queued +5000']);

    // Delivered after all: a repeat.
    expect(await h.receive(ALERT)).toMatchObject({ opened: 0, repeated: 1 });
    await h.minute([ALERT]);
    expect(await h.count('incidents')).toBe(1);
  });

  test.each([
    ['silenced', {}, true],
    ['inhibited', { inhibitedBy: ['0123456789abcdef'] }, false],
    ['muted', { mutedBy: ['weekends'] }, false],
    ['not routed to us', { receivers: ['other'] }, false],
    ['not routed at all yet', { state: 'unprocessed' as const }, false],
  ])('is left alone while it is %s', async (_name, over, silence) => {
    const h = await createReconcileHarness();
    h.am.hold(ALERT.labels, { ...over, endsAtMs: TEST_NOW_MS + HOUR });
    if (silence) h.am.silence({ alertname: 'LLMHighTTFT' }, { untilMs: UNTIL });

    for (let minute = 0; minute < 4; minute += 1) await h.minute();

    expect(await h.count('incidents')).toBe(0);
  });

  test('is not one that a person closed while it fired', async () => {
    const h = await paged();
    await resolve(h.db, { incidentId: 1, actor: 'mia', nowMs: h.clock.now() });

    for (let minute = 0; minute < 45; minute += 1) {
      h.am.hold(ALERT.labels, { startsAtMs: ALERT.startsAtMs ?? 0 });
      await h.minute();
    }

    expect(await h.count('incidents')).toBe(1);
    expect((await h.view()).incident.state).toBe('resolved');
  });

  test('is one that began anew after its resolve', async () => {
    const h = await paged();
    await h.receive(resolvedCopy(ALERT, h.clock.now()));
    await h.clock.advance(10 * MINUTE);
    h.am.hold(ALERT.labels, { startsAtMs: h.clock.now() - MINUTE });

    await h.run();
    await h.minute([]);

    expect((await h.view()).incident).toMatchObject({ state: 'open', reopenedCount: 1 });
  });

  test('and was cut off from a delivery is taken in at the first look', async () => {
    const h = await createReconcileHarness();
    const group = aGroup([ALERT], {
      truncatedAlerts: 1,
      groupLabels: { cluster: 'prod-us', model: 'llama-70b' },
    });
    await h.receiveGroup(group);
    h.noteTruncated(group);
    for (const alert of [ALERT, OTHER]) h.am.hold(alert.labels);
    h.am.hold({ ...OTHER.labels, model: 'mixtral' });

    await h.run();

    expect((await h.view()).alertCount).toBe(2);
    expect(last(await h.story(), 'reconciled')).toBe(
      'reconciled: Found by reconciling: left out of a delivery that was cut off (max_alerts)',
    );
    expect(await h.count('incidents')).toBe(1);
  });

  test('cannot be found under a wrong name, which is said', async () => {
    const h = await paged();
    h.am.hold(ALERT.labels, { receivers: ['web.hook'] });

    expect(await h.run()).toMatchObject({
      outcome: 'complete',
      faults: [
        'Alertmanager delivers to us as web.hook, not as "wakewell": set alertmanager.receiver, or lost alerts cannot be found',
      ],
    });
  });
});

describe('inhibition', () => {
  test('is noted with by whom, and its end', async () => {
    const h = await createReconcileHarness();
    await h.receive(WARNING);
    h.am.hold(ALERT.labels);
    h.am.hold(WARNING.labels, { inhibitedBy: [h.am.fingerprint(ALERT.labels)] });

    await h.run();
    expect(last(await h.story(), 'inhibited')).toBe(
      'inhibited: LLMQueueBuildup held back in Alertmanager: inhibited by LLMHighTTFT (critical)',
    );

    await h.minute([WARNING]);
    expect(last(await h.story(), 'inhibited')).toBe(
      'inhibited: LLMQueueBuildup no longer inhibited in Alertmanager',
    );
    expect((await h.story()).filter((line) => line.startsWith('inhibited'))).toHaveLength(2);
  });
});
