import { expect, test } from 'vitest';
import { HOUR } from '../../src/domain/clock.js';
import { NOW, outboxHarness } from './outbox-harness.js';

test('a silenced incident reaches no phone, while its card goes on to show it', async () => {
  const h = await outboxHarness();
  const id = await h.incident();
  await h.db.kysely
    .updateTable('incidents')
    .set({ silenced: 1, silenced_by: 'mia', silenced_until: NOW + HOUR })
    .execute();
  await h.enqueue(id, 'pager', 'page');
  await h.enqueue(id, 'team', 'card');
  await h.enqueue(id, 'team', 'verdict_reply');
  await h.dispatcher.start();

  await h.dispatcher.drain();

  expect((await h.rows()).map(({ purpose, state, last_reason }) => [purpose, state, last_reason])).toEqual([
    ['page', 'dropped', 'silenced by mia until 04:00 UTC'],
    ['card', 'sent', null],
    ['verdict_reply', 'dropped', 'silenced by mia until 04:00 UTC'],
  ]);
  expect(h.puppet('pager').got).toEqual([]);
  expect(await h.story(id)).toContain(
    'send_dropped: Page to pager not sent: silenced by mia until 04:00 UTC',
  );
});
