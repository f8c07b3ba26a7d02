/** Compares what was promised (200s), what is stored, and what the pager accepted. Pure. */

import { canonicalLabels } from '../../src/domain/labels.js';
import type { Attempt } from '../../test/support/alertmanager-double.js';
import type { PagerEvent } from './moody-pagerduty.js';
import type { StoredEpisode, StoredIncident, StoredPage, StoredState } from './read-database.js';
import type { Life } from './service.js';

/** A page leaves within this after its deadline, or after the restart that followed it. */
export const PAGE_WITHIN_MS = 15_000;

/** A page that is due leaves within this: claimed, rendered, connected, on a busy machine. */
const GRACE_MS = 1_000;
/** And is tried again within this after the pager turned it away. */
const RETRY_WITHIN_MS = 5_000;

export type Evidence = {
  /** Everything that the double sent, with what it was answered. */
  readonly attempts: readonly Pick<Attempt, 'body' | 'alerts' | 'status'>[];
  readonly stored: StoredState;
  readonly events: readonly PagerEvent[];
  /** What the pager turned away or had not taken when its sender died. */
  readonly refused: readonly PagerEvent[];
  readonly lives: readonly Life[];
  readonly pageDeadlineMs: number;
};

export type Findings = {
  readonly accepted: number;
  /** Alertmanager drops what is answered so. */
  readonly answers_4xx: number;
  readonly lost: number;
  readonly duplicate_incidents: number;
  readonly unpaged_critical: number;
  readonly extra_dedup_keys: number;
  readonly triggers_after_resolve: number;
  readonly late_pages: number;
  /** Longest from the start of a process to the acceptance of a page that was owed since before; 0 without one. */
  readonly max_page_after_restart_ms: number;
  /** Incidents, or pages at the pager, that stayed open though everything was resolved and delivered. */
  readonly left_open: number;
  /** The first faults in words, for the log. */
  readonly faults: readonly string[];
};

export function reconcile(evidence: Evidence): Findings {
  const faults: string[] = [];
  const report = (list: readonly string[]) => {
    faults.push(...list.slice(0, 10));
    return list.length;
  };
  const { attempts } = evidence;
  return {
    accepted: acceptedOf(attempts).reduce((sum, { alerts }) => sum + alerts.length, 0),
    answers_4xx: report(findAnswers4xx(attempts)),
    lost: report(findLost(evidence)),
    duplicate_incidents: report(findDuplicateIncidents(evidence.stored.incidents)),
    unpaged_critical: report(findUnpaged(evidence)),
    extra_dedup_keys: report(findExtraKeys(evidence)),
    triggers_after_resolve: report(findTriggersAfterResolve(evidence.events)),
    late_pages: report(findLatePages(evidence)),
    max_page_after_restart_ms: longestAfterRestart(evidence),
    left_open: report(findLeftOpen(evidence)),
    faults,
  };
}

/** True when nothing that must be zero is not. */
export function isFaultless(findings: Findings): boolean {
  return findings.faults.length === 0 && findings.max_page_after_restart_ms <= PAGE_WITHIN_MS;
}

export function acceptedOf<T extends Pick<Attempt, 'status'>>(attempts: readonly T[]): T[] {
  return attempts.filter(({ status }) => status !== null && status >= 200 && status < 300);
}

function findAnswers4xx(attempts: Evidence['attempts']): string[] {
  return attempts
    .filter(({ status }) => status !== null && status >= 400 && status < 500)
    .map(({ status, alerts }) => `dropped: ${alerts.length} alerts were answered ${status}`);
}

/** One entry an alert of an accepted body that is not stored, and one an alert that was accepted firing and is in no incident. */
function findLost({ attempts, stored }: Evidence): string[] {
  const lost: string[] = [];
  const left = new Map(stored.bodies);
  const known = new Set(stored.alerts.map((alert) => alert.labels));
  const reported = new Set<string>();
  for (const { body, alerts } of acceptedOf(attempts)) {
    const rows = left.get(body) ?? 0;
    left.set(body, rows - 1);
    if (rows <= 0) for (const alert of alerts) lost.push(`lost: body with ${JSON.stringify(alert.labels)}`);
    for (const alert of alerts) {
      const labels = canonicalLabels(alert.labels);
      if (alert.status !== 'firing' || known.has(labels) || reported.has(labels)) continue;
      reported.add(labels);
      lost.push(`lost: ${labels} is in no incident`);
    }
  }
  return lost;
}

/** Two incidents of one problem that were open at the same time. */
function findDuplicateIncidents(incidents: readonly StoredIncident[]): string[] {
  const duplicates: string[] = [];
  const latest = new Map<string, StoredIncident>();
  for (const incident of [...incidents].sort((a, b) => a.openedAtMs - b.openedAtMs || a.id - b.id)) {
    const earlier = latest.get(incident.problem);
    const earlierEndMs = earlier?.resolvedAtMs ?? Number.POSITIVE_INFINITY;
    if (earlier !== undefined && incident.openedAtMs < earlierEndMs) {
      duplicates.push(`duplicate: INC-${earlier.id} and INC-${incident.id} for ${incident.problem}`);
    }
    if (earlier === undefined || (incident.resolvedAtMs ?? Number.POSITIVE_INFINITY) > earlierEndMs) {
      latest.set(incident.problem, incident);
    }
  }
  return duplicates;
}

/**
 * Critical episodes of which the pager never accepted a trigger. The one excuse is an episode that ended
 * before its page was due: by its deadline, or, where the pager turned it away, by the next try. Time in which
 * no process ran does not count.
 */
function findUnpaged(evidence: Evidence): string[] {
  const { stored, pageDeadlineMs, lives } = evidence;
  const triggered = keysOf(evidence.events, 'trigger');
  const refusals = groupBy(
    evidence.refused.filter((event) => event.action === 'trigger'),
    (event) => event.dedupKey,
  );
  const pages = groupBy(stored.pages, (page) => page.episodeId);
  const unpaged: string[] = [];
  for (const episode of stored.episodes) {
    if (episode.severity !== 'critical' || triggered.has(episode.dedupKey)) continue;
    const states = (pages.get(episode.id) ?? []).map((page) => page.state);
    const withdrawn = states.length > 0 && states.every((state) => state === 'dropped');
    const endMs = episode.endedAtMs ?? Number.POSITIVE_INFINITY;
    const refusedAtMs = Math.max(0, ...(refusals.get(episode.dedupKey) ?? []).map((event) => event.atMs));
    const sinceCreatedMs = uptimeBetween(lives, createdAt(episode, pages), endMs);
    const inTime =
      sinceCreatedMs < pageDeadlineMs + GRACE_MS ||
      (refusedAtMs > 0 && uptimeBetween(lives, refusedAtMs, endMs) < RETRY_WITHIN_MS);
    if (withdrawn && inTime) continue;
    const rows = states.join(', ') || 'none';
    unpaged.push(
      `unpaged: episode ${episode.id} of INC-${episode.incidentId} over ${sinceCreatedMs} ms of uptime, page rows: ${rows}`,
    );
  }
  return [...unpaged, ...findCriticalsWithoutEpisode(evidence)];
}

/** Alerts accepted as firing and critical, none of whose incidents ever had a critical episode. */
function findCriticalsWithoutEpisode({ attempts, stored }: Evidence): string[] {
  const critical = new Set(
    stored.episodes.filter((one) => one.severity === 'critical').map((one) => one.incidentId),
  );
  const covered = new Set(
    stored.alerts.filter((alert) => critical.has(alert.incidentId)).map((alert) => alert.labels),
  );
  const wanted = new Set<string>();
  for (const { alerts } of acceptedOf(attempts)) {
    for (const { status, labels } of alerts) {
      if (status === 'firing' && labels.severity === 'critical') wanted.add(canonicalLabels(labels));
    }
  }
  return [...wanted]
    .filter((labels) => !covered.has(labels))
    .map((labels) => `unpaged: no critical episode for ${labels}`);
}

/** Keys at the pager that no episode has, and episodes that ran beside another of the same incident (each has a key of its own). */
function findExtraKeys({ events, stored }: Evidence): string[] {
  const known = new Set(stored.episodes.map((episode) => episode.dedupKey));
  const unknown = [...new Set(events.map((event) => event.dedupKey))]
    .filter((key) => !known.has(key))
    .map((key) => `extra key: ${key} belongs to no episode`);
  const beside: string[] = [];
  for (const episodes of groupBy(stored.episodes, (one) => one.incidentId).values()) {
    let running: StoredEpisode | null = null;
    for (const episode of episodes) {
      if (running !== null && episode.startedAtMs < (running.endedAtMs ?? Number.POSITIVE_INFINITY)) {
        beside.push(
          `extra key: episodes ${running.id} and ${episode.id} of INC-${episode.incidentId} overlap`,
        );
      }
      running = episode;
    }
  }
  return [...unknown, ...beside];
}

function findTriggersAfterResolve(events: readonly PagerEvent[]): string[] {
  const resolved = new Set<string>();
  const found: string[] = [];
  for (const { action, dedupKey } of events) {
    if (action === 'resolve') resolved.add(dedupKey);
    if (action === 'trigger' && resolved.has(dedupKey)) found.push(`trigger after resolve: ${dedupKey}`);
  }
  return found;
}

/** Over the pages that existed when a process started and were first accepted in its life. */
function longestAfterRestart({ events, stored, lives }: Evidence): number {
  const pages = groupBy(stored.pages, (page) => page.episodeId);
  let longest = 0;
  for (const episode of stored.episodes) {
    const first = events.find((event) => event.action === 'trigger' && event.dedupKey === episode.dedupKey);
    if (first === undefined) continue;
    const life = lives.findLast(({ startedAtMs }) => startedAtMs <= first.atMs);
    if (life === undefined || createdAt(episode, pages) >= life.startedAtMs) continue;
    longest = Math.max(longest, first.atMs - life.startedAtMs);
  }
  return longest;
}

/** Pages accepted more than 15 s after both their deadline and the start of the life that sent them. */
function findLatePages({ events, stored, lives, pageDeadlineMs }: Evidence): string[] {
  const firstAcceptedAt = new Map<string, number>();
  for (const { action, dedupKey, atMs } of events) {
    if (action === 'trigger' && !firstAcceptedAt.has(dedupKey)) firstAcceptedAt.set(dedupKey, atMs);
  }
  const pages = groupBy(stored.pages, (page) => page.episodeId);
  const late: string[] = [];
  for (const episode of stored.episodes) {
    const atMs = firstAcceptedAt.get(episode.dedupKey);
    if (atMs === undefined) continue;
    const readyAtMs = Math.max(
      0,
      ...lives.map((life) => life.readyAtMs ?? 0).filter((ready) => ready <= atMs),
    );
    const tookMs = atMs - Math.max(readyAtMs, createdAt(episode, pages) + pageDeadlineMs);
    if (tookMs > PAGE_WITHIN_MS)
      late.push(`late: episode ${episode.id} was paged ${tookMs} ms after it was due`);
  }
  return late;
}

function findLeftOpen({ stored, events }: Evidence): string[] {
  const incidents = stored.incidents
    .filter((incident) => incident.state !== 'resolved')
    .map((incident) => `left open: INC-${incident.id} is ${incident.state}`);
  const resolved = keysOf(events, 'resolve');
  const pages = [...keysOf(events, 'trigger')]
    .filter((key) => !resolved.has(key))
    .map((key) => `left open: nobody resolved ${key} at the pager`);
  return [...incidents, ...pages];
}

/** When the page came into being: its row where there is one, since an episode may have begun as a warning. */
function createdAt(episode: StoredEpisode, pages: ReadonlyMap<number, readonly StoredPage[]>): number {
  const rows = pages.get(episode.id) ?? [];
  return rows.length === 0 ? episode.startedAtMs : Math.min(...rows.map((page) => page.createdAtMs));
}

/** ms between two moments in which a ready process ran. */
export function uptimeBetween(lives: readonly Life[], fromMs: number, toMs: number): number {
  let sum = 0;
  for (const { readyAtMs, endedAtMs } of lives) {
    if (readyAtMs === null) continue;
    const overlap = Math.min(toMs, endedAtMs ?? Number.POSITIVE_INFINITY) - Math.max(fromMs, readyAtMs);
    if (overlap > 0) sum += overlap;
  }
  return sum;
}

function keysOf(events: readonly PagerEvent[], action: PagerEvent['action']): Set<string> {
  return new Set(events.filter((event) => event.action === action).map((event) => event.dedupKey));
}

function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
