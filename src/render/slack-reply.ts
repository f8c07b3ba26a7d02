/** The verdict that came after the card: said in the thread with a mention, because an update in place reaches no phone. */

import type { IncidentView } from '../domain/incident-view.js';
import { cardModel } from './card-model.js';
import { headline, type SloLookup } from './headline.js';
import { cut, escapeSlack, slackText } from './neutralise.js';
import type { SlackBlock } from './slack-card.js';

export type SlackReply = {
  readonly text: string;
  readonly blocks: readonly SlackBlock[];
  readonly metadata: {
    readonly event_type: 'incident_verdict';
    readonly event_payload: { readonly id: string; readonly diagnosis: number };
  };
};

/** A reply to the card with verdict, first fix and wrong fix. `mention` is ready mrkdwn or null. */
export function renderVerdictReply(
  view: IncidentView,
  options: { readonly mention?: string | null; readonly slo?: SloLookup },
): SlackReply {
  const model = cardModel(view, options);
  const mention = options.mention == null ? '' : `${options.mention} `;
  const said =
    model.verdict === null
      ? (model.notDiagnosed?.says ?? 'Not diagnosed')
      : `${model.verdict.lead}: ${model.verdict.says}`;
  const lines = [`${mention}*${slackText(cut(said, 300))}*`];
  if (model.verdict !== null) lines.push(`(${slackText(cut(model.verdict.confidence, 120))})`);
  if (model.doFirst !== null) lines.push(`*Do first:* ${slackText(cut(model.doFirst.text, 300))}`);
  if (model.doNot !== null) {
    lines.push(`*Do NOT:* ${slackText(cut(`${model.doNot.fix}: ${model.doNot.because}`, 300))}`);
  }
  return {
    text: `${mention}${escapeSlack(headline(view, options))}`,
    blocks: [
      { type: 'section', text: { type: 'mrkdwn', text: cut(lines.join('\n'), 2_900), verbatim: true } },
    ],
    metadata: {
      event_type: 'incident_verdict',
      event_payload: { id: model.id, diagnosis: view.diagnosis?.id ?? 0 },
    },
  };
}
