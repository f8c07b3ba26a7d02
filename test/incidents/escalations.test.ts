/** A playbook's escalation, carried out: at its time, to whom the configuration names, and only if it is still wanted. */

import { describe, expect, test } from 'vitest';
import { MINUTE } from '../../src/domain/clock.js';
import { acknowledge, resolve } from '../../src/incidents/change-state.js';
import type { Escalation } from '../../src/playbook/schema.js';
import { anAlert } from '../support/build.js';
import { anEntry, createTimerHarness } from '../support/timer-harness.js';

const RECEIVERS = [
  { name: 'pager', kind: 'pagerduty' },
  { name: 'infra-pager', kind: 'pagerduty' },
  { name: 'slack', kind: 'slack' },
  { name: 'infra-slack', kind: 'slack' },
] as const;

const CHECK = {
  anyOf: [{ step: 'free_blocks', text: 'fail', is: { kind: 'status', status: 'fail', on: null } }],
} as const;

function anEscalation(over: Partial<Escalation> = {}): Escalation {
  return { afterMs: 10 * MINUTE, unless: 'resolved', to: 'infrastructure', onlyIf: null, why: null, ...over };
}

type Setup = Parameters<typeof createTimerHarness>[0] & object;

/** One critical incident, diagnosed at once by an entry with this escalation. */
async function start(
  escalation: Escalation,
  over: NonNullable<Setup['escalations']> = {},
  alert = anAlert(),
) {
  const h = await createTimerHarness({
    timers: { receivers: RECEIVERS },
    escalations: {
      targets: { infrastructure: ['infra-pager', 'infra-slack'] },
      entryFor: () => anEntry([escalation]),
      ...over,
    },
  });
  await h.receive(alert);
  await h.pass(MINUTE);
  await h.planEscalations();
  return h;
}

describe('at its time', () => {
  test('pages and writes to whom the configuration names, once, and says so where the incident is', async () => {
    const h = await start(anEscalation({ why: 'blocks never free' }));
    await h.pass(8 * MINUTE);
    expect(await h.sent()).toEqual(['page pager', 'card slack']);

    await h.pass(2 * MINUTE);
    await h.planEscalations();
    await h.pass(2 * MINUTE);

    expect((await h.sent()).slice(2)).toEqual([
      'card infra-slack',
      'page infra-pager',
      'reminder_reply infra-slack',
      'reminder_reply slack',
    ]);
    expect(await h.story()).toContain(
      'escalated: Escalated to infrastructure (infra-pager, infra-slack): not resolved for 10m, blocks never free',
    );
  });

  test('a name that nobody is behind is only said', async () => {
    const h = await start(anEscalation({ to: 'somebody else' }));
    await h.pass(10 * MINUTE);

    expect((await h.sent()).slice(2)).toEqual(['reminder_reply slack']);
    expect((await h.story()).at(-1)).toBe(
      'escalated: Escalate this to somebody else: not resolved for 10m. Nobody was told: no receiver is behind that name',
    );
  });

  test('a receiver can be named as it is', async () => {
    const h = await start(anEscalation({ to: 'infra-slack' }));
    await h.pass(10 * MINUTE);
    expect((await h.sent()).slice(2, 4)).toEqual(['card infra-slack', 'reminder_reply infra-slack']);
  });

  test('a warning pages nobody', async () => {
    const warning = anAlert({ severity: 'warning', name: 'LLMElevatedTTFT' });
    const h = await start(anEscalation(), { targets: { infrastructure: ['infra-pager'] } }, warning);
    await h.pass(10 * MINUTE);

    expect(await h.sent()).toEqual(['card slack', 'reminder_reply slack']);
    expect((await h.story()).at(-1)).toMatch(/Nobody was paged: only critical pages, this is warning$/);
  });

  test('a pager that was paged already rings a second time, never a third', async () => {
    const h = await start(anEscalation({ to: 'pager' }));
    await h.pass(17 * MINUTE);
    expect((await h.sent()).filter((one) => one.endsWith(' pager'))).toEqual([
      'page pager',
      'page_again pager',
    ]);
  });
});

describe('is dropped', () => {
  test.each([
    ['acknowledged', acknowledge, true],
    ['resolved', acknowledge, false],
    ['acknowledged', resolve, true],
    ['resolved', resolve, true],
  ] as const)('unless %s: after %o', async (unless, change, stops) => {
    const h = await start(anEscalation({ unless }));
    await change(h.db, { incidentId: 1, actor: 'mia', nowMs: h.clock.now() });
    await h.pass(10 * MINUTE);

    expect((await h.sent()).includes('page infra-pager')).toBe(!stops);
    if (stops)
      expect((await h.timers()).find((one) => one.startsWith('escalation'))).toMatch(/dropped: .*by mia$/);
  });

  test('when another entry serves the incident by then', async () => {
    let id = 'high-ttft';
    const h = await start(anEscalation(), { entryFor: () => anEntry([anEscalation()], id) });
    id = 'kv-cache-pressure';
    await h.pass(10 * MINUTE);

    expect(await h.timers()).toContainEqual(
      'escalation high-ttft#0 dropped: the playbook entry that serves it now, kv-cache-pressure, does not ask for it',
    );
  });
});

describe('with a condition', () => {
  const says = 'Free KV blocks: 0 blocks on 3 of 8 workers, limit 1';

  test.each([
    ['holds', true, `Checked again: ${says}`],
    ['unseen', true, `The check could not be seen again: ${says}`],
    ['not', false, null],
  ] as const)('that %s', async (state, escalates, told) => {
    const asked: string[] = [];
    const h = await start(anEscalation({ onlyIf: CHECK }), {
      recheck: async (_, entry, check) => {
        asked.push(`${entry.id} ${check.anyOf[0]?.step}`);
        return { state, says };
      },
    });
    await h.pass(10 * MINUTE);

    expect(asked).toEqual(['entry free_blocks']);
    expect((await h.sent()).includes('page infra-pager')).toBe(escalates);
    if (told !== null) expect((await h.story()).find((one) => one.startsWith('escalated'))).toContain(told);
    else
      expect(await h.timers()).toContainEqual(
        `escalation entry#0 dropped: checked again, it does not hold: ${says}`,
      );
  });

  test('is not asked about for what is over', async () => {
    const h = await start(anEscalation({ onlyIf: CHECK }));
    await resolve(h.db, { incidentId: 1, actor: 'mia', nowMs: h.clock.now() });
    await h.pass(10 * MINUTE);
    expect(await h.timers()).toContainEqual('escalation entry#0 dropped: resolved by mia');
  });
});

test('one that fails is tried again, and told once it can', async () => {
  let calls = 0;
  const h = await start(anEscalation({ onlyIf: CHECK }), {
    recheck: async () => {
      calls += 1;
      if (calls < 3) throw new Error('no');
      return { state: 'holds', says: 'so' };
    },
  });
  await h.pass(10 * MINUTE);

  expect(calls).toBe(3);
  expect((await h.sent()).filter((one) => one === 'page infra-pager')).toHaveLength(1);
});
