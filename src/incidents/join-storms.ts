/**
 * Storms: many new incidents of one cluster at once. From the one too many on an umbrella speaks for all of them;
 * their own pages and cards are stored withheld. Nothing is asked of the database where nothing opens.
 */

import { hash } from 'node:crypto';
import { SECOND } from '../domain/clock.js';
import { publicId } from '../domain/incident.js';
import { labelValue } from '../domain/labels.js';
import type { NewNotification } from '../domain/notification.js';
import { compareSeverity, type Severity, worseSeverity } from '../domain/severity.js';
import { stormScope } from '../domain/storm.js';
import { minutesBetween } from '../render/duration.js';
import type { Tx } from '../store/database.js';
import type { OpenStorm } from '../store/storm-store.js';
import type { PlannedIncident } from './intake-types.js';
import type { IntakePlan } from './plan-intake.js';
import type { FollowUps, WriteOptions, WriteStores } from './write-types.js';

/** A page of an umbrella waits so long for more to name, well within the deadline of a page. */
const GATHER_MS = 2 * SECOND;

type Joined = {
  readonly storm: OpenStorm;
  readonly fresh: readonly PlannedIncident[];
  readonly isNew: boolean;
};

export type Joining = readonly Joined[];

/** Finds the storms that the incidents about to be opened belong to, beginning those that are due. Runs before they are stored. */
export async function joinStorms(
  tx: Tx,
  stores: WriteStores,
  plan: IntakePlan,
  options: WriteOptions,
  follow: FollowUps,
): Promise<Joining> {
  const byCluster = new Map<string, PlannedIncident[]>();
  for (const incident of plan.incidents) {
    if (incident.id !== null || incident.severity === 'info') continue;
    const list = byCluster.get(incident.cluster);
    if (list === undefined) byCluster.set(incident.cluster, [incident]);
    else list.push(incident);
  }
  if (byCluster.size === 0) return [];

  const { nowMs, storm: rule } = options;
  const open = new Map<string, OpenStorm>();
  for (const storm of await stores.storms.openStorms(tx)) {
    // Who closed the umbrella ended the storm; what comes now may begin another.
    if (storm.state === 'resolved') await stores.storms.endStorm(tx, storm.incidentId, nowMs);
    else open.set(storm.cluster, storm);
  }
  const joined: Joined[] = [];
  for (const [cluster, fresh] of byCluster) {
    let storm = open.get(cluster) ?? null;
    const isNew = storm === null;
    if (storm === null) {
      const sinceMs = nowMs - rule.withinMs;
      const before = await stores.storms.countOpened(tx, cluster, sinceMs);
      if (before + fresh.length <= rule.incidents) continue;
      storm = await begin(tx, stores, cluster, fresh, sinceMs, options, follow);
    } else await stores.storms.prolongStorm(tx, storm.incidentId, nowMs);
    for (const incident of fresh) {
      incident.stormId = storm.incidentId;
      incident.inStorm = true;
    }
    joined.push({ storm, fresh, isNew });
  }
  return joined;
}

async function begin(
  tx: Tx,
  stores: WriteStores,
  cluster: string,
  fresh: readonly PlannedIncident[],
  sinceMs: number,
  { nowMs }: WriteOptions,
  follow: FollowUps,
): Promise<OpenStorm> {
  const [first] = fresh;
  const scope = stormScope(first?.scope ?? {});
  const severity = worstOf(fresh);
  const place = labelValue(scope, 'cluster');
  const umbrella = await stores.notifications.openUmbrella(tx, {
    kind: 'storm',
    name: place === undefined ? 'Alert storm' : `Alert storm in ${place}`,
    severity,
    scope,
    cluster,
    dedupKey: hash('sha256', `v1 storm\0${cluster}\0${nowMs}`),
    nowMs,
  });
  const { incidentId, episodeId } = umbrella;
  const before = await stores.storms.beginStorm(tx, { incidentId, cluster, sinceMs, nowMs });
  follow.timeline.push({
    incidentId,
    atMs: nowMs,
    kind: 'storm',
    text:
      `Storm: ${before + fresh.length} new incidents within ${minutesBetween(sinceMs, nowMs)}. ` +
      'One page and one card speak for all of them',
    actor: 'wakewell',
  });
  return { incidentId, episodeId, cluster, lastOpenedAtMs: nowMs, severity, state: 'open' };
}

/** Lets the umbrellas speak for who joined, once all is stored that is withheld. */
export async function announceStorms(
  tx: Tx,
  stores: WriteStores,
  joining: Joining,
  { nowMs }: WriteOptions,
  follow: FollowUps,
): Promise<void> {
  for (const { storm, fresh, isNew } of joining) {
    const { incidentId, episodeId } = storm;
    // Those who were there before it began have theirs withheld as well.
    const before = isNew ? await stores.storms.withheldReceivers(tx, incidentId) : [];
    const withheld = follow.notifications.filter((one) => one.umbrellaId === incidentId);
    const severity = worseSeverity(
      worstOf(fresh),
      before.some(({ purpose }) => purpose === 'page') ? 'critical' : 'info',
    );
    if (compareSeverity(severity, storm.severity) > 0)
      await raise(tx, stores, storm, severity, nowMs, follow);

    const told = new Set([...before, ...withheld].map((one) => `${one.purpose} ${one.receiver}`));
    for (const { purpose, receiver } of [...before, ...withheld]) {
      if (!told.delete(`${purpose} ${receiver}`)) continue;
      const message: NewNotification = {
        incidentId,
        episodeId,
        receiver,
        purpose,
        dueAtMs: nowMs + (purpose === 'page' ? GATHER_MS : 0),
        createdAtMs: nowMs,
      };
      follow.notifications.push(message);
    }
  }
}

async function raise(
  tx: Tx,
  stores: WriteStores,
  { incidentId, episodeId, severity: before }: OpenStorm,
  severity: Severity,
  nowMs: number,
  follow: FollowUps,
): Promise<void> {
  await stores.incidents.changeIncident(tx, incidentId, { severity });
  await stores.incidents.changeEpisode(tx, episodeId, { severity });
  follow.timeline.push({
    incidentId,
    atMs: nowMs,
    kind: 'severity_raised',
    text: `Raised from ${before} to ${severity} by what joined it`,
    actor: 'wakewell',
  });
}

function worstOf(incidents: readonly PlannedIncident[]): Severity {
  return incidents.reduce<Severity>((worst, one) => worseSeverity(worst, one.severity), 'info');
}

/** What a child's story says of its messages. */
export function stormNote(stormId: number): string {
  return `part of the storm ${publicId(stormId)}, which speaks for it`;
}
