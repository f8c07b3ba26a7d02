/** Incidents that fire and resolve in turn. Part of the incident store. */

import { sql } from 'kysely';
import type { Incident } from '../domain/incident.js';
import { toIncident } from './incident-rows.js';
import type { Tx } from './tables.js';

export function createFlappingStore() {
  return {
    /** Every incident that counts as flapping. */
    async findFlapping(tx: Tx): Promise<Incident[]> {
      const rows = await tx
        .selectFrom('incidents')
        .selectAll()
        .where(sql<boolean>`flapping = 1`)
        .orderBy('id')
        .execute();
      return rows.map(toIncident);
    },
  };
}
