/** Which alert of an incident leads: the cause, unless that would hide something more severe. */

import { compareSeverity, type Severity } from '../domain/severity.js';
import type { Explains } from './join-index.js';

type Leading = { readonly name: string; readonly severity: Severity };

/**
 * Whether an alert leads in place of the present lead. Where each explains the other the first stays, unless the second
 * is graver: a page is told by what pages, not by the warning that came before it.
 */
export function outranks(challenger: Leading, lead: Leading, explains: Explains): boolean {
  const graver = compareSeverity(challenger.severity, lead.severity);
  if (challenger.name === lead.name || graver < 0 || !explains(challenger.name, lead.name)) return false;
  return graver > 0 || !explains(lead.name, challenger.name);
}
