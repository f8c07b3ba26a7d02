/** What people may do to an incident, as the API and the pages both call it. */

import { parseDuration } from '../config/duration.js';
import { AppError } from '../domain/errors.js';
import { FEEDBACK_RATINGS, type FeedbackRating } from '../domain/feedback.js';
import { type Incident, parsePublicId, publicId } from '../domain/incident.js';
import { MAX_SILENCE_MS, MIN_SILENCE_MS } from '../incidents/silence-incident.js';

export type ActionRequest = {
  readonly incidentId: number;
  readonly actor: string;
  /** Through what the person acts, for the timeline. */
  readonly via?: string | undefined;
  readonly comment?: string | undefined;
  /** A change based on an older revision is refused. */
  readonly expectedRevision?: number | undefined;
};

/** A silence that was placed in Alertmanager. */
export type PlacedSilence = { readonly id: string; readonly matchers: string; readonly endsAtMs: number };

export type ActionResult =
  | {
      readonly kind: 'changed' | 'same' | 'stale';
      readonly incident: Incident;
      readonly silences?: readonly PlacedSilence[];
    }
  | { readonly kind: 'not_found'; readonly message?: string }
  /** Only for calls that are signed. */
  | { readonly kind: 'replayed' }
  | { readonly kind: 'illegal'; readonly incident: Incident; readonly message: string };

type Act<More = unknown> = (request: ActionRequest & More) => Promise<ActionResult>;

export type IncidentActions = {
  readonly acknowledge: Act;
  readonly resolve: Act;
  readonly reopen: Act;
  readonly addNote: Act<{ readonly comment: string }>;
  /** Runs the checks again. */
  readonly askDiagnosis: Act;
  /** `step` counts from 1. */
  readonly markStep: Act<{ readonly step: number }>;
  readonly giveFeedback: Act<{ readonly rating: FeedbackRating }>;
  readonly silence: Act<{ readonly forMs: number }>;
};

/** Those that take nothing but a comment. */
export const ACTIONS = ['acknowledge', 'resolve', 'reopen', 'notes', 'diagnoses'] as const;
export type ActionName = (typeof ACTIONS)[number];

const MAX_COMMENT_CHARS = 4_000;

/** `412`, `INC-412`, `inc412` → 412. Throws `not_found` for anything else. */
export function readIncidentId(text: string | undefined): number {
  const id = parsePublicId(text ?? '');
  if (id === null) {
    throw new AppError(
      'not_found',
      `${JSON.stringify((text ?? '').slice(0, 60))} is no incident id, expected for example INC-412`,
    );
  }
  return id;
}

export function noSuchIncident(id: number): AppError {
  return new AppError('not_found', `there is no ${publicId(id)}`);
}

/** Carries out one action. Throws `bad_request` for a note without text or an endless comment. */
export function perform(
  actions: IncidentActions,
  name: ActionName,
  given: ActionRequest,
): Promise<ActionResult> {
  const request = withoutBlanks(given);
  switch (name) {
    case 'acknowledge':
      return actions.acknowledge(request);
    case 'resolve':
      return actions.resolve(request);
    case 'reopen':
      return actions.reopen(request);
    case 'diagnoses':
      return actions.askDiagnosis(request);
    case 'notes': {
      const { comment } = request;
      if (comment === undefined)
        throw new AppError('bad_request', 'comment: found nothing, expected the text of the note');
      return actions.addNote({ ...request, comment });
    }
  }
}

/** Marks a step of the advice as done. Throws `not_found` for what is no number of a step. */
export function performStep(
  actions: IncidentActions,
  step: string | undefined,
  given: ActionRequest,
): Promise<ActionResult> {
  if (!/^[1-9]\d{0,2}$/.test(step ?? ''))
    throw new AppError('not_found', 'steps are numbered from 1, as in steps/2');
  return actions.markStep({ ...withoutBlanks(given), step: Number(step) });
}

/** Keeps an opinion. Throws `bad_request` for one that is not known. */
export function performFeedback(
  actions: IncidentActions,
  rating: string | undefined,
  given: ActionRequest,
): Promise<ActionResult> {
  const known = FEEDBACK_RATINGS.find((one) => one === rating);
  if (known === undefined)
    throw new AppError(
      'bad_request',
      `rating: found ${JSON.stringify((rating ?? '').slice(0, 40))}, expected ${FEEDBACK_RATINGS.join(' or ')}`,
    );
  return actions.giveFeedback({ ...withoutBlanks(given), rating: known });
}

/** Asks for quiet. Throws `bad_request` for a span that is none, or out of bounds. */
export function performSilence(
  actions: IncidentActions,
  span: string | undefined,
  given: ActionRequest,
): Promise<ActionResult> {
  const forMs = parseDuration(span ?? '');
  if (forMs === null || forMs < MIN_SILENCE_MS || forMs > MAX_SILENCE_MS)
    throw new AppError(
      'bad_request',
      `for: found ${JSON.stringify((span ?? '').slice(0, 40))}, expected 1m to 30d, for example 1h`,
    );
  return actions.silence({ ...withoutBlanks(given), forMs });
}

function withoutBlanks(request: ActionRequest): ActionRequest {
  const comment = request.comment?.trim() ?? '';
  if (comment.length > MAX_COMMENT_CHARS) {
    throw new AppError(
      'bad_request',
      `comment: found ${comment.length} characters, expected at most ${MAX_COMMENT_CHARS}`,
    );
  }
  return { ...request, comment: comment === '' ? undefined : comment };
}
