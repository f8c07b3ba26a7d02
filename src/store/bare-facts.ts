/** Reads the bare facts of a message: single columns, so that nothing stored can make it fail. */

import { sql } from 'kysely';
import type { BareFacts } from '../domain/bare-facts.js';
import type { Episode, Incident } from '../domain/incident.js';
import { labelsFrom } from '../domain/labels.js';
import type { Notification } from '../domain/notification.js';
import type { Scope } from '../domain/scope.js';
import { labelsFromText } from './incident-rows.js';
import type { Tx } from './tables.js';

export type StoredBareFacts = {
  readonly facts: Omit<BareFacts, 'why'>;
  /** For the question whether a message is still true. */
  readonly incident: Pick<
    Incident,
    'state' | 'episodeId' | 'acknowledgedAtMs' | 'acknowledgedBy' | 'silence'
  >;
  readonly episode: Pick<
    Episode,
    'severity' | 'endedAtMs' | 'resolveAttemptedAtMs' | 'pagerResolvedAtMs' | 'pagerResolvedBy'
  >;
};

/** Null when incident or episode are gone. */
export async function readBareFacts(
  tx: Tx,
  { incidentId, episodeId }: Pick<Notification, 'incidentId' | 'episodeId'>,
): Promise<StoredBareFacts | null> {
  const row = await tx
    .selectFrom('incidents as i')
    .innerJoin('episodes as e', 'e.incident_id', 'i.id')
    .select([
      'i.alert_name',
      'i.severity',
      'i.scope',
      'i.state',
      'i.episode_id',
      'i.acknowledged_at',
      'i.acknowledged_by',
      'i.silenced',
      'i.silenced_by',
      'i.silenced_until',
      sql<number>`exists (select 1 from incident_alerts a where a.incident_id = i.id and a.status = 'firing'
        and coalesce(a.upstream, 'active') = 'active')`.as('audible'),
      'e.dedup_key',
      'e.severity as episode_severity',
      'e.ended_at',
      'e.resolve_attempted_at',
      'e.pager_resolved_at',
      'e.pager_resolved_by',
    ])
    .where('i.id', '=', incidentId)
    .where('e.id', '=', episodeId)
    .executeTakeFirst();
  if (row === undefined) return null;
  return {
    facts: {
      dedupKey: row.dedup_key,
      alertName: row.alert_name,
      severity: row.severity,
      scope: scopeOrNothing(row.scope),
      state: row.state,
      incidentId,
    },
    incident: {
      state: row.state,
      episodeId: row.episode_id,
      acknowledgedAtMs: row.acknowledged_at,
      acknowledgedBy: row.acknowledged_by,
      silence:
        row.silenced === 1 && !row.audible
          ? { by: row.silenced_by ?? 'somebody', comment: '', untilMs: row.silenced_until }
          : null,
    },
    episode: {
      severity: row.episode_severity,
      endedAtMs: row.ended_at,
      resolveAttemptedAtMs: row.resolve_attempted_at,
      pagerResolvedAtMs: row.pager_resolved_at,
      pagerResolvedBy: row.pager_resolved_by,
    },
  };
}

function scopeOrNothing(text: string): Scope {
  try {
    return labelsFromText(text);
  } catch {
    return labelsFrom([]);
  }
}
