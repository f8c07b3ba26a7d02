/** Reads everything any medium shows about one incident. */

import { sql } from 'kysely';
import type { Incident } from '../domain/incident.js';
import type { IncidentView } from '../domain/incident-view.js';
import { speakingDiagnosis } from '../domain/speaking-diagnosis.js';
import { toDiagnosis } from './diagnosis-store.js';
import { toEpisode, toIncident, toIncidentAlert } from './incident-rows.js';
import type { Tx } from './tables.js';
import { toTimelineEntry } from './timeline-store.js';
import { readUmbrella } from './umbrella-view.js';

const MAX_ALERTS = 50;
const MAX_TIMELINE = 200;

/** Diagnoses looked at for the one that speaks; more join an incident only in a storm. */
const MAX_DIAGNOSES = 20;

/** The view of one incident; null when there is no such incident. */
export async function readIncidentView(tx: Tx, incidentId: number): Promise<IncidentView | null> {
  const incident = await tx
    .selectFrom('incidents')
    .selectAll()
    .where('id', '=', incidentId)
    .executeTakeFirst();
  if (incident === undefined) return null;
  const episode = await tx
    .selectFrom('episodes')
    .selectAll()
    .where('id', '=', incident.episode_id)
    .executeTakeFirstOrThrow();

  const alerts = await tx
    .selectFrom('incident_alerts')
    .selectAll()
    .where('incident_id', '=', incidentId)
    .orderBy('status')
    .orderBy('first_seen_at')
    .orderBy('id')
    .limit(MAX_ALERTS)
    .execute();
  const counts = await tx
    .selectFrom('incident_alerts')
    .select((eb) => [
      eb.fn.countAll<number>().as('all'),
      sql<number>`coalesce(sum(case when status = 'firing' then 1 else 0 end), 0)`.as('firing'),
      sql<number>`coalesce(sum(case when status = 'firing' and coalesce(upstream, 'active') = 'active' then 1 else 0 end), 0)`.as(
        'audible',
      ),
    ])
    .where('incident_id', '=', incidentId)
    .executeTakeFirstOrThrow();

  const newest = (resolved: boolean) =>
    tx
      .selectFrom('diagnoses')
      .selectAll()
      .where('incident_id', '=', incidentId)
      .where('trigger', resolved ? '=' : '<>', 'resolved')
      .orderBy('id', 'desc')
      .limit(MAX_DIAGNOSES);
  const whileFiring = (await newest(false).execute()).reverse().map(toDiagnosis);
  // A check made after an earlier resolve says nothing about an episode that is burning again.
  const after =
    incident.state === 'resolved'
      ? await newest(true).where('episode_id', '=', incident.episode_id).executeTakeFirst()
      : undefined;

  const timeline = await tx
    .selectFrom('timeline')
    .selectAll()
    .where('incident_id', '=', incidentId)
    .orderBy('id', 'desc')
    .limit(MAX_TIMELINE)
    .execute();
  const paged = await tx
    .selectFrom('notifications')
    .select('receiver')
    .distinct()
    .where('incident_id', '=', incidentId)
    .where('episode_id', '=', incident.episode_id)
    .where('purpose', '=', 'page')
    .where('state', '=', 'sent')
    .where('shadow', '=', 0)
    .orderBy('receiver')
    .execute();

  return {
    incident: counts.audible === 0 ? toIncident(incident) : audible(toIncident(incident)),
    episode: toEpisode(episode),
    alerts: alerts.map(toIncidentAlert),
    alertCount: counts.all,
    firingCount: counts.firing,
    diagnosis: speakingDiagnosis(whileFiring),
    afterDiagnosis: after === undefined ? null : toDiagnosis(after),
    timeline: timeline.reverse().map(toTimelineEntry),
    pagedReceivers: paged.map((row) => row.receiver),
    umbrella: await readUmbrella(tx, toIncident(incident)),
  };
}

/** What is delivered is not silenced, though Alertmanager was not asked since. */
function audible(incident: Incident): Incident {
  return { ...incident, silence: null, flags: { ...incident.flags, silenced: false } };
}
