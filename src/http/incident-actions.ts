/** What people may do to an incident, as the API and the pages both call it. */

import { AppError } from '../domain/errors.js';
import { type Incident, parsePublicId, publicId } from '../domain/incident.js';

export type ActionRequest = {
  readonly incidentId: number;
  readonly actor: string;
  readonly comment?: string | undefined;
  /** A change based on an older revision is refused. */
  readonly expectedRevision?: number | undefined;
};

export type ActionResult =
  | { readonly kind: 'changed' | 'same' | 'stale'; readonly incident: Incident }
  | { readonly kind: 'not_found' }
  | { readonly kind: 'illegal'; readonly incident: Incident; readonly message: string };

export type IncidentActions = {
  readonly acknowledge: (request: ActionRequest) => Promise<ActionResult>;
  readonly resolve: (request: ActionRequest) => Promise<ActionResult>;
  readonly addNote: (request: ActionRequest & { readonly comment: string }) => Promise<ActionResult>;
};

export const ACTIONS = ['acknowledge', 'resolve', 'notes'] as const;
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
  request: ActionRequest,
): Promise<ActionResult> {
  const comment = request.comment?.trim() ?? '';
  if (comment.length > MAX_COMMENT_CHARS) {
    throw new AppError(
      'bad_request',
      `comment: found ${comment.length} characters, expected at most ${MAX_COMMENT_CHARS}`,
    );
  }
  switch (name) {
    case 'acknowledge':
      return actions.acknowledge({ ...request, comment: comment === '' ? undefined : comment });
    case 'resolve':
      return actions.resolve({ ...request, comment: comment === '' ? undefined : comment });
    case 'notes':
      if (comment === '')
        throw new AppError('bad_request', 'comment: found nothing, expected the text of the note');
      return actions.addNote({ ...request, comment });
  }
}
