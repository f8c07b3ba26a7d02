/** Everything that was stored about why an incident went the way it went. */

import type { Episode } from '../domain/incident.js';
import type { IncidentView } from '../domain/incident-view.js';
import type { Notification } from '../domain/notification.js';
import type { TimelineEntry } from '../domain/timeline.js';
import { listSlices } from './bulk.js';
import { toEpisode } from './incident-rows.js';
import { readIncidentView } from './incident-view.js';
import { toNotification } from './notification-row.js';
import type { Tx } from './tables.js';
import { toTimelineEntry } from './timeline-store.js';

export type StoredReasons = {
  readonly view: IncidentView;
  /** Oldest first, at most 2,000, newest kept. */
  readonly timeline: readonly TimelineEntry[];
  /** Oldest first, at most 2,000, newest kept. */
  readonly notifications: readonly Notification[];
  readonly episodes: readonly Episode[];
  /** What the umbrellas are that its messages name. */
  readonly umbrellas: ReadonlyMap<number, 'storm' | 'bundle'>;
};

/** A flapping incident of weeks must not make one answer of megabytes. */
const MAX_ROWS = 2000;

/** Null when there is no such incident. */
export async function readStoredReasons(tx: Tx, incidentId: number): Promise<StoredReasons | null> {
  const view = await readIncidentView(tx, incidentId);
  if (view === null) return null;
  const timeline = await tx
    .selectFrom('timeline')
    .selectAll()
    .where('incident_id', '=', incidentId)
    .orderBy('id', 'desc')
    .limit(MAX_ROWS)
    .execute();
  const notifications = await tx
    .selectFrom('notifications')
    .selectAll()
    .where('incident_id', '=', incidentId)
    .orderBy('id', 'desc')
    .limit(MAX_ROWS)
    .execute();
  const episodes = await tx
    .selectFrom('episodes')
    .selectAll()
    .where('incident_id', '=', incidentId)
    .orderBy('number')
    .execute();
  const umbrellaIds = [...new Set(notifications.flatMap((row) => row.umbrella_id ?? []))];
  const umbrellas = new Map<number, 'storm' | 'bundle'>();
  for (const slice of listSlices(umbrellaIds)) {
    const rows = await tx.selectFrom('incidents').select(['id', 'kind']).where('id', 'in', slice).execute();
    for (const { id, kind } of rows) if (kind !== 'problem') umbrellas.set(id, kind);
  }
  return {
    view,
    timeline: timeline.reverse().map(toTimelineEntry),
    notifications: notifications.reverse().map(toNotification),
    episodes: episodes.map(toEpisode),
    umbrellas,
  };
}
