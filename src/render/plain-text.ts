/** The card as plain text: 80 columns for the terminal and the log, unbroken for `/outbox` and a Slack that refuses blocks. */

import type { IncidentView } from '../domain/incident-view.js';
import type { FindingStatus } from '../domain/verdict.js';
import { cardModel } from './card-model.js';
import { clockTime } from './duration.js';
import { headline, type SloLookup } from './headline.js';
import { clean, cut } from './neutralise.js';
import { sparkline } from './sparkline.js';

const COLUMNS = 80;

/** Members of an umbrella. */
const MAX_MEMBERS = 20;

const MARK: Readonly<Record<FindingStatus, string>> = { fail: '✗', ok: '✓', unknown: '?', skipped: '»' };

export type PlainTextOptions = {
  readonly publicUrl?: string | null;
  readonly slo?: SloLookup;
  /** 80 when absent. Infinity leaves the breaking to the reader: a phone would break broken lines again. */
  readonly columns?: number;
};

/** Several lines, each at most `columns` long, no control characters but the newline between them. */
export function renderPlainText(view: IncidentView, options: PlainTextOptions = {}): string {
  const model = cardModel(view, options);
  const columns = options.columns ?? COLUMNS;
  const lines: string[] = [...wrap(headline(view, options), '', columns), ''];
  const say = (text: string, indent = '  ') => lines.push(...wrap(cut(clean(text), 1_500), indent, columns));

  if (model.stateLine !== null) say(model.stateLine, '');
  if (model.flapping !== null) {
    say(model.flapping.line, '');
    say(model.flapping.advice, '');
  }
  for (const fact of [model.alerts, ...model.notes]) if (fact !== null) say(fact, '');
  if (lines.at(-1) !== '') lines.push('');

  if (model.notDiagnosed !== null) {
    say(model.notDiagnosed.says, '');
    if (model.byHand.length > 0) lines.push('Checks to run by hand, in this order:');
    model.byHand.forEach((check, i) => {
      say(`${i + 1}. ${check.title}${check.query === null ? '' : `: ${check.query}`}`, '  ');
    });
    if (model.alsoUnseen.length > 0) say(`Not seen either: ${model.alsoUnseen.join(' · ')}`, '');
  } else if (model.verdict !== null) {
    say(`${model.verdict.lead}: ${model.verdict.says}`, '');
    say(`(${model.verdict.confidence})`, '');
  }
  if (model.notDiagnosed === null && model.evidence.length > 0) {
    lines.push('');
    for (const line of model.evidence) {
      const bars = sparkline(line.trend);
      say(`${MARK[line.status]} ${line.title}: ${line.says}${bars === '' ? '' : ` ${bars}`}`);
    }
    if (model.evidenceLeftOut !== null) say(model.evidenceLeftOut);
    if (model.absent !== null) say(model.absent);
  }
  if (model.members.length > 0) lines.push('');
  for (const member of model.members.slice(0, MAX_MEMBERS)) say(member);
  if (model.members.length > MAX_MEMBERS) say(`${model.members.length - MAX_MEMBERS} more`);
  if (model.doFirst !== null) {
    lines.push('');
    say(`Do first: ${model.doFirst.text}`, '');
    // A command is copied, so it keeps its one line and may be wider than the rest.
    if (model.doFirst.command !== null) lines.push(`    $ ${cut(clean(model.doFirst.command), 400)}`);
    if (model.doFirst.expect !== null) say(`expect: ${model.doFirst.expect}`, '    ');
  }
  if (model.doNot !== null) say(`Do NOT: ${model.doNot.fix}: ${model.doNot.because}`, '');
  lines.push('');
  say(
    `${model.id} · fired ${clockTime(model.firedAtMs)} · ${model.state}${model.silenced ? ', silenced' : ''}`,
    '',
  );
  if (options.publicUrl != null) lines.push(`${options.publicUrl.replace(/\/+$/, '')}/i/${view.incident.id}`);
  return lines.join('\n');
}

/** Breaks at spaces; a word longer than a line is cut into pieces. Further lines are indented by two more. */
function wrap(text: string, indent: string, columns: number): string[] {
  const lines: string[] = [];
  let line = indent;
  let empty = true;
  for (const word of text.split(' ')) {
    for (const piece of pieces(word, columns - indent.length - 2)) {
      if (!empty && line.length + 1 + piece.length > columns) {
        lines.push(line);
        line = `${indent}  `;
        empty = true;
      }
      line += empty ? piece : ` ${piece}`;
      empty = false;
    }
  }
  lines.push(line);
  return lines;
}

function pieces(word: string, size: number): string[] {
  const parts: string[] = [];
  for (let i = 0; i < word.length; i += size) parts.push(word.slice(i, i + size));
  return parts.length === 0 ? [''] : parts;
}
