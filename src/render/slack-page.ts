/** A page that no pager took, said in a channel: a message of its own with a mention, because an updated card reaches no phone. */

import type { BareFacts } from '../domain/bare-facts.js';
import { publicId } from '../domain/incident.js';
import type { IncidentView } from '../domain/incident-view.js';
import { bareText, bareUrl } from './bare-message.js';
import { cardModel } from './card-model.js';
import { headline, type SloLookup } from './headline.js';
import { cut, escapeSlack, slackLink, slackText } from './neutralise.js';
import type { SlackBlock } from './slack-card.js';

export type SlackPage = {
  readonly text: string;
  readonly blocks: readonly SlackBlock[];
  readonly metadata: {
    readonly event_type: 'incident_page';
    readonly event_payload: { readonly id: string; readonly episode: number };
  };
};

export type SlackPageOptions = {
  readonly publicUrl: string | null;
  readonly slo?: SloLookup;
  /** Ready mrkdwn or null. */
  readonly mention: string | null;
  /** The pager that did not accept it. */
  readonly notTakenBy: string | null;
  /** The pager that accepted it and whose people did not acknowledge it. */
  readonly notAnsweredBy: string | null;
};

/** Headline, link, first fix and wrong fix; who is mentioned takes it. */
export function renderSlackPage(view: IncidentView, options: SlackPageOptions): SlackPage {
  const model = cardModel(view, options);
  const line = headline(view, options);
  const url =
    options.publicUrl === null ? null : `${options.publicUrl.replace(/\/+$/, '')}/i/${view.incident.id}`;
  const lines = [`${before(options.mention)}${whyHere(options)}`, `:red_circle: *${slackLink(url, line)}*`];
  if (model.doFirst !== null) lines.push(`*Do first:* ${slackText(cut(model.doFirst.text, 300))}`);
  if (model.doNot !== null) {
    lines.push(`*Do NOT:* ${slackText(cut(`${model.doNot.fix}: ${model.doNot.because}`, 300))}`);
  }
  return {
    text: `${before(options.mention)}${escapeSlack(line)}`,
    blocks: [
      { type: 'section', text: { type: 'mrkdwn', text: cut(lines.join('\n'), 2_900), verbatim: true } },
    ],
    metadata: {
      event_type: 'incident_page',
      event_payload: { id: publicId(view.incident.id), episode: view.episode.number },
    },
  };
}

/** The same from bare facts: one line of text and the link, no blocks that could be refused. */
export function bareSlackText(
  facts: BareFacts,
  options: { readonly publicUrl: string | null; readonly mention: string | null },
): string {
  const url = bareUrl(facts, options.publicUrl);
  return `${before(options.mention)}${slackText(bareText(facts))}${url === null ? '' : ` ${slackLink(url, 'all there is')}`}`;
}

function before(mention: string | null): string {
  return mention === null ? '' : `${mention} `;
}

function whyHere({ notTakenBy, notAnsweredBy }: SlackPageOptions): string {
  if (notAnsweredBy !== null) {
    return `*Nobody at ${slackText(cut(notAnsweredBy, 60))} has acknowledged this page: whoever reads it here takes it.*`;
  }
  return notTakenBy === null
    ? '*This page has no other way to you.*'
    : `*This page was not accepted by ${slackText(cut(notTakenBy, 60))}: whoever reads it here takes it.*`;
}
