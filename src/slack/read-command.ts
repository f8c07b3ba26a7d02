/** `/incident ack 412 on it`: one command with words of its own. Slack escapes `&`, `<` and `>` in what is typed. */

import { parseDuration } from '../config/duration.js';
import { nearestWord } from '../config/suggest.js';
import { INCIDENT_STATES, type IncidentState, parsePublicId } from '../domain/incident.js';
import type { Severity } from '../domain/severity.js';

export type SlackCommand =
  | { readonly name: 'help' }
  | {
      readonly name: 'list';
      readonly state: readonly IncidentState[];
      readonly severity: Severity | null;
      readonly words: string;
    }
  | CommandedAct
  | { readonly name: 'show'; readonly incidentId: number }
  /** `forMs` is null where no duration was read. */
  | {
      readonly name: 'silence';
      readonly incidentId: number;
      readonly forMs: number | null;
      readonly text: string;
    }
  /** A known word without the incident it is about. */
  | { readonly name: 'which'; readonly word: string }
  | { readonly name: 'unknown'; readonly word: string; readonly near: string | null };

/** `text` is what follows the id: a comment, or what the note says. */
export type CommandedAct = {
  readonly name: CommandAct;
  readonly incidentId: number;
  readonly text: string;
};

export const COMMAND_ACTS = ['ack', 'resolve', 'reopen', 'note', 'rerun'] as const;
export type CommandAct = (typeof COMMAND_ACTS)[number];

const WORDS = ['help', 'list', 'show', 'silence', ...COMMAND_ACTS] as const;
const SAME_AS: Readonly<Record<string, (typeof WORDS)[number]>> = {
  '': 'help',
  '?': 'help',
  ls: 'list',
  acknowledge: 'ack',
  acked: 'ack',
  close: 'resolve',
  resolved: 'resolve',
  're-run': 'rerun',
  run: 'rerun',
  mute: 'silence',
};

/** Reads what was typed after `/incident`. Never throws. */
export function readCommand(typed: string): SlackCommand {
  const text = withoutEntities(typed).trim();
  const [first = '', ...rest] = text.split(/\s+/);
  const word = first.toLowerCase().slice(0, 60);
  const known =
    WORDS.find((one) => one === word) ?? (Object.hasOwn(SAME_AS, word) ? SAME_AS[word] : undefined);
  if (known === undefined) return { name: 'unknown', word, near: nearestWord(word, WORDS) };
  if (known === 'help') return { name: 'help' };
  if (known === 'list') return list(rest);
  const incidentId = parsePublicId(rest[0] ?? '');
  if (incidentId === null) return { name: 'which', word: known };
  if (known === 'show') return { name: 'show', incidentId };
  // With its own blanks and line breaks.
  const [, said = ''] = /^\S+\s+\S+\s+([\s\S]*)$/.exec(text) ?? [];
  if (known !== 'silence') return { name: known, incidentId, text: said.trim() };
  const [, duration = '', why = ''] = /^(\S*)\s*([\s\S]*)$/.exec(said) ?? [];
  return { name: 'silence', incidentId, forMs: parseDuration(duration), text: why.trim() };
}

/** `open`, `acked`, `resolved`, `crit`, `warn` filter; every other word is searched for. */
function list(words: readonly string[]): SlackCommand {
  const state: IncidentState[] = [];
  let severity: Severity | null = null;
  const others: string[] = [];
  for (const one of words) {
    const word = one.toLowerCase();
    const known = INCIDENT_STATES.find(
      (each) => each === word || (word === 'acked' && each === 'acknowledged'),
    );
    if (known !== undefined) state.push(known);
    else if (/^crit(?:ical)?$/.test(word)) severity = 'critical';
    else if (/^warn(?:ing)?$/.test(word)) severity = 'warning';
    else if (word === 'info') severity = 'info';
    else others.push(one);
  }
  const wanted = state.length > 0 ? state : (['open', 'acknowledged'] as const);
  return { name: 'list', state: wanted, severity, words: others.join(' ').slice(0, 200) };
}

function withoutEntities(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}
