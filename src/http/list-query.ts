/** The filters of the incident list, read strictly: a filter that is silently ignored makes the answer a lie. */

import { AppError } from '../domain/errors.js';
import { INCIDENT_STATES, type IncidentState } from '../domain/incident.js';
import { SEVERITIES, type Severity } from '../domain/severity.js';

export type ListQuery = {
  readonly state?: readonly IncidentState[];
  readonly severity?: Severity;
  readonly alertName?: string;
  readonly q?: string;
  readonly limit: number;
  readonly cursor?: string;
};

const PARAMETERS = ['state', 'severity', 'alertname', 'q', 'limit', 'cursor'] as const;
export const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;

/** Reads a parsed query string. Throws `bad_request` naming every fault. An empty value counts as absent: forms send those. */
export function readListQuery(query: Readonly<Record<string, unknown>>): ListQuery {
  const faults: string[] = [];
  for (const name of Object.keys(query)) {
    if (!PARAMETERS.some((known) => known === name)) {
      faults.push(`unknown parameter ${JSON.stringify(name.slice(0, 60))} (known: ${PARAMETERS.join(', ')})`);
    }
  }
  const text = (name: (typeof PARAMETERS)[number]): string | undefined => {
    const value = query[name];
    if (value === undefined || value === '') return undefined;
    if (typeof value === 'string') return value;
    faults.push(`${name}: given more than once`);
    return undefined;
  };

  const states = text('state')?.split(',');
  const state = states?.flatMap((word) => {
    const known = INCIDENT_STATES.find((one) => one === word);
    if (known === undefined)
      faults.push(`state: found ${JSON.stringify(word)}, expected ${INCIDENT_STATES.join(', ')}`);
    return known ?? [];
  });
  const severityText = text('severity');
  const severity = SEVERITIES.find((one) => one === severityText);
  if (severityText !== undefined && severity === undefined) {
    faults.push(`severity: found ${JSON.stringify(severityText)}, expected ${SEVERITIES.join(', ')}`);
  }
  const limitText = text('limit');
  const limit = limitText === undefined ? DEFAULT_LIMIT : /^\d{1,4}$/.test(limitText) ? Number(limitText) : 0;
  if (limit < 1 || limit > MAX_LIMIT) faults.push(`limit: expected 1 to ${MAX_LIMIT}`);
  const alertName = text('alertname');
  const q = text('q');
  const cursor = text('cursor');
  if (faults.length > 0) throw new AppError('bad_request', faults.join('; '));
  return {
    limit,
    ...(state === undefined ? {} : { state }),
    ...(severity === undefined ? {} : { severity }),
    ...(alertName === undefined ? {} : { alertName }),
    ...(q === undefined ? {} : { q }),
    ...(cursor === undefined ? {} : { cursor }),
  };
}
