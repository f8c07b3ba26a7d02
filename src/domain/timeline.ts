/** The append-only story of an incident. */

export const TIMELINE_KINDS = [
  'opened',
  'reopened',
  'alert_joined',
  'alert_fired',
  'alert_resolved',
  'severity_raised',
  'diagnosed',
  'diagnosis_failed',
  'routed',
  'sent',
  'send_failed',
  'send_dropped',
  'acknowledged',
  'resolved',
  'reminded',
  'escalated',
  'note',
  'diagnosis_asked',
  'step_done',
  'feedback',
  'pager_resolved',
  'quarantined',
  'folded',
  'unfolded',
  'flapping',
  'storm',
  'listed',
  'silenced',
  'silence_ended',
  'inhibited',
  'reconciled',
  'resolve_reconciled',
  'late_copy',
  'shadowed',
  'maintenance',
] as const;
export type TimelineKind = (typeof TIMELINE_KINDS)[number];

export type TimelineEntry = {
  readonly id: number;
  readonly incidentId: number;
  readonly atMs: number;
  readonly kind: TimelineKind;
  /** One sentence: what happened and why. Plain text, possibly hostile: the renderer escapes it. */
  readonly text: string;
  /** Who: a person, or `alertmanager`, `wakewell`, a receiver's name. */
  readonly actor: string;
  /** Through what a person acted: "Slack", "the API"; null for what the service did by itself. */
  readonly via: string | null;
};

export type NewTimelineEntry = Omit<TimelineEntry, 'id' | 'via'> & { readonly via?: string | null };
