/** A Watchdog opens nothing while it comes, and an incident when it stops coming. */

import { describe, expect, test } from 'vitest';
import { HOUR, MINUTE, SECOND } from '../../src/domain/clock.js';
import { anAlert, resolvedCopy } from '../support/build.js';
import { createTimerHarness, type TimerHarness } from '../support/timer-harness.js';

const watchdog = (labels: Record<string, string> = {}) =>
  anAlert({ severity: 'warning', labels: { alertname: 'Watchdog', severity: 'none', ...labels } });

async function beats(h: TimerHarness, count: number, everyMs: number, alert = watchdog()): Promise<void> {
  for (let beat = 0; beat < count; beat += 1) {
    await h.receive(alert);
    await h.pass(everyMs);
  }
}

/** `alert name, state` of every incident. */
const incidents = async (h: TimerHarness) =>
  (await h.db.kysely.selectFrom('incidents').select(['alert_name', 'state']).orderBy('id').execute()).map(
    (row) => `${row.alert_name} ${row.state}`,
  );

describe('with an interval of 1 min in the configuration', () => {
  const start = () => createTimerHarness({ watchdogIntervalMs: MINUTE });

  test('its absence pages after two and a half, and its return resolves', async () => {
    const h = await start();
    await beats(h, 3, MINUTE);
    expect(await incidents(h)).toEqual([]);

    await h.pass(80 * SECOND);
    expect(await incidents(h)).toEqual([]);
    await h.pass(20 * SECOND);
    expect(await incidents(h)).toEqual(['WakewellUpstreamSilent open']);
    expect(await h.sent()).toEqual(['page pager', 'card slack']);
    expect((await h.view()).alerts[0]?.annotations.summary).toBe(
      'Nothing was heard of Watchdog of alertmanager for 2m: alerts may no longer arrive',
    );
    expect((await h.view()).incident.scope).toEqual({
      cluster: 'prod-us',
      namespace: 'serving',
      model: 'llama-70b',
    });

    await beats(h, 1, 10 * SECOND);
    expect(await incidents(h)).toEqual(['WakewellUpstreamSilent resolved']);
  });

  test('before the first one nothing is said to be silent', async () => {
    const h = await start();
    await h.receive(anAlert());
    await h.pass(10 * MINUTE);
    expect(await incidents(h)).toEqual(['LLMHighTTFT open']);
  });

  test('one that is missed once pages nobody', async () => {
    const h = await start();
    for (let round = 0; round < 3; round += 1) await beats(h, 1, 2 * MINUTE);
    expect(await incidents(h)).toEqual([]);
  });

  test('a resolved one is no beat', async () => {
    const h = await start();
    await beats(h, 2, MINUTE);
    for (let round = 0; round < 4; round += 1) {
      await h.receive(resolvedCopy(watchdog(), h.clock.now()));
      await h.pass(MINUTE);
    }
    expect(await incidents(h)).toEqual(['WakewellUpstreamSilent open']);
  });

  test('other alerts of the same call are taken in', async () => {
    const h = await start();
    const outcome = await h.receive(watchdog(), anAlert());
    expect(outcome).toMatchObject({ opened: 1, incidentIds: [1] });
  });

  test('of two clusters the one that is silent is named', async () => {
    const h = await start();
    const other = watchdog({ cluster: 'prod-eu' });
    await beats(h, 2, 5 * SECOND, other);
    await beats(h, 4, MINUTE);

    expect(await incidents(h)).toEqual(['WakewellUpstreamSilent open']);
    expect((await h.view()).incident.scope.cluster).toBe('prod-eu');
  });

  test('after our own downtime it has its whole time again, and an absence that is known is not raised twice', async () => {
    const h = await start();
    await beats(h, 2, 10 * SECOND);
    await h.stop();
    await h.clock.advance(HOUR);
    await h.restart();
    await h.pass(2 * MINUTE);
    expect(await incidents(h)).toEqual([]);
    await h.pass(MINUTE);
    expect(await incidents(h)).toEqual(['WakewellUpstreamSilent open']);

    await h.restart();
    await h.pass(5 * MINUTE);
    expect(await h.sent()).toEqual(['page pager', 'card slack']);
  });

  test.each([
    ['an hour forward', HOUR],
    ['an hour back', -HOUR],
  ])('a clock that is stepped %s makes nobody silent, nor hides who is', async (_, steppedMs) => {
    const h = await start();
    await beats(h, 2, MINUTE);
    h.clock.setWall(h.clock.now() + steppedMs);
    await h.pass(80 * SECOND);
    expect(await incidents(h)).toEqual([]);
    await h.pass(20 * SECOND);
    expect(await incidents(h)).toEqual(['WakewellUpstreamSilent open']);
  });
});

describe('without an interval in the configuration', () => {
  test('it is learned from the beats, so that one that comes rarely is not missed early', async () => {
    const h = await createTimerHarness();
    await beats(h, 4, 4 * MINUTE);
    await h.pass(5 * MINUTE);
    expect(await incidents(h)).toEqual([]);
    await h.pass(80 * SECOND);
    expect(await incidents(h)).toEqual(['WakewellUpstreamSilent open']);
  });

  test('two peers that deliver each beat do not halve it', async () => {
    const h = await createTimerHarness();
    for (let round = 0; round < 4; round += 1) {
      await beats(h, 1, SECOND);
      await beats(h, 1, 4 * MINUTE - SECOND);
    }
    await h.pass(5 * MINUTE);
    expect(await incidents(h)).toEqual([]);
  });

  test('after one or two beats nothing is concluded', async () => {
    const h = await createTimerHarness();
    await beats(h, 2, MINUTE);
    await h.pass(20 * MINUTE);
    expect(await incidents(h)).toEqual([]);
  });
});
