/** Pages that the storage can no longer be trusted, by the one way that does not need it. */

import { hash } from 'node:crypto';
import type { DirectPage } from '../domain/bare-facts.js';
import { labelsFrom } from '../domain/labels.js';
import type { Trouble } from '../store/trouble-board.js';

const ALERT_NAME = 'WakewellStorage';

/**
 * The page for a trouble of the storage with which alerts can be promised to nobody; null for one that passes or can
 * wait. `consequence` says what does not happen until it is repaired.
 */
export function storageAlarm(trouble: Trouble, databaseId: string, consequence: string): DirectPage | null {
  if (trouble.kind !== 'file_lost' && trouble.kind !== 'damaged') return null;
  const labels = labelsFrom([
    ['alertname', ALERT_NAME],
    ['severity', 'critical'],
  ]);
  return {
    labels,
    facts: {
      dedupKey: hash('sha256', `v1 storage\0${databaseId}\0${trouble.kind}`),
      alertName: ALERT_NAME,
      severity: 'critical',
      scope: labelsFrom([]),
      state: 'open',
      incidentId: null,
      why: `${trouble.detail}; ${consequence}`,
    },
  };
}
