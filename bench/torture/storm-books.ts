/**
 * What a storm did, from three books that do not know each other: what the webhook answered, what is stored, and what
 * the pager was told. Pure.
 */

import type { StoredAlert, StoredEpisode, StoredIncident, StoredPage } from './read-database.js';
import type { StormPost } from './storm-load.js';

/** One event that reached the pager, taken or not. */
export type PagerCall = {
  readonly atMs: number;
  readonly routingKey: string;
  /** Incidents named anywhere in it. */
  readonly names: ReadonlySet<number>;
};

export type StormEvidence = {
  readonly posts: readonly StormPost[];
  readonly episodes: readonly StoredEpisode[];
  readonly incidents: readonly StoredIncident[];
  readonly alerts: readonly StoredAlert[];
  readonly pages: readonly StoredPage[];
  /** Accepted triggers, in order. */
  readonly triggers: readonly PagerCall[];
  /** Everything that was asked of the pager, refused included. */
  readonly calls: readonly Pick<PagerCall, 'atMs' | 'routingKey'>[];
  /** How often somebody was woken. */
  readonly pages_sent: number;
  readonly problems: number;
  readonly nowMs: number;
};

export type StormFindings = {
  /** Accepted. */
  readonly alerts: number;
  readonly answers_4xx: number;
  /** Bodies that nobody took. */
  readonly unanswered: number;
  /** Accepted as firing, and in no incident. */
  readonly lost: number;
  /** From sending the first critical to the pager's acceptance of a page; null when there was none. */
  readonly first_page_ms: number | null;
  readonly max_events_per_min: number;
  readonly pages: number;
  readonly problems: number;
  /** Critical episodes that stood for a minute, and no message to the pager named within it. */
  readonly unlisted_critical: number;
  /** The longest that one waited to be named, ms. */
  readonly longest_unlisted_ms: number;
};

export const LISTED_WITHIN_MS = 60_000;
const MINUTE_MS = 60_000;
/** Whose incidents are umbrellas and our own alerts. */
const OWN = 'wakewell ';

export function closeBooks(evidence: StormEvidence): StormFindings {
  const { posts, triggers } = evidence;
  const accepted = posts.filter(({ status }) => status >= 200 && status < 300);
  const firstCritical = Math.min(
    ...accepted.filter(({ criticals }) => criticals.length > 0).map(({ sentAtMs }) => sentAtMs),
  );
  const firstPage = triggers.find(({ atMs }) => atMs >= firstCritical);
  const known = new Set(evidence.alerts.map(({ labels }) => labels));
  const waits = waitsForNames(evidence);
  return {
    alerts: accepted.reduce((sum, { count }) => sum + count, 0),
    answers_4xx: posts.filter(({ status }) => status >= 400 && status < 500).length,
    unanswered: posts.filter(({ status }) => status < 200 || status >= 500).length,
    lost: [...new Set(accepted.flatMap(({ firing }) => firing))].filter((labels) => !known.has(labels))
      .length,
    first_page_ms: firstPage === undefined ? null : firstPage.atMs - firstCritical,
    max_events_per_min: busiestMinute(evidence.calls),
    pages: evidence.pages_sent,
    problems: evidence.problems,
    unlisted_critical: waits.filter((ms) => ms > LISTED_WITHIN_MS).length + withoutEpisode(evidence),
    longest_unlisted_ms: Math.max(0, ...waits),
  };
}

/** Critical episodes that wait to be named and are not over. The harness may stop when there are none. */
export function stillUnlisted(
  evidence: Pick<StormEvidence, 'episodes' | 'incidents' | 'pages' | 'triggers'>,
) {
  return criticalEpisodes(evidence).filter(
    (one) => one.endedAtMs === null && namedAt(evidence.triggers, one) === null,
  ).length;
}

/** How long each critical episode waited to be named, ms; of those that were not, how long they stood. */
function waitsForNames(evidence: StormEvidence): number[] {
  return criticalEpisodes(evidence).map((one) => {
    const named = namedAt(evidence.triggers, one);
    return Math.max(0, (named ?? one.endedAtMs ?? evidence.nowMs) - one.sinceMs);
  });
}

type CriticalEpisode = StoredEpisode & { readonly sinceMs: number };

function criticalEpisodes({
  episodes,
  incidents,
  pages,
}: Pick<StormEvidence, 'episodes' | 'incidents' | 'pages'>): CriticalEpisode[] {
  const own = new Set(incidents.filter(({ problem }) => problem.startsWith(OWN)).map(({ id }) => id));
  const asked = new Map<number, number>();
  for (const { episodeId, createdAtMs } of pages) {
    asked.set(episodeId, Math.min(asked.get(episodeId) ?? Infinity, createdAtMs));
  }
  return episodes
    .filter(({ severity, incidentId }) => severity === 'critical' && !own.has(incidentId))
    .map((one) => ({ ...one, sinceMs: asked.get(one.id) ?? one.startedAtMs }));
}

function namedAt(triggers: readonly PagerCall[], { incidentId, sinceMs }: CriticalEpisode): number | null {
  return triggers.find(({ atMs, names }) => atMs >= sinceMs && names.has(incidentId))?.atMs ?? null;
}

/** Critical alerts that were accepted, and whose incidents never were critical. */
function withoutEpisode({ posts, episodes, alerts }: StormEvidence): number {
  const critical = new Set(
    episodes.filter((one) => one.severity === 'critical').map((one) => one.incidentId),
  );
  const covered = new Set(alerts.filter((one) => critical.has(one.incidentId)).map((one) => one.labels));
  const accepted = posts.filter(({ status }) => status >= 200 && status < 300);
  return [...new Set(accepted.flatMap(({ criticals }) => criticals))].filter((one) => !covered.has(one))
    .length;
}

/** The most events that one key saw in any minute. */
function busiestMinute(calls: StormEvidence['calls']): number {
  let most = 0;
  for (const key of new Set(calls.map(({ routingKey }) => routingKey))) {
    const times = calls.filter((one) => one.routingKey === key).map(({ atMs }) => atMs);
    for (const [index, endMs] of times.entries()) {
      const from = times.findIndex((atMs) => atMs > endMs - MINUTE_MS);
      most = Math.max(most, index - from + 1);
    }
  }
  return most;
}

/** Incidents that a text names: "INC-7", "INC-7 to INC-12". */
export function namedIn(text: string): Set<number> {
  const names = new Set<number>();
  for (const [, first, last] of text.matchAll(/INC-(\d+)(?: to INC-(\d+))?/g)) {
    for (let id = Number(first); id <= Number(last ?? first); id += 1) names.add(id);
  }
  return names;
}

/** True when all that was promised of a storm was kept. */
export function isKept(findings: StormFindings & { readonly rss_mb: number }): boolean {
  const { first_page_ms: firstPageMs } = findings;
  return (
    findings.answers_4xx === 0 &&
    findings.unanswered === 0 &&
    findings.lost === 0 &&
    firstPageMs !== null &&
    firstPageMs <= 5_000 &&
    findings.max_events_per_min <= 60 &&
    findings.pages >= 1 &&
    findings.pages <= findings.problems &&
    findings.unlisted_critical === 0 &&
    findings.rss_mb <= 400
  );
}
