/** What the database holds, read beside or after the service through a read-only connection of our own. */

import Sqlite from 'better-sqlite3';
import { canonicalLabels, type Labels } from '../../src/domain/labels.js';

export type StoredIncident = {
  readonly id: number;
  /** Source, alert name and scope in one text: what makes it one problem. */
  readonly problem: string;
  readonly state: string;
  readonly openedAtMs: number;
  readonly resolvedAtMs: number | null;
};
export type StoredEpisode = {
  readonly id: number;
  readonly incidentId: number;
  readonly dedupKey: string;
  readonly severity: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
};
export type StoredAlert = { readonly incidentId: number; readonly labels: string; readonly status: string };
export type StoredPage = {
  readonly episodeId: number;
  readonly state: string;
  readonly createdAtMs: number;
  readonly reason: string | null;
};

export type StoredState = {
  /** How many rows hold a body, by its text. */
  readonly bodies: ReadonlyMap<string, number>;
  readonly incidents: readonly StoredIncident[];
  readonly episodes: readonly StoredEpisode[];
  readonly alerts: readonly StoredAlert[];
  readonly pages: readonly StoredPage[];
  readonly integrity: string;
};

/** What is left when the file is no database any more: nothing. */
export const NOTHING_STORED: StoredState = {
  bodies: new Map(),
  incidents: [],
  episodes: [],
  alerts: [],
  pages: [],
  integrity: 'unreadable',
};

/** Reads everything. Throws when the file is no database or has no schema. */
export function readDatabase(path: string): StoredState {
  return withDatabase(path, (db) => {
    const bodies = new Map<string, number>();
    for (const { body } of db.prepare<[], { body: Buffer }>('select body from receipts').iterate()) {
      const text = body.toString('utf8');
      bodies.set(text, (bodies.get(text) ?? 0) + 1);
    }
    const incidents = db
      .prepare<[], Omit<StoredIncident, 'problem'> & { source: string; alertName: string; scope: string }>(
        `select id, source, alert_name as alertName, scope, state, opened_at as openedAtMs, resolved_at as resolvedAtMs
         from incidents order by id`,
      )
      .all()
      .map(({ source, alertName, scope, ...rest }) => ({
        ...rest,
        problem: `${source} ${alertName} ${normaliseLabels(scope)}`,
      }));
    const episodes = db
      .prepare<[], StoredEpisode>(
        `select id, incident_id as incidentId, dedup_key as dedupKey, severity, started_at as startedAtMs, ended_at as endedAtMs
         from episodes order by id`,
      )
      .all();
    const alerts = db
      .prepare<[], StoredAlert>(
        'select incident_id as incidentId, labels, status from incident_alerts order by id',
      )
      .all()
      .map((alert) => ({ ...alert, labels: normaliseLabels(alert.labels) }));
    const pages = db
      .prepare<[], StoredPage>(
        `select episode_id as episodeId, state, created_at as createdAtMs, last_reason as reason
         from notifications where purpose = 'page' order by id`,
      )
      .all();
    const integrity = String(db.pragma('integrity_check', { simple: true }));
    return { bodies, incidents, episodes, alerts, pages, integrity };
  });
}

/** How much is still to be done: investigations and messages that are neither finished nor given up. */
export function countUnfinished(path: string): number {
  return withDatabase(path, (db) => {
    const count = (sql: string) => db.prepare<[], { n: number }>(sql).get()?.n ?? 0;
    return (
      count("select count(*) as n from work where state in ('queued', 'running')") +
      count("select count(*) as n from notifications where state in ('queued', 'sending')") +
      count("select count(*) as n from incidents where state <> 'resolved'")
    );
  });
}

function withDatabase<T>(path: string, read: (db: Sqlite.Database) => T): T {
  const db = new Sqlite(path, { readonly: true, fileMustExist: true, timeout: 5_000 });
  try {
    return read(db);
  } finally {
    db.close();
  }
}

/** Label sets are stored as an object or as sorted pairs; both become the canonical pairs. */
function normaliseLabels(json: string): string {
  const parsed: unknown = JSON.parse(json);
  return canonicalLabels(Array.isArray(parsed) ? (Object.fromEntries(parsed) as Labels) : (parsed as Labels));
}
