/** Turns a cause as written into one that the verdict can weigh, and says everything that is wrong with it. */

import { withMilderLevels } from '../catalog/milder-levels.js';
import { createComparer } from './compile-step.js';
import { isComputed } from './computed.js';
import type { RawCause, RawFix, RawRequirement } from './entry-file.js';
import type { Path } from './faults.js';
import { halfPlaceholdersOf, placeholdersOf } from './interpolate.js';
import type { PlaybookCause, PlaybookFix, PlaybookStep, Requirement, StepRequirement } from './schema.js';
import { type FaultSink, isNumberName, numberNames, STEP_TEXTS, type Vocabulary } from './vocabulary.js';

export type CauseContext = {
  /** Steps that the cause may refer to, by id. */
  readonly steps: ReadonlyMap<string, PlaybookStep>;
  readonly words: Vocabulary;
  readonly sink: FaultSink;
};

const STATUS_WORDS = /^(?<not>not )?(?<status>fail|ok|missing)(?: on (?<on>most|few) workers)?$/;
/** The lock screen has room for no more. */
export const MAX_SHORT_CHARS = 40;

export function compileCause(id: string, raw: RawCause, path: Path, context: CauseContext): PlaybookCause {
  const requirements = (key: 'requires' | 'refuted_by') =>
    raw[key].flatMap((one, index) => requirement(one, [...path, key, index], context) ?? []);
  checkTexts(raw, path, context);
  if (raw.short !== undefined && raw.short.replace(/\{[^}]*\}/g, '').length > MAX_SHORT_CHARS) {
    context.sink.add(
      [...path, 'short'],
      `found ${raw.short.length} characters, expected at most ${MAX_SHORT_CHARS}: it is for the lock screen`,
    );
  }
  return {
    id,
    says: raw.says,
    short: raw.short ?? raw.says,
    requires: requirements('requires'),
    refutedBy: requirements('refuted_by'),
    beats: raw.beats,
    explains: withMilderLevels(raw.explains),
    fixes: raw.fixes.map((fix, index) => compileFix(fix, [...path, 'fixes', index], context)),
    doNot: raw.do_not.map(({ fix, because, lever }) => ({ fix, because, lever: lever ?? null })),
  };
}

function compileFix(raw: RawFix, path: Path, context: CauseContext): PlaybookFix {
  return {
    do: raw.do,
    command:
      raw.command === undefined ? {} : typeof raw.command === 'string' ? { any: raw.command } : raw.command,
    expect: raw.expect ?? null,
    protects: raw.protects ?? null,
    needs: raw.needs,
    risk: raw.risk ?? null,
    lever: raw.lever ?? null,
    onlyIf: raw.only_if === undefined ? null : requirement(raw.only_if, [...path, 'only_if'], context),
    unless: raw.unless,
  };
}

/** `kv_cache: fail on most workers`, or `any_of` several of those. Null when nothing of it can be used. */
export function requirement(raw: RawRequirement, path: Path, context: CauseContext): Requirement | null {
  const { means, must, ...rest } = raw as Readonly<Record<string, string | true>>;
  if (must !== undefined && must !== true)
    context.sink.add([...path, 'must'], `found "${must}", expected true`);
  for (const [step, what] of Object.entries(rest))
    if (what === true) context.sink.add([...path, step], `found true, expected e.g. "${step}: fail"`);
  const alternatives = isAnyOf(raw)
    ? raw.any_of.map((one, index) => ({ one, at: [...path, 'any_of', index] as Path }))
    : [{ one: rest as Readonly<Record<string, string>>, at: path }];
  const anyOf = alternatives.flatMap(({ one, at }) => stepRequirement(one, at, context) ?? []);
  return anyOf.length === 0
    ? null
    : { anyOf, means: typeof means === 'string' ? means : null, must: must === true };
}

function isAnyOf(raw: RawRequirement): raw is { any_of: Record<string, string>[] } {
  return Array.isArray((raw as { any_of?: unknown }).any_of);
}

function stepRequirement(
  raw: Readonly<Record<string, string>>,
  path: Path,
  context: CauseContext,
): StepRequirement | null {
  const { steps, words, sink } = context;
  const [pair, ...others] = Object.entries(raw).filter((one) => typeof one[1] === 'string');
  if (pair === undefined || others.length > 0) {
    sink.add(
      path,
      `found ${Object.keys(raw).length} steps in one requirement, expected one, e.g. "- kv_cache: fail"`,
    );
    return null;
  }
  const [step, text] = pair;
  const known = steps.get(step);
  if (known === undefined) {
    sink.unknown([...path, step], 'step', step, steps.keys(), 'key');
    return null;
  }
  const status = STATUS_WORDS.exec(text)?.groups;
  if (status !== undefined) {
    if (known.read.kind === 'by_hand')
      sink.add([...path, step], `step "${step}" is done by hand and never has a result`);
    const on = (status.on ?? null) as 'most' | 'few' | null;
    if (status.status !== 'fail' && (status.not !== undefined || on !== null)) {
      sink.add(
        [...path, step],
        `found "${text}", expected "ok", "missing", "fail", "not fail" or "fail on most workers"`,
      );
      return null;
    }
    const word =
      status.status !== 'fail'
        ? (status.status as 'ok' | 'missing')
        : status.not === undefined
          ? 'fail'
          : 'not_fail';
    return { step, text, is: { kind: 'status', status: word, on } };
  }
  if (text === 'rising' || text === 'falling') return { step, text, is: { kind: text } };
  if (!/[<>]/.test(text)) {
    sink.unknown([...path, step], 'requirement', text, [
      'fail',
      'ok',
      'not fail',
      'fail on most workers',
      'fail on few workers',
      'not fail on most workers',
      'missing',
      'rising',
      'falling',
    ]);
    return null;
  }
  const compare = createComparer(numberNames(known.with.map((extra) => extra.name)), words, sink);
  const comparison = compare(text, [...path, step]);
  return comparison === null ? null : { step, text, is: { kind: 'compare', comparison } };
}

function checkTexts(raw: RawCause, path: Path, context: CauseContext): void {
  const texts: [Path, string][] = [[[...path, 'says'], raw.says]];
  if (raw.short !== undefined) texts.push([[...path, 'short'], raw.short]);
  for (const [index, fix] of raw.fixes.entries()) {
    const at = [...path, 'fixes', index];
    texts.push([[...at, 'do'], fix.do]);
    if (fix.expect !== undefined) texts.push([[...at, 'expect'], fix.expect]);
    if (fix.risk !== undefined) texts.push([[...at, 'risk'], fix.risk]);
    if (typeof fix.command === 'string') texts.push([[...at, 'command'], fix.command]);
    else
      for (const [engine, command] of Object.entries(fix.command ?? {}))
        texts.push([[...at, 'command', engine], command]);
  }
  for (const [index, wrong] of raw.do_not.entries()) {
    texts.push(
      [[...path, 'do_not', index, 'fix'], wrong.fix],
      [[...path, 'do_not', index, 'because'], wrong.because],
    );
  }
  for (const [at, text] of texts) checkText(text, at, context);
}

function checkText(text: string, path: Path, { steps, sink }: CauseContext): void {
  for (const half of halfPlaceholdersOf(text))
    sink.add(path, `found ${half}, expected {step.number}, e.g. {kv_cache.max}`);
  for (const placeholder of placeholdersOf(text)) {
    if (placeholder.step === 'scope' || isComputed(placeholder.step, placeholder.name)) continue;
    const step = steps.get(placeholder.step);
    if (step === undefined) {
      sink.unknown(path, `step in ${placeholder.text}:`, placeholder.step, steps.keys());
      continue;
    }
    const names = new Set([...numberNames(step.with.map((extra) => extra.name)), ...STEP_TEXTS]);
    if (!isNumberName(names, placeholder.name))
      sink.unknown(path, `number in ${placeholder.text}:`, placeholder.name, names);
  }
}
