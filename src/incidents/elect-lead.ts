/** Which alert of an incident leads: the cause, unless that would hide something more severe. */

import { compareSeverity, type Severity } from '../domain/severity.js';
import type { Explains } from './join-index.js';

type Leading = { readonly name: string; readonly severity: Severity };

/** Whether an alert leads in place of the present lead. Where each explains the other, the first stays. */
export function outranks(challenger: Leading, lead: Leading, explains: Explains): boolean {
  if (challenger.name === lead.name || compareSeverity(challenger.severity, lead.severity) < 0) return false;
  return explains(challenger.name, lead.name) && !explains(lead.name, challenger.name);
}
