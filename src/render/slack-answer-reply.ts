/** What is said below a card to whoever pressed on it, when Slack could not show the answer to that person alone. */

import { publicId } from '../domain/incident.js';
import type { IncidentView } from '../domain/incident-view.js';
import { cardModel } from './card-model.js';
import { cut, slackText } from './neutralise.js';

export type SlackAnswerReply = {
  readonly text: string;
  readonly blocks: readonly never[];
  readonly metadata: {
    readonly event_type: 'incident_answer';
    readonly event_payload: { readonly id: string; readonly notification: number };
  };
};

/** The incident's state as it is now, which answers whatever was pressed. Nobody is mentioned. */
export function renderSlackAnswerReply(
  view: IncidentView,
  { notificationId }: { readonly notificationId: number },
): SlackAnswerReply {
  const id = publicId(view.incident.id);
  const state = cardModel(view).stateLine ?? 'open, not acknowledged';
  return {
    text: `Slack could not show the answer to a press on this card. ${id}: ${slackText(cut(state, 200))}.`,
    blocks: [],
    metadata: {
      event_type: 'incident_answer',
      event_payload: { id, notification: notificationId },
    },
  };
}
