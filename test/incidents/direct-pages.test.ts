import { expect, test } from 'vitest';
import type { AlertGroup } from '../../src/domain/alert.js';
import { MINUTE, SECOND } from '../../src/domain/clock.js';
import { directPages, pagesOfPayload } from '../../src/incidents/direct-pages.js';
import { aGroup, anAlert, resolvedCopy } from '../support/build.js';
import { createIntakeHarness, silentLogger } from '../support/intake-harness.js';
import { TEST_NOW_MS } from '../support/test-database.js';

const explains = (cause: string, other: string) => cause === 'LLMKVCachePressure' && other === 'LLMHighTTFT';
const options = { explains, reopenWindowMs: 30 * MINUTE, resolveHoldMs: 5 * MINUTE };

function setup() {
  const h = createIntakeHarness({ explains });
  const pages = async (group: AlertGroup) =>
    directPages({ ...options, db: h.db, clock: h.clock, logger: silentLogger }, group);
  /** What is paged while nothing can be committed, then what the redelivery stores as keys of pages to come. */
  async function keys(group: AlertGroup) {
    const before = (await pages(group)).map((one) => one.facts.dedupKey).sort();
    const known = new Set(await queuedPageKeys());
    // The redelivery comes a little later.
    await h.clock.advance(700);
    await h.receiveGroup(group);
    return { before, after: (await queuedPageKeys()).filter((key) => !known.has(key)).sort() };
  }
  async function queuedPageKeys(): Promise<string[]> {
    const rows = await h.db.kysely
      .selectFrom('notifications as n')
      .innerJoin('episodes as e', 'e.id', 'n.episode_id')
      .select('e.dedup_key')
      .where('n.purpose', '=', 'page')
      .execute();
    return rows.map((row) => row.dedup_key);
  }
  return { h, pages, keys };
}

/** The same group as far as nothing is stored, and nothing can be read either. */
const blindly = (group: AlertGroup) =>
  pagesOfPayload(group, { ...options, nowMs: TEST_NOW_MS + 7 }).map((one) => one.facts.dedupKey);

test('a mixed group: one page a critical problem, under the keys of the redelivery, with and without reading', async () => {
  const { keys } = setup();
  const group = aGroup([
    anAlert({ startsAtMs: TEST_NOW_MS - 5000 }),
    anAlert({ name: 'LLMKVCachePressure', startsAtMs: TEST_NOW_MS - 9000 }),
    anAlert({ labels: { model: 'qwen-32b' }, startsAtMs: TEST_NOW_MS - 3000 }),
    anAlert({ name: 'LLMQueueBuildup', labels: { model: 'mixtral' }, severity: 'warning' }),
    resolvedCopy(anAlert({ labels: { model: 'gone' } }), TEST_NOW_MS),
  ]);

  const { before, after } = await keys(group);

  expect(before).toHaveLength(2);
  expect(before).toEqual(after);
  expect(blindly(group).sort()).toEqual(after);
});

test('HA copies of a group have one key, though the peer differs', async () => {
  const group = aGroup([anAlert()]);
  expect(blindly(group)).toEqual(blindly({ ...group, externalUrl: 'http://am-2:9093', groupKey: 'other' }));
});

test('an alert that has no start has a key all the same, and its redelivery the same', async () => {
  const { keys } = setup();
  const group = aGroup([anAlert({ startsAtMs: null })]);
  const { before, after } = await keys(group);
  expect(before).toEqual(after);
  expect(blindly(group)).toEqual(after);
});

test('a repeat of what is open pages nobody', async () => {
  const { h, pages } = setup();
  const group = aGroup([anAlert()]);
  await h.receiveGroup(group);
  expect(await pages(group)).toEqual([]);
});

test('an alert that joins an open critical pages nobody, as its redelivery does', async () => {
  const { h, keys } = setup();
  await h.receive(anAlert({ name: 'LLMKVCachePressure' }));
  const { before, after } = await keys(aGroup([anAlert()]));
  expect(before).toEqual(after);
});

test('a critical that raises an open warning is paged under the key of the running episode', async () => {
  const { h, keys } = setup();
  await h.receive(anAlert({ name: 'LLMKVCachePressure', severity: 'warning' }));
  const { before, after } = await keys(aGroup([anAlert()]));
  expect(before).toHaveLength(1);
  expect(before).toEqual(after);
});

test('an incident that is reopened is paged under the key of its new episode', async () => {
  const { h, keys } = setup();
  const alert = anAlert();
  await h.receive(alert);
  await h.deliverDue();
  await h.receive(resolvedCopy(alert, TEST_NOW_MS + SECOND));
  await h.clock.advance(6 * MINUTE);
  await h.deliverDue();
  await h.clock.advance(4 * MINUTE);

  const { before, after } = await keys(aGroup([anAlert({ startsAtMs: h.clock.now() })]));

  expect(before).toHaveLength(1);
  expect(before).toEqual(after);
});

test('where the plain key is taken by an episode that is over, both ways arrive at the same next one', async () => {
  const { h, keys } = setup();
  const alert = anAlert();
  await h.receive(alert);
  await h.deliverDue();
  await h.receive(resolvedCopy(alert, TEST_NOW_MS + SECOND));
  await h.clock.advance(60 * MINUTE);
  await h.deliverDue();

  // A sender that was cut off: the same start as before.
  const { before, after } = await keys(aGroup([alert]));

  expect(before).toHaveLength(1);
  expect(before).toEqual(after);
  expect(before).not.toEqual(blindly(aGroup([alert])));
});

test('a database that cannot be read leaves the payload', async () => {
  const { h, pages } = setup();
  const group = aGroup([anAlert()]);
  await h.db.kysely.schema.dropTable('incident_names').execute();
  expect((await pages(group)).map((one) => one.facts.dedupKey)).toEqual(blindly(group));
});

test('warnings and resolved alerts page nobody', async () => {
  const { pages } = setup();
  const group = aGroup([
    anAlert({ severity: 'warning' }),
    resolvedCopy(anAlert({ labels: { model: 'other' } }), TEST_NOW_MS),
  ]);
  expect(await pages(group)).toEqual([]);
  expect(blindly(group)).toEqual([]);
});
