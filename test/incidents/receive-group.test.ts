import { describe, expect, test } from 'vitest';
import { MINUTE, SECOND } from '../../src/domain/clock.js';
import { aGroup, anAlert, resolvedCopy } from '../support/build.js';
import { createIntakeHarness } from '../support/intake-harness.js';
import { TEST_NOW_MS } from '../support/test-database.js';

const queueAlert = () => anAlert({ name: 'LLMQueueBuildup', severity: 'warning' });
const kvAlert = (severity: 'critical' | 'warning' = 'critical') =>
  anAlert({ name: 'LLMKVCachePressure', severity });

describe('opening', () => {
  test('a critical alert opens an incident with its page and card due at the deadline', async () => {
    const h = createIntakeHarness();

    const outcome = await h.receive(anAlert());

    expect(outcome).toMatchObject({ receiptId: 1, incidentIds: [1], opened: 1 });
    expect((await h.view()).incident).toMatchObject({
      alertName: 'LLMHighTTFT',
      severity: 'critical',
      state: 'open',
    });
    expect((await h.view()).episode.dedupKey).toMatch(/^[0-9a-f]{64}$/);
    expect(await h.outbox()).toEqual(['page pager queued +5000', 'card slack queued +5000']);
    expect(await h.work()).toEqual(['opened INC-1 queued']);
  });

  test('a warning opens an incident with a card and no page', async () => {
    const h = createIntakeHarness();

    await h.receive(queueAlert());

    expect(await h.outbox()).toEqual(['card slack queued +5000']);
  });

  test('an info is recorded, diagnosed and sent to nobody', async () => {
    const h = createIntakeHarness();

    await h.receive(anAlert({ severity: 'info' }));

    expect(await h.outbox()).toEqual([]);
    expect(await h.work()).toEqual(['opened INC-1 queued']);
    expect(await h.story()).toContain('routed: Recorded only: no receiver for info');
  });

  test('a missing severity is said in the story', async () => {
    const h = createIntakeHarness();

    await h.receive(anAlert({ severity: 'warning', severityNote: 'no severity label: treated as warning' }));

    expect(await h.story()).toContain(
      'opened: Opened by warning LLMHighTTFT (no severity label: treated as warning)',
    );
  });

  test('the dedup key follows from the payload alone', async () => {
    const first = createIntakeHarness();
    const second = createIntakeHarness();
    await second.clock.advance(90 * SECOND);

    await first.receive(anAlert());
    await second.receive(anAlert());

    expect((await second.view()).episode.dedupKey).toBe((await first.view()).episode.dedupKey);
  });

  test('the most severe alert of a body leads, whatever its place in it', async () => {
    const h = createIntakeHarness();

    await h.receive(
      anAlert({ severity: 'warning', labels: { instance: 'a' } }),
      anAlert({ labels: { instance: 'b' } }),
    );

    expect(await h.count('incidents')).toBe(1);
    expect((await h.view()).incident.severity).toBe('critical');
    expect(await h.outbox()).toEqual(['page pager queued +5000', 'card slack queued +5000']);
  });
});

describe('repeats', () => {
  test('the same firing alert again changes only the time it was seen', async () => {
    const h = createIntakeHarness();
    await h.receive(anAlert());
    const before = await h.view();
    await h.clock.advance(MINUTE);

    const outcome = await h.receive(anAlert());

    const after = await h.view();
    expect(outcome).toMatchObject({ incidentIds: [1], opened: 0, repeated: 1 });
    expect(after.incident.revision).toBe(before.incident.revision);
    expect(after.timeline).toEqual(before.timeline);
    expect(after.alerts[0]?.lastSeenAtMs).toBe(TEST_NOW_MS + MINUTE);
    expect(await h.count('receipts')).toBe(2);
    expect(await h.outbox()).toHaveLength(2);
  });

  test('a copy of an HA peer with another start and address is the same alert', async () => {
    const h = createIntakeHarness();
    await h.receive(anAlert());

    await h.receiveGroup(
      aGroup([anAlert({ startsAtMs: TEST_NOW_MS - 59_000 })], { externalUrl: 'http://am-2:9093' }),
    );

    expect(await h.count('incidents')).toBe(1);
    expect(await h.outbox()).toHaveLength(2);
  });

  test('both copies arriving at once open one incident', async () => {
    const h = createIntakeHarness();

    await Promise.all([h.receive(anAlert()), h.receive(anAlert()), h.receive(anAlert())]);

    expect(await h.count('incidents')).toBe(1);
    expect(await h.count('receipts')).toBe(3);
    expect(await h.outbox()).toHaveLength(2);
  });
});

describe('joining', () => {
  test('an alert that a cause explains joins, and the story says why', async () => {
    const h = createIntakeHarness();
    await h.receive(kvAlert());

    const outcome = await h.receive(queueAlert());

    expect(outcome).toMatchObject({ incidentIds: [1], joined: 1 });
    expect(await h.story()).toContain(
      'alert_joined: LLMQueueBuildup joined: LLMKVCachePressure explains it, same scope',
    );
    expect(await h.outbox()).toHaveLength(2);
  });

  test('a cause that comes second joins what it explains and leads', async () => {
    const h = createIntakeHarness();
    await h.receive(anAlert());

    await h.receive(kvAlert());

    expect((await h.view()).incident.alertName).toBe('LLMKVCachePressure');
    expect(await h.story()).toContain(
      'alert_joined: LLMKVCachePressure joined: LLMKVCachePressure explains LLMHighTTFT, same scope; it leads now',
    );
  });

  test('a milder cause joins without taking the lead from what pages', async () => {
    const h = createIntakeHarness();
    await h.receive(anAlert());

    await h.receive(kvAlert('warning'));

    expect((await h.view()).incident).toMatchObject({ alertName: 'LLMHighTTFT', severity: 'critical' });
  });

  test('a critical that joins a warning raises it and pages', async () => {
    const h = createIntakeHarness();
    await h.receive(kvAlert('warning'));
    await h.clock.advance(MINUTE);
    await h.deliverDue();

    await h.receive(anAlert());

    expect((await h.view()).incident.severity).toBe('critical');
    expect(await h.outbox()).toEqual([
      'card slack sent +-55000',
      'page pager queued +5000',
      'card slack queued +5000',
    ]);
    expect(await h.work()).toEqual(['opened INC-1 queued']);
  });

  test('a second critical that joins pages nobody again', async () => {
    const h = createIntakeHarness();
    await h.receive(kvAlert());
    await h.clock.advance(MINUTE);
    await h.deliverDue();

    await h.receive(anAlert());

    expect((await h.outbox()).filter((row) => row.startsWith('page'))).toEqual(['page pager sent +-55000']);
  });

  test('another model is another incident', async () => {
    const h = createIntakeHarness();
    await h.receive(kvAlert());

    await h.receive(anAlert({ labels: { model: 'mixtral' } }));

    expect(await h.count('incidents')).toBe(2);
  });

  test('an alert that fits two places opens its own', async () => {
    const h = createIntakeHarness();
    await h.receive(anAlert({ labels: { cluster: 'a' } }));
    await h.receive(anAlert({ labels: { cluster: 'b' } }));
    const anywhere = anAlert({ labels: { cluster: '', namespace: '' } });

    await h.receive(anywhere);

    expect(await h.count('incidents')).toBe(3);
  });

  test('another source never joins', async () => {
    const h = createIntakeHarness();
    await h.receive(anAlert());

    await h.receiveGroup(aGroup([anAlert({ source: 'grafana' })], { source: 'grafana' }));

    expect(await h.count('incidents')).toBe(2);
  });

  test('an unrelated alert of the same place opens its own', async () => {
    const h = createIntakeHarness();
    await h.receive(anAlert());

    await h.receive(anAlert({ name: 'LLMHighErrorRate' }));

    expect(await h.count('incidents')).toBe(2);
  });
});

describe('resolving', () => {
  test('the last resolve closes the incident, tells the card now and the pager after the hold', async () => {
    const h = createIntakeHarness();
    await h.receive(anAlert());
    await h.clock.advance(MINUTE);
    await h.deliverDue();

    const outcome = await h.receive(resolvedCopy(anAlert(), h.clock.now()));

    expect(outcome).toMatchObject({ incidentIds: [1], resolved: 1 });
    expect((await h.view()).incident).toMatchObject({ state: 'resolved', resolvedBy: 'alertmanager' });
    expect((await h.view()).episode.endedAtMs).toBe(h.clock.now());
    expect((await h.outbox()).slice(2)).toEqual([
      'page_resolve pager queued +300000',
      'card slack queued +0',
    ]);
    expect(await h.work()).toEqual(['opened INC-1 queued', 'resolved INC-1 queued']);
  });

  test('an incident stays open while one of its alerts fires', async () => {
    const h = createIntakeHarness();
    const a = anAlert({ labels: { instance: 'a' } });
    const b = anAlert({ labels: { instance: 'b' } });
    await h.receive(a, b);

    await h.receive(resolvedCopy(a, h.clock.now()), b);

    expect((await h.view()).incident.state).toBe('open');
    expect((await h.view()).firingCount).toBe(1);
  });

  test('an alert that a truncated group leaves out goes on firing', async () => {
    const h = createIntakeHarness();
    const a = anAlert({ labels: { instance: 'a' } });
    const b = anAlert({ labels: { instance: 'b' } });
    await h.receive(a, b);

    await h.receiveGroup(aGroup([resolvedCopy(a, h.clock.now())], { truncatedAlerts: 1 }));

    expect((await h.view()).incident.state).toBe('open');
  });

  test('a resolve of something that never fired is stored and opens nothing', async () => {
    const h = createIntakeHarness();

    const outcome = await h.receive(resolvedCopy(anAlert(), TEST_NOW_MS));

    expect(outcome).toMatchObject({ receiptId: 1, incidentIds: [], ignored: 1 });
    expect(await h.count('incidents')).toBe(0);
    expect(await h.count('receipts')).toBe(1);
  });

  test('what a resolved copy leaves out is kept', async () => {
    const h = createIntakeHarness();
    await h.receive(anAlert({ generatorUrl: 'http://prom/graph?g0.expr=up', expression: 'up' }));

    await h.receive({ ...resolvedCopy(anAlert(), h.clock.now()), annotations: {} });

    expect((await h.view()).alerts[0]).toMatchObject({
      status: 'resolved',
      expression: 'up',
      annotations: { summary: 'First tokens are slow' },
    });
  });

  test('the resolve of an earlier firing, delivered late, does not end the present one', async () => {
    const h = createIntakeHarness();
    await h.receive(anAlert({ startsAtMs: TEST_NOW_MS }));

    await h.receive(resolvedCopy(anAlert({ startsAtMs: TEST_NOW_MS - 600_000 }), TEST_NOW_MS - 300_000));

    expect((await h.view()).incident.state).toBe('open');
  });
});

describe('firing again', () => {
  async function resolvedIncident() {
    const h = createIntakeHarness();
    await h.receive(anAlert());
    await h.clock.advance(MINUTE);
    await h.deliverDue();
    await h.receive(resolvedCopy(anAlert(), h.clock.now()));
    return h;
  }

  test('within the hold the episode goes on, the held resolve is dropped and nobody is paged', async () => {
    const h = await resolvedIncident();
    await h.clock.advance(MINUTE);
    await h.deliverDue();

    const outcome = await h.receive(anAlert({ startsAtMs: h.clock.now() - SECOND }));

    const view = await h.view();
    expect(outcome).toMatchObject({ incidentIds: [1], opened: 1 });
    expect(view.incident).toMatchObject({ state: 'open', resolvedAtMs: null, reopenedCount: 0 });
    expect(view.episode).toMatchObject({ number: 1, endedAtMs: null });
    expect((await h.outbox()).slice(2)).toEqual([
      'page_resolve pager dropped +240000',
      'card slack sent +-60000',
      'card slack queued +5000',
    ]);
    expect(await h.work()).toEqual(['opened INC-1 queued', 'resolved INC-1 done']);
  });

  test('and when it resolves once more the pager is told once', async () => {
    const h = await resolvedIncident();
    const again = anAlert({ startsAtMs: h.clock.now() + MINUTE });
    await h.clock.advance(2 * MINUTE);
    await h.receive(again);

    await h.receive(resolvedCopy(again, h.clock.now()));

    expect((await h.outbox()).filter((row) => row.startsWith('page_resolve pager queued'))).toEqual([
      'page_resolve pager queued +300000',
    ]);
  });

  test('after the hold it reopens in a new episode with a key of its own, and pages', async () => {
    const h = await resolvedIncident();
    const firstKey = (await h.view()).episode.dedupKey;
    await h.clock.advance(6 * MINUTE);
    await h.deliverDue();

    await h.receive(anAlert({ startsAtMs: h.clock.now() }));

    const view = await h.view();
    expect(await h.count('incidents')).toBe(1);
    expect(view.incident).toMatchObject({ state: 'open', reopenedCount: 1 });
    expect(view.episode).toMatchObject({ number: 2 });
    expect(view.episode.dedupKey).not.toBe(firstKey);
    expect((await h.outbox()).slice(-2)).toEqual(['page pager queued +5000', 'card slack queued +5000']);
  });

  test('within the hold but with the resolve on its way it is a new episode', async () => {
    const h = await resolvedIncident();
    await h.clock.advance(MINUTE);
    await h.db.kysely.updateTable('episodes').set({ resolve_attempted_at: h.clock.now() }).execute();

    await h.receive(anAlert({ startsAtMs: h.clock.now() }));

    expect((await h.view()).episode.number).toBe(2);
  });

  test('a page that was dropped because the alert had resolved is not the end: the re-fire pages', async () => {
    const h = createIntakeHarness();
    await h.receive(anAlert());
    await h.receive(resolvedCopy(anAlert(), h.clock.now()));
    await h.db.kysely
      .updateTable('notifications')
      .set({ state: 'dropped' })
      .where('purpose', '=', 'page')
      .execute();
    await h.clock.advance(MINUTE);

    await h.receive(anAlert({ startsAtMs: h.clock.now() }));

    expect(await h.outbox()).toContain('page pager queued +5000');
    expect((await h.view()).episode.number).toBe(2);
  });

  test('after the reopen window it is a new incident', async () => {
    const h = await resolvedIncident();
    await h.clock.advance(31 * MINUTE);

    await h.receive(anAlert({ startsAtMs: h.clock.now() }));

    expect(await h.count('incidents')).toBe(2);
  });

  test('with the start it had before, long after, the key of the episode that is over is not used again', async () => {
    const h = await resolvedIncident();
    await h.clock.advance(20 * MINUTE);

    await h.receive(anAlert());

    const keys = await h.db.kysely.selectFrom('episodes').select('dedup_key').execute();
    expect(new Set(keys.map((row) => row.dedup_key)).size).toBe(2);
  });

  test('a late copy of an HA peer, begun before the end, reopens nothing', async () => {
    const h = await resolvedIncident();
    await h.clock.advance(15 * SECOND);

    const outcome = await h.receive(anAlert());

    expect(outcome).toMatchObject({ ignored: 1, opened: 0 });
    expect((await h.view()).incident.state).toBe('resolved');
    expect((await h.outbox()).filter((row) => row.startsWith('page '))).toHaveLength(1);
  });

  test('another worker of the same place fires: the same incident is reopened', async () => {
    const h = await resolvedIncident();
    await h.clock.advance(10 * MINUTE);

    await h.receive(anAlert({ labels: { instance: 'other' }, startsAtMs: h.clock.now() }));

    expect(await h.count('incidents')).toBe(1);
    expect((await h.view()).episode.number).toBe(2);
  });
});

describe('what cannot be read', () => {
  test('an unreadable body is stored and becomes a warning of its own', async () => {
    const h = createIntakeHarness();

    const outcome = await h.receiveUnreadable('the body is no JSON');

    expect(outcome).toMatchObject({ receiptId: 1, incidentIds: [1] });
    expect((await h.view()).incident).toMatchObject({
      alertName: 'Unreadable alert payload',
      severity: 'warning',
    });
    expect((await h.view()).alerts[0]?.annotations).toMatchObject({ description: 'the body is no JSON' });
    expect(await h.outbox()).toEqual(['card slack queued +5000']);
  });

  test('the same unreadable body again is a repeat, another one joins', async () => {
    const h = createIntakeHarness();
    await h.receiveUnreadable('bad', 'x');
    await h.receiveUnreadable('bad', 'x');

    await h.receiveUnreadable('bad', 'y');

    expect(await h.count('incidents')).toBe(1);
    expect((await h.view()).alertCount).toBe(2);
  });

  test('a bad entry is set aside, shown in the incident of its neighbours, and told once', async () => {
    const h = createIntakeHarness();
    const group = aGroup([anAlert()], { quarantined: [{ index: 1, reason: 'labels: missing', raw: '{}' }] });
    await h.receiveGroup(group);

    const outcome = await h.receiveGroup(group);

    expect(outcome.quarantined).toBe(1);
    expect(await h.count('incidents')).toBe(1);
    expect(await h.count('quarantined_alerts')).toBe(2);
    expect((await h.story()).filter((line) => line.startsWith('quarantined'))).toEqual([
      'quarantined: Entry 2 of a webhook could not be read: labels: missing',
    ]);
  });

  test('a bad entry alone in its body is an incident of its own', async () => {
    const h = createIntakeHarness();

    await h.receiveGroup(aGroup([], { quarantined: [{ index: 0, reason: 'status: missing', raw: '{}' }] }));

    expect((await h.view()).incident.alertName).toBe('Unreadable alert payload');
    expect(await h.count('quarantined_alerts')).toBe(1);
  });
});

describe('committing', () => {
  test('a call that breaks its batch does not take down its neighbours, and is kept for a human', async () => {
    const h = createIntakeHarness({
      route: (_severity, labels) => {
        if (labels.poison === 'yes') throw new Error('planted fault');
        return [];
      },
    });

    const outcomes = await Promise.all([
      h.receive(anAlert({ labels: { model: 'a' } })),
      h.receive(anAlert({ labels: { model: 'b', poison: 'yes' } })),
      h.receive(anAlert({ labels: { model: 'c' } })),
    ]);

    expect(outcomes.map((outcome) => outcome.opened)).toEqual([1, 1, 1]);
    const names = await h.db.kysely.selectFrom('incidents').select('alert_name').execute();
    expect(names.map((row) => row.alert_name).sort()).toEqual([
      'LLMHighTTFT',
      'LLMHighTTFT',
      'Unreadable alert payload',
    ]);
    expect(await h.count('receipts')).toBe(3);
  });

  test('a database that cannot commit rejects the call and leaves nothing', async () => {
    const h = createIntakeHarness();
    const full = Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
    const broken = createIntakeHarness({ db: { ...h.db, transaction: () => Promise.reject(full) } });

    await expect(broken.receive(anAlert())).rejects.toThrow('disk is full');

    expect(await h.count('receipts')).toBe(0);
  });

  test('after closing, calls are refused and those before are committed', async () => {
    const h = createIntakeHarness();
    const before = h.receive(anAlert());

    await h.intake.close();

    await expect(before).resolves.toMatchObject({ opened: 1 });
    await expect(h.receive(anAlert())).rejects.toThrow('stopping');
  });

  test('who waits for work is told after each commit', async () => {
    const told: string[] = [];
    const h = createIntakeHarness({ onCommitted: () => void told.push('committed') });

    await h.receive(anAlert());

    expect(told).toEqual(['committed']);
  });
});
