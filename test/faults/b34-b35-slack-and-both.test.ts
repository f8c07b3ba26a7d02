/** Rows B34 and B35 of the fault matrix: Slack fails in its ways, and nobody can be reached at all. */

import { expect, test } from 'vitest';
import { MINUTE, SECOND } from '../../src/domain/clock.js';
import type { Failure } from '../support/http-fake.js';
import { startWorld } from './world.js';

const word = (error: string): Failure => ({
  kind: 'status',
  status: 200,
  body: JSON.stringify({ ok: false, error }),
});

test.each<[string, Failure]>([
  ['hangs', { kind: 'hang' }],
  ['answers 500', { kind: 'status', status: 500 }],
  ['answers HTML', { kind: 'status', status: 200, body: '<html>proxy</html>' }],
  ['limits', { kind: 'status', status: 429, headers: { 'retry-after': '30' } }],
  ['revoked the token', word('token_revoked')],
  ['archived the channel', word('is_archived')],
  ['has a fault', word('internal_error')],
])('B34: while Slack %s, pages leave at once and once', async (_name, failure) => {
  const w = await startWorld();
  w.fail('slack', failure);
  for (let i = 1; i <= 3; i++) await w.fire(`model-${i}`);
  await w.pass(10 * SECOND);

  const toPagers = w.calls().filter((call) => call.to !== 'slack');
  expect(toPagers.map((call) => [call.to, call.what, call.answer])).toEqual(
    Array(3).fill(['pager', 'trigger', 202]),
  );
  expect(toPagers.every((call) => call.atMs <= SECOND)).toBe(true);
  // One asks for all: a dead Slack is not hammered, and none of it is heard as accepted.
  const toSlack = w.calls().filter((call) => call.to === 'slack');
  expect(toSlack.length).toBeLessThanOrEqual(10);
  expect(w.slack.messages()).toHaveLength(0);
});

test('B35: pager and Slack down for 20 minutes: kept, said, and then told in order of urgency, once each', {
  timeout: 180_000,
}, async () => {
  const w = await startWorld({ pagers: ['pager'] });
  w.fail('pager', { kind: 'status', status: 503 });
  w.fail('slack', { kind: 'status', status: 503 });
  await w.fire('model-1', 'warning');
  await w.fire('model-2');
  await w.fire('model-3');
  await w.pass(2 * MINUTE);
  const readyz = (await w.get('/readyz')).text;
  expect(readyz).toContain('{"name":"receiver pager","ok":false}');
  expect(readyz).toContain('{"name":"receiver slack","ok":false}');
  expect((await w.get('/outbox')).text).toContain('accepts nothing since');
  await w.pass(18 * MINUTE);
  expect(w.pagers.pager.events()).toHaveLength(0);

  w.heal('pager');
  w.heal('slack');
  await w.pass(MINUTE);

  // The service's own alarm about what could not be delivered is told beside them.
  const ours = w.pagers.pager.incidents().filter((one) => one.summary.includes('model-'));
  expect(ours.map((one) => one.triggers)).toEqual([1, 1]);
  expect(w.pagers.pager.events().every((one) => one.atMs <= w.clock.now() - MINUTE + 6 * SECOND)).toBe(true);
  // The pages that climbed to the channel, then cards: criticals before the warning.
  const posts = w.slack
    .messages()
    .map((one) => one.text)
    .filter((text) => text.includes('model-'));
  expect(posts.filter((text) => text.startsWith('<@U0MIA> CRIT'))).toHaveLength(2);
  expect(posts).toHaveLength(5);
  expect(posts.at(-1)).toMatch(/^WARN/);
  expect((await w.get('/readyz')).text).not.toContain('receiver');
});
