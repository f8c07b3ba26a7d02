/** Whether an incident falls into a maintenance window now. */

import type { IncidentView } from '../domain/incident-view.js';
import { type MaintenanceWindow, type Occurrence, occurrenceAt } from '../domain/maintenance.js';
import { matchesAll } from './parse-matchers.js';

export type RunningWindow = Occurrence & { readonly comment: string };

/** The window that ends last of those that cover every firing alert; null when an alert is outside of all of them. */
export function maintenanceOf(
  windows: readonly MaintenanceWindow[],
  { alerts }: Pick<IncidentView, 'alerts'>,
  nowMs: number,
): RunningWindow | null {
  const firing = alerts.filter(({ status }) => status === 'firing');
  // What is over is judged by what it was.
  const judged = firing.length > 0 ? firing : alerts;
  if (judged.length === 0) return null;
  let last: RunningWindow | null = null;
  for (const window of windows) {
    const occurrence = occurrenceAt(window, nowMs);
    if (occurrence === null || (last !== null && last.endMs >= occurrence.endMs)) continue;
    if (!judged.every((alert) => matchesAll(window.matchers, alert.labels))) continue;
    last = { ...occurrence, comment: window.comment };
  }
  return last;
}
