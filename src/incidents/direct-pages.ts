/**
 * Which pages the commit of a group would cause, for the moment when it cannot be committed. What is stored is
 * read where it still can be, so that a join, a reopening or a repeat is seen for what it is; else the payload
 * alone decides. Either way the keys are those of the redelivery that is committed later.
 */

import type { AlertGroup } from '../domain/alert.js';
import type { DirectPage } from '../domain/bare-facts.js';
import type { Clock } from '../domain/clock.js';
import type { Logger } from '../log/logger.js';
import { createAlertStore } from '../store/alert-store.js';
import type { Database, Tx } from '../store/database.js';
import { readEpisodeKey } from '../store/episode-store.js';
import { createIncidentStore } from '../store/incident-store.js';
import { finishDedupKeys } from './finish-dedup-keys.js';
import type { IntakeInput, PlannedIncident, PlanOptions } from './intake-types.js';
import { loadPlanState } from './load-plan-state.js';
import { createPlanner, type IntakePlan } from './plan-intake.js';

export type DirectPagesDeps = Omit<PlanOptions, 'nowMs'> & {
  readonly db: Database;
  readonly clock: Clock;
  readonly logger: Logger;
};

const stores = { alerts: createAlertStore(), incidents: createIncidentStore() };

/** Reads and writes nothing. The result holds critical incidents that somebody is to be told of, most often none or one. */
export async function directPages(deps: DirectPagesDeps, group: AlertGroup): Promise<DirectPage[]> {
  const options: PlanOptions = { ...deps, nowMs: deps.clock.now() };
  const input: IntakeInput = {
    source: group.source,
    body: new Uint8Array(),
    parsed: { kind: 'group', group },
  };
  try {
    const planner = createPlanner(options);
    const { kysely } = deps.db;
    await loadPlanState(kysely, stores, [input], options, planner);
    planner.receive(input);
    return await pagesOf(kysely, planner.plan);
  } catch (error) {
    deps.logger.error(
      { err: error },
      'the database cannot even be read: the payload alone decides who is paged',
    );
    return pagesOfPayload(group, options);
  }
}

/** The critical incidents that a group opens where none is known. Pure. */
export function pagesOfPayload(group: AlertGroup, options: PlanOptions): DirectPage[] {
  const planner = createPlanner(options);
  planner.receive({ source: group.source, body: new Uint8Array(), parsed: { kind: 'group', group } });
  return announced(planner.plan).flatMap((incident) => {
    const key = incident.newEpisode?.dedupKey ?? null;
    return key === null ? [] : [toPage(incident, key)];
  });
}

async function pagesOf(tx: Tx, plan: IntakePlan): Promise<DirectPage[]> {
  const wanted = announced(plan);
  await finishDedupKeys(
    tx,
    stores.incidents,
    [...plan.incidents].filter((incident) => incident.newEpisode !== null),
  );
  const pages: DirectPage[] = [];
  for (const incident of wanted) {
    const key = incident.newEpisode?.dedupKey ?? (await readEpisodeKey(tx, incident.episodeId));
    pages.push(toPage(incident, key));
  }
  return pages;
}

/** What intake would route, as far as it is critical. */
function announced(plan: IntakePlan): PlannedIncident[] {
  return [...plan.incidents].filter(
    (incident) => incident.severity === 'critical' && incident.routeBy !== null,
  );
}

function toPage(incident: PlannedIncident, dedupKey: string): DirectPage {
  return {
    facts: {
      dedupKey,
      alertName: incident.alertName,
      severity: 'critical',
      scope: incident.scope,
      state: 'open',
      incidentId: incident.id,
      why: 'it could not be stored, the database is in trouble',
    },
    labels: incident.routeBy ?? incident.scope,
  };
}
