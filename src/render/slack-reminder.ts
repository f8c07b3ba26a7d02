/** What is said below a card when nobody took the incident, or when it goes on to somebody: with a mention, since an update reaches no phone. */

import { publicId } from '../domain/incident.js';
import type { IncidentView } from '../domain/incident-view.js';
import { headline, type SloLookup } from './headline.js';
import { cut, escapeSlack, slackText } from './neutralise.js';
import type { SlackBlock } from './slack-card.js';

export type SlackReminder = {
  readonly text: string;
  readonly blocks: readonly SlackBlock[];
  readonly metadata: {
    readonly event_type: 'incident_reminder';
    readonly event_payload: { readonly id: string; readonly notification: number };
  };
};

/** Says the newest reminder or escalation of the episode. `mention` is ready mrkdwn or null. */
export function renderSlackReminder(
  view: IncidentView,
  options: { readonly notificationId: number; readonly mention?: string | null; readonly slo?: SloLookup },
): SlackReminder {
  const mention = options.mention == null ? '' : `${options.mention} `;
  const said = view.timeline.findLast(
    (entry) =>
      (entry.kind === 'reminded' || entry.kind === 'escalated') && entry.atMs >= view.episode.startedAtMs,
  );
  const line = headline(view, options);
  const why = said?.text ?? 'Nobody has taken this yet';
  return {
    text: `${mention}${escapeSlack(line)}`,
    blocks: [
      {
        type: 'section',
        text: {
          type: 'mrkdwn',
          text: `${mention}*${slackText(cut(why, 300))}*\n${slackText(line)}`,
          verbatim: true,
        },
      },
    ],
    metadata: {
      event_type: 'incident_reminder',
      event_payload: { id: publicId(view.incident.id), notification: options.notificationId },
    },
  };
}
