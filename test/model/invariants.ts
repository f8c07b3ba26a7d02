/** What must hold whatever happens. Read from the database and from what reached the pager, never from the service's own opinion. */

import { expect } from 'vitest';
import type { PageCeiling } from '../../src/domain/page-ceiling.js';
import type { Scope } from '../../src/domain/scope.js';
import type { PagingWorld } from '../support/paging-harness.js';
import type { Truth } from './upstream.js';

/** What the test remembers on the way. Times are monotonic ms since the world began. */
export type Kept = {
  /** Keys of the firing alerts whose delivery was answered with "committed", and how many deliveries there were in all. */
  readonly accepted: Set<string>;
  deliveries: number;
  /** Every line of every story, as it was first read. */
  readonly timeline: Map<number, string>;
  readonly acknowledged: { readonly episodeId: number; readonly atMs: number }[];
  /** Deliveries of something that fires. */
  readonly news: { readonly scope: Scope; readonly atMs: number }[];
  readonly ceilings: readonly PageCeiling[];
  /** How many of the calls to the pager were looked at, and whether a critical was audible then. */
  attemptsSeen: number;
  audibleBefore: boolean;
};

/** Those of every moment. */
export async function expectInvariants(
  world: PagingWorld,
  truths: readonly Truth[],
  kept: Kept,
  when: string,
): Promise<void> {
  const { kysely } = world.db;
  const known = await kysely.selectFrom('incident_alerts').select('alert_key').distinct().execute();
  const keys = new Set(known.map((row) => row.alert_key));
  expect(
    [...kept.accepted].filter((key) => !keys.has(key)),
    `accepted and lost, ${when}`,
  ).toEqual([]);
  const [receipts] = await kysely
    .selectFrom('receipts')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .execute();
  expect(receipts?.count, `bodies kept, ${when}`).toBeGreaterThanOrEqual(kept.deliveries);

  expect(world.zombies(), `triggered after its resolve was asked for, ${when}`).toEqual([]);
  expect(keysOfEpisodes(world), `one key an episode, and one episode a key, ${when}`).toEqual([]);
  expect(disorder(world), `order of what the pager was told, ${when}`).toEqual([]);
  expect(beyondCeiling(world, kept.ceilings), `page ceilings, ${when}`).toEqual([]);
  expect(await wokenAfterTaken(world, kept), `woken for what was taken, ${when}`).toEqual([]);

  expect(rungWhileSilenced(world, truths, kept), `rung while all is silenced or over, ${when}`).toEqual([]);

  const story = await kysely.selectFrom('timeline').select(['id', 'text']).execute();
  const lines = new Map(story.map((row) => [row.id, row.text]));
  for (const [id, text] of kept.timeline) expect(lines.get(id), `line ${id} of a story, ${when}`).toBe(text);
  for (const [id, text] of lines) kept.timeline.set(id, text);
}

function keysOfEpisodes(world: PagingWorld): string[] {
  const keyOf = new Map<number, string>();
  const episodeOf = new Map<string, number>();
  return world.attempts().flatMap(({ dedupKey, episodeId }) => {
    const key = keyOf.get(episodeId) ?? dedupKey;
    const episode = episodeOf.get(dedupKey) ?? episodeId;
    keyOf.set(episodeId, key);
    episodeOf.set(dedupKey, episode);
    return key === dedupKey && episode === episodeId ? [] : [`episode ${episodeId}: ${dedupKey}`];
  });
}

/** A second page or an end of what the pager never got is noise, or worse. */
function disorder(world: PagingWorld): string[] {
  const triggered = new Set<string>();
  return world.attempts().flatMap(({ action, purpose, dedupKey, accepted, incidentId }) => {
    const isFirst = !triggered.has(dedupKey);
    if (action === 'trigger' && accepted) triggered.add(dedupKey);
    return isFirst && accepted && purpose === 'page_again' ? [`INC-${incidentId}: ${purpose} first`] : [];
  });
}

function beyondCeiling(world: PagingWorld, ceilings: readonly PageCeiling[]): string[] {
  const wakes = world.wakes().map(({ atMs }) => atMs);
  return ceilings.flatMap(({ pages, withinMs }) =>
    wakes.flatMap((from) => {
      const count = wakes.filter((at) => at >= from && at < from + withinMs).length;
      return count > pages ? [`${count} pages in ${withinMs} ms from ${from}`] : [];
    }),
  );
}

/** A second page, or a later one of its ladder, for what is silenced as a whole. */
function rungWhileSilenced(world: PagingWorld, truths: Iterable<Truth>, kept: Kept): string[] {
  const fresh = world.attempts().slice(kept.attemptsSeen);
  kept.attemptsSeen += fresh.length;
  const audible = [...truths].some(
    // A warning as well: what was paged stays critical until none of its alerts fires.
    (one) => one.endLost || (one.firing && !one.silenced),
  );
  if (audible || kept.audibleBefore) {
    kept.audibleBefore = audible;
    return [];
  }
  return fresh.flatMap(({ purpose, incidentId }) =>
    purpose === 'page_again' ? [`INC-${incidentId}: ${purpose}`] : [],
  );
}

/** Only what is new may ring again for what somebody took. */
async function wokenAfterTaken(world: PagingWorld, kept: Kept): Promise<string[]> {
  const found: string[] = [];
  for (const { episodeId, atMs } of kept.acknowledged) {
    const rung = world
      .attempts()
      .filter((one) => one.episodeId === episodeId && one.action === 'trigger' && one.atMs > atMs);
    for (const one of rung) {
      const { incident } = await world.view(one.incidentId);
      const isNews = kept.news.some(
        (news) => news.scope.model === incident.scope.model && news.atMs >= atMs && news.atMs <= one.atMs,
      );
      if (!isNews && incident.kind === 'problem') found.push(`INC-${one.incidentId}: ${one.purpose}`);
    }
  }
  return found;
}

/** Criticals that fire, audible, of which nobody was told and that nobody took. */
export async function untold(world: PagingWorld, truths: Iterable<Truth>): Promise<string[]> {
  const found: string[] = [];
  for (const truth of truths) {
    if (!truth.firing || truth.silenced || truth.alert.severity !== 'critical') continue;
    const why = await whyUntold(world, truth);
    if (why !== null) found.push(`${truth.alert.name} of ${truth.alert.scope.model}: ${why}`);
  }
  return found;
}

async function whyUntold(world: PagingWorld, { alert }: Truth): Promise<string | null> {
  const { kysely } = world.db;
  const rows = await kysely
    .selectFrom('incident_alerts as a')
    .innerJoin('incidents as i', 'i.id', 'a.incident_id')
    .select(['i.id', 'i.state', 'i.folded_into', 'i.episode_id', 'a.status'])
    .where('a.alert_key', '=', alert.alertKey)
    .orderBy('i.id', 'desc')
    .execute();
  const found = rows.find((row) => row.status === 'firing') ?? rows[0];
  if (found === undefined) return 'it has no incident';
  let incident: { id: number; state: string; folded_into: number | null; episode_id: number } = found;
  while (incident.folded_into !== null) {
    incident = await kysely
      .selectFrom('incidents')
      .select(['id', 'state', 'folded_into', 'episode_id'])
      .where('id', '=', incident.folded_into)
      .executeTakeFirstOrThrow();
  }
  if (incident.state === 'acknowledged') return null;
  if (incident.state === 'resolved') return `INC-${incident.id} is resolved`;
  const rang = world
    .attempts()
    .some((one) => one.accepted && one.action === 'trigger' && one.episodeId === incident.episode_id);
  if (rang) return null;
  const pages = await kysely
    .selectFrom('notifications')
    .select(['receiver', 'state', 'listed_at', 'umbrella_id', 'last_reason'])
    .where('incident_id', '=', incident.id)
    .where('episode_id', '=', incident.episode_id)
    .where('purpose', '=', 'page')
    .execute();
  // The next of its ladder was told in the pager's stead.
  if (pages.some((page) => page.receiver !== 'pager' && page.state === 'sent')) return null;
  if (pages.some((page) => page.listed_at !== null)) return null;
  return `INC-${incident.id} has ${pages.length === 0 ? 'no page' : JSON.stringify(pages)}`;
}

/** What is left of it after everything was over. */
export async function stillOpen(world: PagingWorld): Promise<string[]> {
  const { kysely } = world.db;
  const incidents = await kysely
    .selectFrom('incidents')
    .select(['id', 'kind', 'state'])
    .where('state', '<>', 'resolved')
    .where('folded_into', 'is', null)
    .execute();
  const messages = await kysely
    .selectFrom('notifications')
    .select(['id', 'purpose', 'incident_id', 'state'])
    .where('state', 'in', ['queued', 'sending'])
    .execute();
  // What was put aside after five crashes in its midst is visible, and not waited for.
  const work = await kysely
    .selectFrom('work')
    .select(['id', 'state'])
    .where('state', 'not in', ['done', 'quarantined'])
    .execute();
  return [
    ...incidents.map((one) => `INC-${one.id} (${one.kind}) is ${one.state}`),
    ...messages.map((one) => `${one.purpose} of INC-${one.incident_id} is ${one.state}`),
    ...world.openAtPager().map((key) => `${key} is open at the pager`),
    ...work.map((one) => `work ${one.id} is ${one.state}`),
  ];
}
