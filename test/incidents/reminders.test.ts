/** An incident that nobody took: reminded once, and climbing; stopped by whoever takes it. */

import { describe, expect, test } from 'vitest';
import { HOUR, MINUTE, SECOND } from '../../src/domain/clock.js';
import { addNote } from '../../src/incidents/add-note.js';
import { acknowledge, resolve } from '../../src/incidents/change-state.js';
import { anAlert, resolvedCopy } from '../support/build.js';
import { TEST_NOW_MS } from '../support/test-database.js';
import { createTimerHarness } from '../support/timer-harness.js';

const FIRST = ['page pager', 'card slack'];
const REMINDED = ['page_again pager', 'reminder_reply slack'];

describe('a critical that nobody acknowledged', () => {
  test('is paged a second time after 15 min, and never a third', async () => {
    const h = await createTimerHarness();
    await h.receive(anAlert());

    await h.pass(14 * MINUTE + 50 * SECOND);
    expect(await h.sent()).toEqual(FIRST);

    await h.pass(30 * SECOND);
    expect(await h.sent()).toEqual([...FIRST, ...REMINDED]);
    expect(await h.story()).toContain(
      'reminded: Nobody has taken this for 15m: paged again pager, said again in slack',
    );

    await h.pass(35 * MINUTE);
    expect(await h.sent()).toEqual([...FIRST, ...REMINDED]);
  });

  test.each([
    ['acknowledged', acknowledge, ['page_acknowledge pager', 'card slack']],
    ['resolved', resolve, ['page_resolve pager', 'card slack']],
  ])('is left alone once it was %s', async (_, change, followUp) => {
    const h = await createTimerHarness();
    await h.receive(anAlert());
    await h.pass(14 * MINUTE);

    await change(h.db, { incidentId: 1, actor: 'mia', via: 'Slack', nowMs: h.clock.now() });
    await h.pass(20 * MINUTE);

    expect(await h.sent()).toEqual([...FIRST, ...followUp]);
    expect((await h.timers())[0]).toMatch(/^reminder critical dropped: .* by mia$/);
  });

  test('climbs to the next pager with each reminder, until the ladder ends', async () => {
    const h = await createTimerHarness({
      timers: {
        receivers: [
          { name: 'pager', kind: 'pagerduty' },
          { name: 'backup', kind: 'pagerduty' },
          { name: 'boss', kind: 'pagerduty' },
          { name: 'slack', kind: 'slack' },
        ],
      },
    });
    await h.receive(anAlert());

    await h.pass(16 * MINUTE);
    expect(await h.sent()).toEqual([...FIRST, ...REMINDED, 'page backup']);
    await h.pass(15 * MINUTE);
    expect((await h.sent()).slice(5)).toEqual(['page boss']);
    await h.pass(20 * MINUTE);
    expect(await h.sent()).toHaveLength(6);
    expect((await h.timers()).map((one) => one.replace(/:.*/, ''))).toEqual([
      'reminder critical fired',
      'climb 1 fired',
    ]);
  });

  test('climbs the ladder as it is written, and not once it was acknowledged', async () => {
    const h = await createTimerHarness({
      timers: {
        receivers: [
          { name: 'pager', kind: 'pagerduty', ladder: ['boss', 'slack'] },
          { name: 'backup', kind: 'pagerduty' },
          { name: 'boss', kind: 'pagerduty' },
          { name: 'slack', kind: 'slack' },
        ],
      },
    });
    await h.receive(anAlert());

    await h.pass(16 * MINUTE);
    await acknowledge(h.db, { incidentId: 1, actor: 'mia', nowMs: h.clock.now() });
    await h.pass(20 * MINUTE);

    expect((await h.sent()).filter((one) => /^page /.test(one))).toEqual(['page pager', 'page boss']);
  });

  test('is not rung again within minutes when the pager took the page late', async () => {
    const h = await createTimerHarness();
    await h.receive(anAlert());
    await h.clock.advance(14 * MINUTE);
    await h.deliverDue();

    await h.pass(10 * MINUTE);
    expect(await h.sent()).toEqual(FIRST);
    await h.pass(6 * MINUTE);
    expect(await h.sent()).toEqual([...FIRST, ...REMINDED]);
  });

  test('waits for the first page while no pager has taken it', async () => {
    const h = await createTimerHarness();
    await h.receive(anAlert());
    await h.clock.advance(40 * MINUTE);

    expect(await h.sent()).toEqual([]);
    expect(await h.timers()).toEqual(['reminder critical waiting: no pager has accepted the first page yet']);
  });

  test('that came back within the hold is reminded of all the same', async () => {
    const h = await createTimerHarness();
    const alert = anAlert();
    await h.receive(alert);
    await h.pass(13 * MINUTE);
    await h.receive(resolvedCopy(alert, h.clock.now()));
    await h.pass(3 * MINUTE);
    await h.receive({ ...alert, startsAtMs: h.clock.now() });

    await h.pass(16 * MINUTE);

    expect(await h.sent()).toEqual(expect.arrayContaining(REMINDED));
  });
});

describe('a warning', () => {
  const warning = () => anAlert({ severity: 'warning', name: 'LLMElevatedTTFT' });

  test('is said again below its card after 1 h, once, and pages nobody', async () => {
    const h = await createTimerHarness();
    await h.receive(warning());

    await h.pass(59 * MINUTE);
    expect(await h.sent()).toEqual(['card slack']);
    await h.pass(20 * MINUTE);

    expect(await h.sent()).toEqual(['card slack', 'reminder_reply slack']);
  });

  test('at which somebody looked is not', async () => {
    const h = await createTimerHarness();
    await h.receive(warning());
    await h.pass(20 * MINUTE);
    await addNote(h.db, {
      incidentId: 1,
      actor: 'mia',
      via: 'the API',
      comment: 'on it',
      nowMs: h.clock.now(),
    });

    await h.pass(41 * MINUTE);

    expect(await h.timers()).toEqual(['reminder warning dropped: mia looked at it']);
  });

  test('that turned critical has a reminder of its own, from then on', async () => {
    const h = await createTimerHarness();
    await h.receive(warning());
    await h.pass(50 * MINUTE);
    await h.receive(anAlert({ name: 'LLMElevatedTTFT', startsAtMs: TEST_NOW_MS + HOUR }));

    await h.pass(13 * MINUTE);
    expect(await h.sent()).not.toContain('page_again pager');
    await h.pass(3 * MINUTE);
    expect(await h.sent()).toContain('page_again pager');
    await h.pass(10 * MINUTE);
    expect((await h.sent()).filter((one) => one === 'reminder_reply slack')).toHaveLength(1);
  });
});

test('what is only recorded is reminded of by nobody', async () => {
  const h = await createTimerHarness();
  await h.receive(anAlert({ severity: 'info', name: 'LLMBaseline' }));

  await h.pass(MINUTE);

  expect(await h.timers()).toEqual([]);
});

test('a silenced incident is quiet, and is reminded of when the silence has ended', async () => {
  const h = await createTimerHarness();
  await h.receive(anAlert());
  await h.pass(MINUTE);
  const silence = (silenced: 0 | 1) => h.db.kysely.updateTable('incidents').set({ silenced }).execute();
  await silence(1);
  await h.pass(20 * MINUTE);
  expect(await h.timers()).toEqual(['reminder critical dropped: silenced']);

  await silence(0);
  await h.pass(16 * MINUTE);

  expect(await h.sent()).toEqual([...FIRST, ...REMINDED]);
});
