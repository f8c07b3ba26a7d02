import { expect, test } from 'vitest';
import { HOUR, MINUTE } from '../../src/domain/clock.js';
import { createReadExplanation } from '../../src/incidents/read-explanation.js';
import { maintenanceOf } from '../../src/routing/maintenance.js';
import { aView } from '../support/a-view.js';
import { NOW, outboxHarness } from './outbox-harness.js';

const window = { startMs: NOW, endMs: NOW + 3 * MINUTE, comment: 'driver upgrade' };
const inWindow = (_view: unknown, nowMs: number) => (nowMs < window.endMs ? window : null);
const states = async (h: Awaited<ReturnType<typeof outboxHarness>>) =>
  (await h.rows()).map(({ purpose, state }) => `${purpose} ${state}`);

async function critical() {
  const h = await outboxHarness({ maintenanceOf: inWindow });
  const id = await h.incident();
  await h.enqueue(id, 'pager', 'page');
  await h.enqueue(id, 'team', 'card');
  await h.dispatcher.start();
  await h.clock.advance(MINUTE);
  return { h, id };
}

test('in a window nobody is paged and nothing is posted; what still stands at its end is', async () => {
  const { h, id } = await critical();

  expect(await states(h)).toEqual(['page queued', 'card queued']);
  expect(await h.story(id)).toEqual([
    'maintenance: Recorded only: maintenance window "driver upgrade" until 03:03 UTC',
  ]);
  const explanation = await createReadExplanation({
    db: h.db,
    receivers: { troubleOf: () => null },
    now: h.clock.now,
  })(id);
  expect(explanation?.reasons.map(({ code }) => code)).toContain('maintenance');
  expect(explanation?.summary).toContain('maintenance window "driver upgrade"');

  await h.clock.advance(3 * MINUTE);

  expect(await states(h)).toEqual(['page sent', 'card sent']);
  expect(h.puppet('pager').got).toHaveLength(1);
});

test('what is over by its end was recorded and is told nobody', async () => {
  const { h, id } = await critical();
  await h.setState(id, 'resolved');

  await h.clock.advance(3 * MINUTE);

  expect(await states(h)).toEqual(['page dropped', 'card dropped']);
  expect(h.puppet('pager').got).toEqual([]);
  expect(h.puppet('team').got).toEqual([]);
  expect((await h.rows())[1]?.last_reason).toContain('over within its maintenance window');
});

test('a window covers an incident only when it covers each of its firing alerts', () => {
  const once = { fromMs: NOW, untilMs: NOW + HOUR };
  const windowOf = (value: string) => [
    { comment: 'c', matchers: [{ name: 'model', operator: '=' as const, value }], when: once },
  ];

  expect(maintenanceOf(windowOf('llama-70b'), aView(), NOW)).toMatchObject({
    comment: 'c',
    endMs: NOW + HOUR,
  });
  expect(maintenanceOf(windowOf('mixtral'), aView(), NOW)).toBeNull();
  expect(maintenanceOf(windowOf('llama-70b'), aView(), NOW + HOUR)).toBeNull();
});
