/**
 * The one message of an incident in Slack: a live card, updated in place. Everything from outside goes through
 * `slackText`; `verbatim` keeps Slack from making links and channel names of what is left. Limits: Block Kit
 * (docs.slack.dev/reference/block-kit/blocks), and our own of 900 visible characters, which is what a phone
 * shows without scrolling far.
 */

import { createHash } from 'node:crypto';
import type { IncidentView } from '../domain/incident-view.js';
import type { FindingStatus } from '../domain/verdict.js';
import { type CardModel, cardModel, STATUS_WORD } from './card-model.js';
import { clockTime } from './duration.js';
import { headline, type SloLookup } from './headline.js';
import { clean, cut, escapeSlack, slackCode, slackLink, slackText } from './neutralise.js';
import { sparkline } from './sparkline.js';

/** Members of an umbrella in its card. */
const MAX_MEMBER_LINES = 6;

/** Visible characters of the whole card, mark-up and link targets not counted. */
export const CARD_BUDGET = 900;

export type SlackBlock = Readonly<Record<string, unknown>> & { readonly type: string };

export type SlackCard = {
  /** Phones and screen readers read only this. ≤ 110 characters before escaping. */
  readonly text: string;
  readonly blocks: readonly SlackBlock[];
  /** sha256 over what a reader sees, mention and block ids left out: equal means an update would change nothing. */
  readonly contentHash: string;
  readonly metadata: {
    readonly event_type: 'incident';
    readonly event_payload: { readonly id: string; readonly rev: number };
  };
};

export type SlackCardOptions = {
  /** Base of our own pages; null = no links. Nothing else is ever linked. */
  readonly publicUrl: string | null;
  readonly slo?: SloLookup;
  /** Ready mrkdwn (`<@U123>`), set only for the first post of a critical. */
  readonly mention?: string | null;
  /** Buttons, as Block Kit elements; none is drawn when absent. */
  readonly actions?: (view: IncidentView) => readonly SlackBlock[];
};

const SYMBOL: Readonly<Record<FindingStatus, string>> = {
  fail: ':x:',
  ok: ':white_check_mark:',
  unknown: ':grey_question:',
  skipped: ':fast_forward:',
};

const SEVERITY_WORD = {
  critical: ':red_circle: *CRITICAL*',
  warning: ':large_yellow_circle: *WARNING*',
  info: ':large_blue_circle: *INFO*',
} as const;

/** Draws the card for the incident's present state. Never throws; never above Slack's limits. */
export function renderSlackCard(view: IncidentView, options: SlackCardOptions): SlackCard {
  const model = cardModel(view, options);
  const rev = view.incident.revision;
  const url =
    options.publicUrl === null ? null : `${options.publicUrl.replace(/\/+$/, '')}/i/${view.incident.id}`;
  const budget = createBudget(CARD_BUDGET);
  const sections = sectionsOf(model, url, budget);
  const text = escapeSlack(headline(view, options));

  const blocks: SlackBlock[] = sections.map(({ id, lines, small }) => {
    const body = cut(lines.join('\n'), 2_900);
    const element = { type: 'mrkdwn', text: body, verbatim: true };
    return small === true
      ? { type: 'context', block_id: `${id}.${rev}`, elements: [element] }
      : { type: 'section', block_id: `${id}.${rev}`, text: element };
  });
  const actions = model.state === 'resolved' ? [] : (options.actions?.(view) ?? []);
  if (actions.length > 0)
    blocks.push({ type: 'actions', block_id: `a.${rev}`, elements: actions.slice(0, 25) });

  const contentHash = createHash('sha256')
    .update(JSON.stringify([text, blocks.map(({ block_id: _, ...shown }) => shown)]))
    .digest('hex');
  return {
    text,
    blocks: withMention(blocks, options.mention ?? null),
    contentHash,
    metadata: { event_type: 'incident', event_payload: { id: model.id, rev } },
  };
}

type Section = { readonly id: string; readonly lines: readonly string[]; readonly small?: boolean };

function sectionsOf(model: CardModel, url: string | null, budget: Budget): Section[] {
  const title = slackLink(url, budget.take(model.title, 120));
  if (model.state === 'resolved') return resolvedSections(model, title, budget);

  const sections: Section[] = [{ id: 'h', lines: headLines(model, title, budget) }];
  const full = model.severity === 'critical';
  sections.push({ id: 'v', lines: verdictLines(model, budget) });
  // What to do is worth more than the last check: it takes its share first.
  const fixes = fixLines(model, budget, full, url);
  const foot = footer(model, budget);
  const evidence = evidenceLines(model, budget, full);
  if (evidence.length > 0) sections.push({ id: 'e', lines: evidence });
  if (fixes.length > 0) sections.push({ id: 'f', lines: fixes });
  sections.push({ id: 'c', lines: [foot], small: true });
  return sections;
}

/** Two lines and nothing to press: a glance tells that there is nothing to do. */
function resolvedSections(model: CardModel, title: string, budget: Budget): Section[] {
  const cause =
    model.verdict === null
      ? (model.notDiagnosed?.says ?? '')
      : `${model.verdict.lead}: ${model.verdict.says}`;
  const second = [
    budget.take(cause, 160),
    model.alerts === null ? '' : budget.take(model.alerts, 120),
    model.id,
  ];
  return [
    {
      id: 'h',
      lines: [
        endLine(model, title, budget),
        second
          .filter((part) => part !== '')
          .map(slackText)
          .join(' · '),
      ],
    },
  ];
}

/** How it ended. What was folded is not over, so it looks different. */
function endLine(model: CardModel, title: string, budget: Budget): string {
  const [, word = 'RESOLVED', rest = ''] = /^(\w+) (.*)$/u.exec(model.stateLine ?? '') ?? [];
  const symbol = word === 'FOLDED' ? ':link:' : ':white_check_mark:';
  return `${symbol} *${word}*  ${title}  ${slackText(budget.take(rest, 120))}`;
}

function headLines(model: CardModel, title: string, budget: Budget): string[] {
  const facts = [model.slo, model.alerts, model.flapping?.advice ?? null, ...model.notes].filter(
    (fact) => fact !== null,
  );
  const said = facts.map((fact) => slackText(budget.take(fact, 120))).filter((fact) => fact !== '');
  const flapping =
    model.flapping === null ? '' : `:large_yellow_circle: *${budget.take(model.flapping.line, 60)}*\n`;
  // One that is taken or silenced differs by shape and word, so that nobody takes it up twice.
  const head =
    model.stateLine !== null
      ? `${model.silenced ? ':no_bell:' : ':eyes:'} *${slackText(budget.take(model.stateLine, model.silenced ? 140 : 90))}*\n${SEVERITY_WORD[model.severity]}  ${title}`
      : `${SEVERITY_WORD[model.severity]}  *${title}*`;
  return said.length === 0 ? [flapping + head] : [flapping + head, `${said.join('. ')}.`];
}

function verdictLines(model: CardModel, budget: Budget): string[] {
  if (model.notDiagnosed !== null) {
    const lines = [`*${slackText(budget.take(model.notDiagnosed.says, 200))}*`];
    if (model.byHand.length > 0) {
      lines.push('Checks to run by hand, in this order:');
      // Every name before the first query: half a query cannot be pasted, and the incident's page has it whole.
      const titles = model.byHand.map((check) => slackText(budget.take(check.title, 40)));
      const others = model.alsoUnseen.join(' · ');
      // Titles of a playbook, no labels of an alert: each is named, however many checks there are.
      const also = others === '' ? '' : budget.whole(`Not seen either: ${others}`, 1_200);
      model.byHand.forEach(({ query }, i) => {
        const shown =
          query === null || !budget.has(query.length) ? '' : ` ${slackCode(budget.take(query, 300), 300)}`;
        lines.push(`${i + 1}. ${titles[i]}${shown}`);
      });
      if (also !== '') lines.push(slackText(also));
    }
    return lines;
  }
  if (model.verdict === null) return ['*Not diagnosed*'];
  const { lead, says, confidence } = model.verdict;
  return [
    `*${lead}: ${slackText(budget.take(says, model.doFirst === null ? 260 : 160))}*  (${slackText(budget.take(confidence, 90))})`,
  ];
}

/** Whom an umbrella speaks for. */
function memberLines(model: CardModel, budget: Budget): string[] {
  const lines: string[] = [];
  for (const member of model.members) {
    if (lines.length === MAX_MEMBER_LINES || !budget.has(60)) break;
    lines.push(`• ${slackText(budget.take(member, 90))}`);
  }
  const left = model.members.length - lines.length;
  return left > 0 ? [...lines, `${left} more on the incident's page`] : lines;
}

/** A warning's card is shorter: what fails and what was not seen. */
function evidenceLines(model: CardModel, budget: Budget, full: boolean): string[] {
  // Each check is listed by hand already, with its query.
  if (model.notDiagnosed !== null) return [];
  if (model.members.length > 0) return memberLines(model, budget);
  const wanted = full
    ? model.evidence
    : model.evidence.filter((line) => line.status === 'fail' || line.status === 'unknown').slice(0, 3);
  const lines: string[] = [];
  for (const line of wanted) {
    if (!budget.has(50)) break;
    const title = slackText(budget.take(line.title, 28)) || 'check';
    const says = slackText(budget.take(line.says, 88));
    const bars = full && budget.has(8) ? budget.take(sparkline(line.trend), 8) : '';
    lines.push(`${SYMBOL[line.status]} *${title}* ${says}${bars === '' ? '' : `  ${bars}`}`);
  }
  if (lines.length < wanted.length)
    lines.push(`${wanted.length - lines.length} more checks on the incident's page`);
  const rest = full ? model.evidenceLeftOut : othersInWords(model, wanted.length);
  if (rest !== null) lines.push(slackText(budget.take(rest, 60)));
  if (full && model.absent !== null && budget.has(40)) lines.push(slackText(budget.take(model.absent, 110)));
  return lines;
}

function othersInWords(model: CardModel, shown: number): string | null {
  const others = model.evidence.length - shown;
  if (others <= 0) return null;
  const words = [...new Set(model.evidence.map((line) => line.status))]
    .filter((status) => status === 'ok' || status === 'skipped')
    .map(
      (status) => `${model.evidence.filter((line) => line.status === status).length} ${STATUS_WORD[status]}`,
    );
  return words.length === 0 ? null : `Other checks: ${words.join(', ')}`;
}

function fixLines(model: CardModel, budget: Budget, full: boolean, url: string | null): string[] {
  const lines: string[] = [];
  if (model.doFirst !== null) {
    const steps = full && url !== null ? ` ${slackLink(`${url}#fix`, 'all steps')}` : '';
    lines.push(`*Do first:* ${slackText(budget.take(model.doFirst.text, 150))}${steps}`);
  }
  if (model.doNot !== null) {
    const because = model.doNot.because === '' ? '' : `: ${model.doNot.because}`;
    lines.push(`*Do NOT:* ${slackText(budget.take(`${model.doNot.fix}${because}`, full ? 170 : 120))}`);
  }
  return lines;
}

function footer(model: CardModel, budget: Budget): string {
  const seconds = Math.floor(model.firedAtMs / 1000);
  // Each reader sees their own zone; the fallback names UTC.
  const fired = `fired <!date^${seconds}^{time}|${clockTime(model.firedAtMs)}>`;
  const paged = model.pagedReceivers.length === 0 ? null : `paged: ${model.pagedReceivers.join(', ')}`;
  const state = model.state === 'open' ? 'not acknowledged' : null;
  const parts = [model.id, fired, state, paged === null ? null : slackText(budget.take(paged, 60))];
  return parts.filter((part) => part !== null && part !== '').join(' · ');
}

function withMention(blocks: readonly SlackBlock[], mention: string | null): readonly SlackBlock[] {
  const [first, ...rest] = blocks;
  if (mention === null || first === undefined) return blocks;
  const text = first.text as { readonly text: string };
  return [{ ...first, text: { ...text, text: `${text.text}\n${mention}` } }, ...rest];
}

/** Hands out what is left of the card's visible characters, so that a hostile label starves itself only. */
type Budget = {
  readonly take: (text: string, max: number) => string;
  /** Takes what it needs, if that is more than is left as well. */
  readonly whole: (text: string, max: number) => string;
  readonly has: (characters: number) => boolean;
};

function createBudget(total: number): Budget {
  // Words of our own (symbols, "Do first:") and the footer are set aside from the start.
  let left = total - 270;
  return {
    has: (characters) => left >= characters,
    whole(text, max) {
      const taken = cut(clean(text), max);
      left -= taken.length;
      return taken;
    },
    take(text, max) {
      const taken = cut(clean(text), Math.min(max, Math.max(0, left)));
      left -= taken.length;
      return taken;
    },
  };
}
