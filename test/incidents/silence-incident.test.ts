import { describe, expect, test } from 'vitest';
import { HOUR } from '../../src/domain/clock.js';
import { aGroup, anAlert, resolvedCopy } from '../support/build.js';
import { createReconcileHarness } from '../support/reconcile-harness.js';

const A = anAlert({ labels: { instance: 'worker-1' } });
const B = anAlert({ labels: { instance: 'worker-2' } });

const request = { incidentId: 1, actor: 'mia', via: 'the API', forMs: HOUR, comment: 'draining' };

async function firing(...alerts: ReturnType<typeof anAlert>[]) {
  const h = await createReconcileHarness({ peers: 2 });
  await h.receive(...alerts);
  for (const alert of alerts) for (const peer of h.peers) peer.hold(alert.labels);
  return h;
}

describe('silencing an incident', () => {
  test('of one alert takes all of its labels, and the incident is quiet at once', async () => {
    const h = await firing(A);
    // Gossip, which this fake has not.
    h.peers[1]?.drop(A.labels);

    const result = await h.actions.silence(request);

    expect(h.am.silences()).toMatchObject([
      {
        createdBy: 'mia',
        comment: 'draining (INC-1)',
        matchers: Object.entries(A.labels).map(([name, value]) => ({
          name,
          value,
          isRegex: false,
          isEqual: true,
        })),
      },
    ]);
    expect(h.peers[1]?.silences()).toEqual([]);
    expect(result).toMatchObject({
      kind: 'changed',
      incident: { id: 1, silence: { by: 'mia', untilMs: h.clock.now() + HOUR } },
      silences: [
        { matchers: expect.stringContaining('instance="worker-1"'), endsAtMs: h.clock.now() + HOUR },
      ],
    });
    expect((await h.story()).filter((line) => line.startsWith('silenced'))).toEqual([
      expect.stringMatching(/^silenced: Silence asked for until 04:00 UTC: \{alertname="LLMHighTTFT", .*\}$/),
      'silenced: Silenced in Alertmanager by mia until 04:00 UTC: draining (INC-1)',
    ]);
  });

  test('of several takes what the alerts of one name share, one silence a name', async () => {
    const h = await createReconcileHarness();
    await h.receive(A, B, anAlert({ name: 'LLMHighTTFT', labels: { alertname: 'LLMHighTTFT', zone: '' } }));

    await h.actions.silence(request);

    const [only, ...more] = h.am.silences();
    expect(more).toEqual([]);
    expect(only?.matchers.map(({ name }) => name)).toEqual([
      'alertname',
      'severity',
      'cluster',
      'namespace',
      'model',
    ]);
  });

  test('of several names places one silence for each', async () => {
    const h = await createReconcileHarness();
    const pressure = anAlert({ name: 'LLMKVCachePressure', severity: 'warning' });
    await h.receive(anAlert(), pressure);
    for (const alert of [anAlert(), pressure]) h.am.hold(alert.labels);

    const result = await h.actions.silence(request);

    expect(h.am.silences().map(({ matchers }) => matchers[0]?.value)).toEqual([
      'LLMHighTTFT',
      'LLMKVCachePressure',
    ]);
    expect(result).toMatchObject({ kind: 'changed', incident: { flags: { silenced: true } } });
  });

  test('asks the next peer when the first does not answer', async () => {
    const h = await firing(A);
    h.peers[0]?.failNext({ kind: 'status', status: 503 });

    expect(await h.actions.silence(request)).toMatchObject({ kind: 'changed' });

    expect(h.peers[0]?.silences()).toHaveLength(0);
    expect(h.peers[1]?.silences()).toHaveLength(1);
  });

  test('places no second one where the first may have been taken', async () => {
    const h = await createReconcileHarness({ peers: 2 });
    await h.receive(A);
    const [first, second] = h.peers;
    first?.failNext({ kind: 'close', processed: true });
    // The peers have told each other.
    const until = h.clock.now() + HOUR;
    const id = second?.silence({ ...A.labels }, { by: 'mia', comment: 'draining (INC-1)', untilMs: until });

    const result = await h.actions.silence(request);

    expect(result.kind === 'changed' && result.silences?.map((one) => one.id)).toEqual([id]);
    expect(second?.silences()).toHaveLength(1);
  });

  test('is said to have failed when no peer takes it', async () => {
    const h = await firing(A);
    for (const peer of h.peers) peer.failNext({ kind: 'status', status: 503, body: '"shutting down"' }, 9);

    await expect(h.actions.silence(request)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/did not take the silence: .*HTTP 503: shutting down; .*HTTP 503/),
    });
    expect((await h.view()).incident.silence).toBeNull();
    expect((await h.story()).filter((line) => line.startsWith('silenced'))).toEqual([]);
  });

  test('based on an old revision changes nothing', async () => {
    const h = await firing(A);

    expect(await h.actions.silence({ ...request, expectedRevision: 99 })).toMatchObject({ kind: 'stale' });
    expect(h.am.silences()).toEqual([]);
  });
});

describe('is refused', () => {
  const refused = async (h: Awaited<ReturnType<typeof createReconcileHarness>>) => {
    const result = await h.actions.silence(request);
    expect(h.am.silences()).toEqual([]);
    return result.kind === 'illegal' ? result.message : result.kind;
  };

  test('for what does not exist or is over', async () => {
    const h = await createReconcileHarness();
    expect(await refused(h)).toBe('not_found');
    await h.receive(A);
    await h.receive(resolvedCopy(A, h.clock.now()));
    expect(await refused(h)).toBe('INC-1 is resolved: there is nothing to silence');
  });

  test.each(['Watchdog', 'WakewellDown'])('for %s, which tells that alerts arrive', async (alertname) => {
    const h = await createReconcileHarness();
    await h.receive(anAlert({ labels: { alertname } }));

    expect(await refused(h)).toBe(`${alertname} cannot be silenced: it shows whether alerts arrive at all`);
  });

  test('for an alert of our own', async () => {
    const h = await createReconcileHarness();
    await h.receiveUnreadable('the body is no JSON');

    expect(await refused(h)).toContain('cannot be silenced');
  });

  test('for alerts of another sender', async () => {
    const h = await createReconcileHarness();
    await h.receiveGroup(aGroup([anAlert({ source: 'grafana' })], { source: 'grafana' }));

    expect(await refused(h)).toBe(
      'the alerts of INC-1 come from grafana, not from the configured Alertmanager: silence them there',
    );
  });

  test('for an alert without a name, and for too many names', async () => {
    const h = await createReconcileHarness();
    await h.receive(anAlert({ name: '(no alertname)', labels: { alertname: '' } }));
    expect(await refused(h)).toContain('too broad');

    const many = await createReconcileHarness();
    const names = Array.from({ length: 11 }, (_, index) => `LLMHighTTFT${index}`);
    await many.receive(anAlert());
    await many.db.kysely
      .insertInto('incident_alerts')
      .values(
        names.map((alertname, index) => ({
          incident_id: 1,
          alert_key: `k${index}`,
          fingerprint: null,
          name: alertname,
          status: 'firing' as const,
          severity: 'warning' as const,
          labels: JSON.stringify({ alertname }),
          annotations: '{}',
          starts_at: null,
          ends_at: null,
          generator_url: null,
          expression: null,
          first_seen_at: 1,
          last_seen_at: 1,
        })),
      )
      .execute();
    expect(await refused(many)).toContain('12 different alerts');
  });
});
