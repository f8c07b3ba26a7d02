/** Our record of one problem over time, and the changes of state that are legal. */

import type { Cycle } from './cycles.js';
import type { Scope } from './scope.js';
import type { Severity } from './severity.js';
import type { SureVerdict } from './sure-verdict.js';

export const INCIDENT_STATES = ['open', 'acknowledged', 'resolved'] as const;
export type IncidentState = (typeof INCIDENT_STATES)[number];

/** Independent of the state: an incident may be acknowledged and silenced at once. */
export type IncidentFlags = {
  /** Alertmanager silences every alert of it that fires: nobody is paged or reminded. */
  readonly silenced: boolean;
  /** It still fires, but its objective is met again. */
  readonly recovering: boolean;
  /** It fires and resolves in turn. */
  readonly flapping: boolean;
  /** An umbrella speaks for it and for its neighbours. */
  readonly inStorm: boolean;
};

export const NO_FLAGS: IncidentFlags = {
  silenced: false,
  recovering: false,
  flapping: false,
  inStorm: false,
};

/** Source of what we say of ourselves; a webhook token of this name would share its identity. */
export const OWN_SOURCE = 'wakewell';

export const INCIDENT_KINDS = ['problem', 'storm', 'bundle'] as const;
/**
 * problem: what alerts opened. The others are umbrellas, which speak for several problems: storm, for all of a cluster
 * that came at once; bundle, for criticals beyond what a pager may be sent.
 */
export type IncidentKind = (typeof INCIDENT_KINDS)[number];

/** A silence as people ask for it: by whom, why, until when. */
export type Silence = { readonly by: string; readonly comment: string; readonly untilMs: number | null };

export type Incident = {
  readonly id: number;
  readonly kind: IncidentKind;
  readonly source: string;
  /** Name of the lead alert. */
  readonly alertName: string;
  readonly alertKey: string;
  readonly severity: Severity;
  readonly severityNote: string | null;
  readonly scope: Scope;
  readonly state: IncidentState;
  readonly flags: IncidentFlags;
  /** Set with `flags.silenced`: of the silences that cover it the one that ends first. */
  readonly silence: Silence | null;
  /** Counts every change that a reader could see; a button carries it so that a stale click is noticed. */
  readonly revision: number;
  readonly episodeId: number;
  readonly openedAtMs: number;
  readonly acknowledgedAtMs: number | null;
  readonly acknowledgedBy: string | null;
  readonly resolvedAtMs: number | null;
  readonly resolvedBy: string | null;
  readonly reopenedCount: number;
  /** The umbrella of the storm that it came with, also after the storm. */
  readonly stormId: number | null;
  /** The incident that goes on for it. */
  readonly foldedInto: number | null;
  /** What the cause explains that was found in the present episode; null while none is known surely. */
  readonly sureVerdict: SureVerdict | null;
  /** When it fired and resolved lately, oldest first. */
  readonly cycles: readonly Cycle[];
};

/** One firing period of an incident. Its dedup key is what a pager collapses repeats on. */
export type Episode = {
  readonly id: number;
  readonly incidentId: number;
  readonly number: number;
  readonly dedupKey: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
  readonly severity: Severity;
  /** When a resolve of this episode was first attempted at a pager. After that no trigger of it may be sent. */
  readonly resolveAttemptedAtMs: number | null;
  /** Why it is told as a new period though its alerts kept firing: "silence by mia ended". Null when they began to fire. */
  readonly because: string | null;
  /** When and by whom it was resolved at the pager, while it went on here; null when it was not. */
  readonly pagerResolvedAtMs: number | null;
  readonly pagerResolvedBy: string | null;
};

/** `INC-412`. */
export function publicId(id: number): string {
  return `INC-${id}`;
}

/** Reads `412`, `INC-412`, `inc412`; null for anything else. */
export function parsePublicId(text: string): number | null {
  const digits = /^(?:inc-?)?([1-9]\d{0,14})$/i.exec(text.trim())?.[1];
  return digits === undefined ? null : Number(digits);
}

export type Change = 'acknowledge' | 'resolve' | 'reopen';

/** The state after a change, or null when the change is not legal from here. Repeating one is not an error: `same` says so. */
export function nextState(
  state: IncidentState,
  change: Change,
): { readonly state: IncidentState; readonly same: boolean } | null {
  switch (change) {
    case 'acknowledge':
      if (state === 'resolved') return null;
      return { state: 'acknowledged', same: state === 'acknowledged' };
    case 'resolve':
      return { state: 'resolved', same: state === 'resolved' };
    case 'reopen':
      return { state: state === 'resolved' ? 'open' : state, same: state !== 'resolved' };
  }
}
