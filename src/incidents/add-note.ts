/** Adds a sentence to the story of an incident. Works in every state. */

import type { Database } from '../store/database.js';
import { type ActRequest, type ActResult, act, tellReaders } from './act.js';

export function addNote(
  db: Database,
  request: ActRequest & { readonly comment: string },
): Promise<ActResult> {
  return act(db, request, async (tx, incident) => ({
    kind: 'changed',
    incident: await tellReaders(tx, incident, request, 'note', request.comment),
  }));
}
