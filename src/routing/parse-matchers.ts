/**
 * Alertmanager's matcher syntax: `severity="critical"`, `team=~"ml|infra"`, `{a="b", c!=d}`.
 * Source: prometheus.io/docs/alerting/latest/configuration/#matcher (names may be quoted since 0.27,
 * values may be bare; in quotes `\"`, `\\` and `\n` are escapes).
 */

import { AppError } from '../domain/errors.js';
import { type Labels, labelValue, type Matcher, type MatchOperator } from '../domain/labels.js';
import { compilePattern } from './compile-pattern.js';

export type ParsedMatchers =
  | { readonly kind: 'ok'; readonly matchers: readonly Matcher[] }
  | { readonly kind: 'faulty'; readonly message: string };

/** A label name as Prometheus takes it without quotes. */
const BARE_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:.-]*/;
/** Everything a bare value may hold: no quotes, braces, commas or blanks. */
const BARE_VALUE = /^[^\s"{},]+/;

/**
 * Reads one matcher or a comma separated list, with or without braces. Never throws: the message names
 * the place and what was expected, and a pattern that could run for ever is refused here.
 */
export function parseMatchers(text: string): ParsedMatchers {
  try {
    return { kind: 'ok', matchers: readList(text) };
  } catch (error) {
    if (error instanceof AppError) return { kind: 'faulty', message: error.message };
    throw error;
  }
}

/** `severity="critical", team=~"ml|infra"`: the form a reader can paste back into the configuration. */
export function formatMatchers(matchers: readonly Matcher[]): string {
  return matchers.map((m) => `${m.name}${m.operator}${JSON.stringify(m.value)}`).join(', ');
}

/** Whether all matchers hold. An absent label equals "". A pattern that does not compile matches nothing. */
export function matchesAll(matchers: readonly Matcher[], labels: Labels): boolean {
  return matchers.every((matcher) => matchesOne(matcher, labelValue(labels, matcher.name) ?? ''));
}

function matchesOne(matcher: Matcher, value: string): boolean {
  switch (matcher.operator) {
    case '=':
      return value === matcher.value;
    case '!=':
      return value !== matcher.value;
    case '=~':
    case '!~': {
      const pattern = compilePattern(matcher.value);
      if (pattern.kind === 'refused') return false;
      return pattern.test(value) === (matcher.operator === '=~');
    }
  }
}

function readList(text: string): Matcher[] {
  let rest = text.trim();
  if (rest.startsWith('{')) {
    if (!rest.endsWith('}')) throw fault(`${quote(text)}: "{" without "}"`);
    rest = rest.slice(1, -1);
  }
  const matchers: Matcher[] = [];
  rest = rest.trimStart();
  while (rest !== '') {
    const [matcher, after] = readOne(rest, text);
    matchers.push(matcher);
    rest = after.trimStart();
    if (rest === '') break;
    if (!rest.startsWith(',')) throw fault(`${quote(text)}: expected "," before ${quote(rest)}`);
    rest = rest.slice(1).trimStart();
  }
  if (matchers.length === 0) {
    throw fault(`${quote(text)}: no matcher found, expected for example severity="critical"`);
  }
  return matchers;
}

function readOne(input: string, whole: string): [Matcher, string] {
  const [name, afterName] = input.startsWith('"') ? readQuoted(input, whole) : readBareName(input, whole);
  const operatorAt = afterName.trimStart();
  const operator = /^(=~|!~|!=|=)/.exec(operatorAt)?.[1] as MatchOperator | undefined;
  if (operator === undefined) {
    throw fault(`${quote(whole)}: expected =, !=, =~ or !~ after ${quote(name)}`);
  }
  const valueAt = operatorAt.slice(operator.length).trimStart();
  const [value, rest] = valueAt.startsWith('"') ? readQuoted(valueAt, whole) : readBareValue(valueAt);
  if (operator === '=~' || operator === '!~') {
    const pattern = compilePattern(value);
    if (pattern.kind === 'refused') {
      throw fault(`${quote(whole)}: pattern ${quote(value)} ${pattern.why}`);
    }
  }
  return [{ name, operator, value }, rest];
}

function readBareName(input: string, whole: string): [string, string] {
  const name = BARE_NAME.exec(input)?.[0];
  if (name === undefined) throw fault(`${quote(whole)}: expected a label name at ${quote(input)}`);
  return [name, input.slice(name.length)];
}

function readBareValue(input: string): [string, string] {
  const value = BARE_VALUE.exec(input)?.[0] ?? '';
  return [value, input.slice(value.length)];
}

function readQuoted(input: string, whole: string): [string, string] {
  let value = '';
  for (let i = 1; i < input.length; i++) {
    const char = input.charAt(i);
    if (char === '"') return [value, input.slice(i + 1)];
    if (char === '\\') {
      i++;
      const escaped = input.charAt(i);
      if (escaped === 'n') value += '\n';
      else if (escaped === '"' || escaped === '\\') value += escaped;
      // Other escapes belong to the pattern (`\d`, `\.`), as in Alertmanager.
      else value += `\\${escaped}`;
      continue;
    }
    value += char;
  }
  throw fault(`${quote(whole)}: a quoted text is not closed`);
}

/** Travels up the reader and becomes a value at its edge. */
function fault(message: string): AppError {
  return new AppError('bad_request', message);
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
