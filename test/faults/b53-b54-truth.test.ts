/** Fault rows B53 (a silence expires during an outage) and B54 (an old database comes back), as far as Alertmanager tells the truth. */

import { describe, expect, test } from 'vitest';
import { HOUR, MINUTE } from '../../src/domain/clock.js';
import { anAlert } from '../support/build.js';
import { createReconcileHarness } from '../support/reconcile-harness.js';
import { TEST_NOW_MS } from '../support/test-database.js';

const ALERT = anAlert();
const GONE = anAlert({ labels: { model: 'mixtral' } });
const NEW = anAlert({ labels: { model: 'qwen' } });

async function pagedOf(...alerts: (typeof ALERT)[]) {
  const h = await createReconcileHarness();
  await h.receive(...alerts);
  await h.clock.advance(6000);
  await h.deliverDue();
  for (const alert of alerts) h.am.hold(alert.labels, { startsAtMs: alert.startsAtMs ?? 0 });
  return h;
}
const pages = async (h: Awaited<ReturnType<typeof pagedOf>>) =>
  (await h.outbox()).filter((line) => line.startsWith('page pager')).length;

describe('B53: a silence expires', () => {
  test.each(['while we are down', 'while Alertmanager cannot be asked'])(
    '%s: pages on recovery',
    async (when) => {
      const h = await pagedOf(ALERT);
      h.am.silence({ alertname: 'LLMHighTTFT' }, { untilMs: TEST_NOW_MS + 20 * MINUTE });
      await h.run();
      if (when.includes('asked')) h.am.failNext({ kind: 'close' }, 1e9);
      else h.restart();
      for (let minute = 0; minute < 30; minute += 1) {
        await h.clock.advance(MINUTE);
        if (when.includes('asked')) await h.run();
      }
      expect(await pages(h)).toBe(1);

      h.am.heal();
      await h.minute([ALERT]);
      await h.minute([ALERT]);

      expect(await pages(h)).toBe(2);
      expect((await h.episodes()).map(({ because }) => because)).toEqual([null, 'silence by mia ended']);
    },
  );

  test('and what it covered is over too: nobody is woken', async () => {
    const h = await pagedOf(ALERT);
    h.am.silence({ alertname: 'LLMHighTTFT' }, { untilMs: TEST_NOW_MS + 20 * MINUTE });
    await h.run();
    h.restart();
    h.am.drop(ALERT.labels);
    await h.clock.advance(30 * MINUTE);

    await h.minute();
    await h.minute();

    expect(await pages(h)).toBe(1);
    expect((await h.view()).incident.state).toBe('resolved');
  });
});

describe('B54: a database of an hour ago', () => {
  test('re-pages nobody, closes what is over and misses nothing that began since', async () => {
    const h = await pagedOf(ALERT, GONE);
    const before = await pages(h);
    h.restart();
    await h.clock.advance(HOUR);
    h.am.drop(GONE.labels);
    h.am.hold(NEW.labels, { startsAtMs: h.clock.now() - 30 * MINUTE });

    for (let minute = 0; minute < 3; minute += 1) {
      h.am.hold(ALERT.labels, { startsAtMs: ALERT.startsAtMs ?? 0 });
      h.am.hold(NEW.labels, { startsAtMs: h.clock.now() - 30 * MINUTE });
      await h.minute();
    }

    const views = [await h.view(1), await h.view(2), await h.view(3)];
    expect(views.map(({ incident }) => [incident.scope.model, incident.state])).toEqual([
      ['llama-70b', 'open'],
      ['mixtral', 'resolved'],
      ['qwen', 'open'],
    ]);
    expect(await pages(h)).toBe(before + 1);
    expect((await h.episodes()).filter(({ number }) => number > 1)).toEqual([]);
  });
});
