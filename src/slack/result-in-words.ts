/** What became of an act, as a sentence for the person who acted. mrkdwn: names are neutralised. */

import { type Incident, publicId } from '../domain/incident.js';
import { minutesBetween } from '../render/duration.js';
import { cut, slackText } from '../render/neutralise.js';
import type { SlackActResult } from './slack-deps.js';

export type SpokenAct = 'ack' | 'resolve' | 'reopen' | 'note' | 'rerun' | 'noise' | 'silence';

const CHANGED: Readonly<Record<SpokenAct, (id: string) => string>> = {
  ack: (id) => `${id} is yours. Pager and card are being told.`,
  resolve: (id) => `${id} is resolved. Pager and card are being told.`,
  reopen: (id) => `${id} is open again.`,
  note: (id) => `Noted on ${id}.`,
  rerun: (id) => `Running the checks of ${id} again. Its card shows the verdict in a few seconds.`,
  noise: (id) => `${id} is marked as noise. Thank you.`,
  silence: (id) => `${id} is silenced. Other alerts still page.`,
};

/** Never throws. `nowMs` is for "40s ago". */
export function resultInWords(
  act: SpokenAct,
  incidentId: number,
  result: Exclude<SlackActResult, { readonly kind: 'replayed' }>,
  nowMs: number,
): string {
  const id = publicId(incidentId);
  switch (result.kind) {
    case 'changed':
      return CHANGED[act](id);
    case 'same':
      return sameInWords(act, result.incident, nowMs);
    case 'stale':
      return `Not done: ${id} changed since that was drawn. It is ${stateInWords(result.incident, nowMs)}; its card is being redrawn. Look at it, then press again.`;
    case 'not_found':
      return `There is no ${id}.`;
    case 'illegal':
      return result.incident.state === 'resolved' && act === 'ack'
        ? `Not done: ${id} is ${stateInWords(result.incident, nowMs)}.`
        : `Not done: ${slackText(result.message)}.`;
  }
}

function sameInWords(act: SpokenAct, incident: Incident, nowMs: number): string {
  const id = publicId(incident.id);
  switch (act) {
    case 'ack':
    case 'resolve':
      return `${id} is already ${stateInWords(incident, nowMs)}.`;
    case 'rerun':
      return `The checks of ${id} are about to run already.`;
    case 'reopen':
      return `${id} is ${stateInWords(incident, nowMs)}, not resolved.`;
    case 'note':
    case 'noise':
    case 'silence':
      return `You said so of ${id} already.`;
  }
}

/** "acknowledged by mia 40s ago". */
function stateInWords(incident: Incident, nowMs: number): string {
  const { state, severity, acknowledgedAtMs, acknowledgedBy, resolvedAtMs, resolvedBy } = incident;
  if (state === 'open') return `open and ${severity}`;
  const [atMs, who] =
    state === 'acknowledged' ? [acknowledgedAtMs, acknowledgedBy] : [resolvedAtMs, resolvedBy];
  const by = who === null ? '' : ` by ${slackText(cut(who, 60))}`;
  return `${state}${by}${atMs === null ? '' : ` ${minutesBetween(atMs, nowMs)} ago`}`;
}
