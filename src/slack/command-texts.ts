/** What `/incident` answers by words: help and lists. mrkdwn: everything from outside is neutralised. */

import { publicId } from '../domain/incident.js';
import { placeOf } from '../domain/scope.js';
import { minutesBetween } from '../render/duration.js';
import { cut, slackLink, slackText } from '../render/neutralise.js';
import type { IncidentListItem } from '../store/incident-history.js';
import type { SlackDeps } from './slack-deps.js';

type Found = { readonly items: readonly IncidentListItem[]; readonly nextCursor: string | null };
type Look = Pick<SlackDeps, 'publicUrl' | 'clock'>;

const MARK = { open: ':red_circle:', acknowledged: ':eyes:', resolved: ':white_check_mark:' } as const;

export function helpText(found: Found, look: Look): string {
  return [
    listText(found, look),
    '',
    '`/incident list [open|acked|resolved] [crit|warn] [words]`',
    '`/incident show 412`   `/incident ack 412 [comment]`',
    '`/incident resolve 412 [what fixed it]`   `/incident reopen 412`',
    '`/incident note 412 what happened`   `/incident rerun 412`',
    '`/incident silence 412 1h [why]`',
  ].join('\n');
}

/** One line an incident, newest first. */
export function listText({ items, nextCursor }: Found, look: Look): string {
  if (items.length === 0) return ':white_check_mark: No incident fits.';
  const lines = items.map((item) => lineOf(item, look));
  if (nextCursor !== null) {
    const all = look.publicUrl === null ? null : `${look.publicUrl.replace(/\/+$/, '')}/incidents`;
    lines.push(`and older ones: ${slackLink(all, 'all incidents')}`);
  }
  return lines.join('\n');
}

/** Offers what the person may have meant. */
export function newestText(word: string, { items }: Found): string {
  const some = items.slice(0, 3).map((item) => `\`/incident ${word} ${item.id}\` ${whatOf(item)}`);
  const ask = `Which incident? For example \`/incident ${word} 412\`.`;
  return some.length === 0 ? ask : [ask, ...some].join('\n');
}

function lineOf(item: IncidentListItem, { publicUrl, clock }: Look): string {
  const url = publicUrl === null ? null : `${publicUrl.replace(/\/+$/, '')}/i/${item.id}`;
  const age = minutesBetween(item.openedAtMs, item.resolvedAtMs ?? clock.now());
  const who = item.acknowledgedBy === null ? '' : ` by ${slackText(cut(item.acknowledgedBy, 30))}`;
  const state = item.state === 'acknowledged' ? `acknowledged${who}` : item.state;
  return `${MARK[item.state]} ${slackLink(url, publicId(item.id))} ${item.severity}, ${state}, ${age}: ${whatOf(item)}`;
}

function whatOf(item: IncidentListItem): string {
  const what = `${cut(item.alertName, 60)} on ${cut(placeOf(item.scope), 60)}`;
  return slackText(item.verdictShort === null ? what : `${what}: ${cut(item.verdictShort, 60)}`);
}
