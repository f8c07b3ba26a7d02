import { describe, expect, test } from 'vitest';
import { between, createRandom } from '../../bench/torture/random.js';
import { MINUTE, SECOND } from '../../src/domain/clock.js';
import type { DeliveryResult } from '../../src/domain/notification.js';
import { aPuppet, FAILS, outboxHarness, type Puppet } from './outbox-harness.js';

const LIMITED: DeliveryResult = { kind: 'retry', reason: 'rate_limited', detail: 'HTTP 429', afterMs: 9_000 };

type Call = { readonly receiver: string; readonly key: string; readonly what: string };

/** Every call to a pager as it begins; `underway` are those that have not ended. */
function watch(puppets: readonly Puppet[]) {
  const begun: Call[] = [];
  const underway = new Set<Call>();
  const overlaps: string[] = [];
  for (const puppet of puppets) {
    const { deliver } = puppet;
    Object.assign(puppet, {
      async deliver(...args: Parameters<typeof deliver>) {
        const { notification, view } = args[0];
        const call = { receiver: puppet.name, key: view.episode.dedupKey, what: notification.purpose };
        for (const other of underway) {
          if (other.key === call.key)
            overlaps.push(`${call.what} at ${call.receiver} during ${other.what} at ${other.receiver}`);
        }
        begun.push(call);
        underway.add(call);
        // A receiver ends its call when it is told to; a puppet that hangs only looks as if it went on.
        args[1].addEventListener('abort', () => underway.delete(call));
        try {
          return await deliver(...args);
        } finally {
          underway.delete(call);
        }
      },
    });
  }
  return { begun, overlaps };
}

const pagers = () => [aPuppet('pager', 'pagerduty'), aPuppet('pager-b', 'pagerduty')];

describe('a trigger and a resolve of one episode', () => {
  test('a resolve waits for a page under way at another pager', async () => {
    const puppets = pagers();
    const h = await outboxHarness({ receivers: puppets });
    const { begun, overlaps } = watch(puppets);
    const id = await h.incident();
    await h.enqueue(id, 'pager', 'page');
    await h.dispatcher.start();
    await h.dispatcher.drain();
    h.puppet('pager-b').answer('hang');
    await h.enqueue(id, 'pager-b', 'page');
    await h.clock.advance(10);
    await h.setState(id, 'resolved');
    await h.enqueue(id, 'pager', 'page_resolve');
    await h.enqueue(id, 'pager-b', 'page_resolve');
    await h.clock.advance(5 * SECOND);
    expect(begun.map((one) => one.what)).toEqual(['page', 'page']);

    h.puppet('pager-b').release();
    await h.clock.advance(2 * SECOND);

    expect(
      begun
        .slice(2)
        .map((one) => `${one.what} ${one.receiver}`)
        .sort(),
    ).toEqual(['page_resolve pager', 'page_resolve pager-b']);
    expect(overlaps.filter((one) => one.includes('page at'))).toEqual([]);
  });

  test('a page waits for a resolve under way, and is then not sent', async () => {
    const puppets = pagers();
    const h = await outboxHarness({ receivers: puppets });
    const { begun } = watch(puppets);
    const id = await h.incident();
    await h.enqueue(id, 'pager', 'page');
    await h.dispatcher.start();
    await h.dispatcher.drain();
    await h.setState(id, 'resolved');
    h.puppet('pager').answer('hang');
    await h.enqueue(id, 'pager', 'page_resolve');
    await h.clock.advance(10);
    await h.enqueue(id, 'pager-b', 'page');
    await h.clock.advance(5 * SECOND);
    h.puppet('pager').release();
    await h.clock.advance(5 * SECOND);
    expect(begun.map((one) => one.what)).toEqual(['page', 'page_resolve']);
    expect((await h.rows()).find((row) => row.receiver === 'pager-b')).toMatchObject({ state: 'dropped' });
  });
});

const SEEDS = Number(process.env.ORDER_SEEDS ?? 12);

test(
  `over ${SEEDS} random lives of incidents no trigger follows a resolve, no order is broken, one key an episode`,
  async () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const random = createRandom(seed);
      const puppets = [...pagers(), aPuppet('team', 'slack')];
      const h = await outboxHarness({ receivers: puppets, random });
      const { begun, overlaps } = watch(puppets);
      const failing: (DeliveryResult | 'hang')[] = [FAILS, 'hang', LIMITED];
      let dispatcher = h.dispatcher;
      await dispatcher.start();
      const ids: number[] = [];
      let episode = 1_000;
      for (let step = 0; step < 14; step++) {
        const dice = random();
        const id = ids[Math.floor(random() * ids.length)];
        for (const puppet of puppets) {
          const answer = failing[Math.floor(random() * 6)];
          if (answer !== undefined) puppet.answer(answer);
        }
        if (id === undefined || dice < 0.25) {
          const next = await h.incident();
          ids.push(next);
          await h.enqueue(next, 'pager', 'page', { dueAtMs: h.clock.now() + 5 * SECOND });
          await h.enqueue(next, 'team', 'card');
        } else {
          const present = await h.db.kysely
            .selectFrom('incidents')
            .select(['episode_id', 'state'])
            .where('id', '=', id)
            .executeTakeFirstOrThrow();
          const episodeId = present.episode_id;
          if (dice < 0.4 && present.state === 'open') {
            await h.setState(id, 'acknowledged');
            await h.enqueue(id, 'pager', 'page_acknowledge', { episodeId });
          } else if (dice < 0.7 && present.state !== 'resolved') {
            await h.setState(id, 'resolved');
            for (const one of await h.rows()) {
              if (one.episode_id !== episodeId || one.purpose !== 'page' || one.state === 'dead') continue;
              const held = random() < 0.5 ? 0 : 20 * SECOND;
              await h.enqueue(id, one.receiver, 'page_resolve', { episodeId, dueAtMs: h.clock.now() + held });
            }
          } else if (dice < 0.9 && present.state === 'resolved') {
            episode += 1;
            await h.newEpisode(id, episode);
            await h.enqueue(id, 'pager', 'page', { episodeId: episode });
          } else {
            for (const puppet of puppets) puppet.release();
            await h.clock.advance(50);
            await dispatcher.stop();
            dispatcher = h.createOne();
            await dispatcher.start();
          }
        }
        await h.clock.advance(between(random, 0, 25 * SECOND));
      }
      for (let i = 0; i < 8; i++) {
        for (const puppet of puppets) puppet.release();
        await h.clock.advance(MINUTE / 2);
      }

      const what = `seed ${seed}`;
      const resolved = new Set<string>();
      const pagerKeys = new Map<string, Set<number>>();
      for (const { key, what: purpose } of begun) {
        if (purpose === 'page')
          expect(resolved.has(key), `${what}: trigger of ${key} after its resolve`).toBe(false);
        if (purpose === 'page_resolve') resolved.add(key);
      }
      for (const puppet of puppets) {
        for (const { notification, view } of puppet.got) {
          const episodes = pagerKeys.get(view.episode.dedupKey) ?? new Set();
          pagerKeys.set(view.episode.dedupKey, episodes.add(notification.episodeId));
        }
      }
      for (const [key, episodes] of pagerKeys)
        expect([key, [...episodes].length, what]).toEqual([key, 1, what]);
      expect(
        overlaps.filter((one) => /page at .* during page_resolve|page_resolve at .* during page /.test(one)),
        what,
      ).toEqual([]);
      // Nothing waits for ever once all providers answer.
      const left = (await h.rows()).filter((row) => row.state === 'queued' || row.state === 'sending');
      expect(
        left.map((row) => `${row.purpose} ${row.receiver}`),
        what,
      ).toEqual([]);
    }
  },
  60_000 + SEEDS * 2_000,
);
