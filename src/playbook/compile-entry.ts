/** Puts an entry together from its file and the shared steps and causes, and cross-checks it. */

import type { Matcher } from '../domain/labels.js';
import { compileCause } from './compile-cause.js';
import { compileEscalation } from './compile-escalation.js';
import { compileStep } from './compile-step.js';
import { isComputed } from './computed.js';
import type { RawCommon, RawEntry } from './entry-file.js';
import type { Path } from './faults.js';
import { placeholdersOf } from './interpolate.js';
import type { PlaybookCause, PlaybookEntry, PlaybookStep } from './schema.js';
import { createFaultSink, type FaultSink, type Vocabulary } from './vocabulary.js';

/** Steps and causes that entries may name instead of writing them. */
export type Shared = {
  readonly steps: ReadonlyMap<string, PlaybookStep>;
  readonly causes: ReadonlyMap<string, PlaybookCause>;
};

export const NOTHING_SHARED: Shared = { steps: new Map(), causes: new Map() };

/** Signal that the first step of every entry reads: a full KV cache explains most else and is looked at first. */
const FIRST_SIGNAL = 'kv_cache_utilization';

/** Adds a `common.yaml` to what is shared already; its own definitions win. */
export function compileCommon(
  raw: RawCommon,
  earlier: Shared,
  words: Vocabulary,
): { readonly shared: Shared; readonly sink: FaultSink } {
  const sink = createFaultSink();
  const steps = new Map(earlier.steps);
  const seen = new Set<string>();
  for (const [index, step] of raw.steps.entries()) {
    if (seen.has(step.id)) sink.add(['steps', index, 'id'], `step "${step.id}" is written twice`);
    seen.add(step.id);
    const compiled = compileStep(step, ['steps', index], words, sink);
    if (compiled !== null) steps.set(step.id, compiled);
  }
  const causes = new Map(earlier.causes);
  for (const [id, cause] of Object.entries(raw.causes)) {
    causes.set(id, compileCause(id, cause, ['causes', id], { steps, words, sink }));
  }
  for (const [id, cause] of Object.entries(raw.causes))
    checkCauseNames(cause, ['causes', id], new Set(causes.keys()), words, sink);
  return { shared: { steps, causes }, sink };
}

/** The entry as it would run. It may only be used when the sink holds no fault. */
export function compileEntry(
  raw: RawEntry,
  about: { readonly id: string; readonly file: string },
  shared: Shared,
  words: Vocabulary,
): { readonly entry: PlaybookEntry; readonly sink: FaultSink } {
  const sink = createFaultSink();
  const steps = withStepsOfCauses(raw, entrySteps(raw, shared, words, sink), shared);
  const causes = entryCauses(raw, steps, shared, words, sink);
  if (raw.default === true && raw.match !== undefined) {
    sink.add(['match'], 'a default entry serves every alert without its own: it has no "match"', 'key');
  }
  if (raw.default !== true && raw.match === undefined) {
    sink.add([], '"match" is missing, expected e.g. match: { alertname: LLMHighTTFT }');
  }
  const entry: PlaybookEntry = {
    ...about,
    isDefault: raw.default === true,
    match: Object.entries(raw.match ?? {}).map(([name, values]) =>
      matchersOf(name, [values].flat(), ['match', name], sink),
    ),
    title: raw.title,
    symptoms: raw.symptoms,
    steps,
    causes,
    unclear: raw.unclear ?? null,
    escalation: compileEscalation(raw.escalation, {
      steps: new Map(steps.map((step) => [step.id, step])),
      words,
      sink,
    }),
  };
  if (raw.match !== undefined && Object.keys(raw.match).length === 0) {
    sink.add(
      ['match'],
      'an empty match serves no alert, expected e.g. { alertname: LLMHighTTFT }; for every other alert write default: true',
    );
  }
  refuseForbiddenFixes(raw, entry, sink);
  return { entry, sink };
}

function entrySteps(raw: RawEntry, shared: Shared, words: Vocabulary, sink: FaultSink): PlaybookStep[] {
  const steps: PlaybookStep[] = [];
  const ids = new Set<string>();
  for (const [index, one] of raw.steps.entries()) {
    const path: Path = ['steps', index];
    const step = typeof one === 'string' ? shared.steps.get(one) : compileStep(one, path, words, sink);
    if (typeof one === 'string' && step === undefined) sink.unknown(path, 'step', one, shared.steps.keys());
    const id = typeof one === 'string' ? one : one.id;
    if (ids.has(id)) sink.add(path, `step "${id}" is there twice`);
    ids.add(id);
    if (step !== undefined && step !== null) steps.push(step);
  }
  const first = steps[0];
  if (
    first !== undefined &&
    sink.faults.length === 0 &&
    !(first.read.kind === 'signal' && first.read.signal === FIRST_SIGNAL)
  ) {
    sink.add(
      ['steps', 0],
      `the first step is "${first.id}", expected one that reads ${FIRST_SIGNAL} (the shared step kv_cache): the KV cache is always looked at first`,
    );
  }
  return steps;
}

/**
 * A shared cause brings the shared steps that it speaks of, behind the entry's own, so that the same evidence leads to
 * the same verdict from every alert. Alternatives that need another exporter come only where the entry lists them.
 */
function withStepsOfCauses(raw: RawEntry, own: readonly PlaybookStep[], shared: Shared): PlaybookStep[] {
  const steps = new Map(own.map((step) => [step.id, step]));
  const listed = new Set(raw.steps.map((one) => (typeof one === 'string' ? one : one.id)));
  for (const id of raw.use) {
    const cause = Object.hasOwn(raw.causes, id) ? undefined : shared.causes.get(id);
    if (cause === undefined) continue;
    const needed = new Set(stepsNeeded(cause));
    for (const step of [...needed, ...stepsMentioned(cause)]) {
      const known = shared.steps.get(step);
      if (known !== undefined && !listed.has(step) && (needed.has(step) || known.enable == null))
        steps.set(step, known);
    }
  }
  return [...steps.values()];
}

function stepsMentioned(cause: PlaybookCause): string[] {
  const asked = [
    ...cause.requires,
    ...cause.refutedBy,
    ...cause.fixes.flatMap((fix) => (fix.onlyIf === null ? [] : [fix.onlyIf])),
  ];
  const texts = cause.fixes.flatMap((fix) => [fix.do, fix.expect ?? '', ...Object.values(fix.command)]);
  return [
    ...asked.flatMap(({ anyOf }) => anyOf.map(({ step }) => step)),
    ...texts.flatMap((text) => placeholdersOf(text).map(({ step }) => step)),
  ];
}

function entryCauses(
  raw: RawEntry,
  steps: readonly PlaybookStep[],
  shared: Shared,
  words: Vocabulary,
  sink: FaultSink,
): PlaybookCause[] {
  const own = new Map(steps.map((step) => [step.id, step]));
  const causes: PlaybookCause[] = [];
  for (const [index, id] of raw.use.entries()) {
    const cause = shared.causes.get(id);
    if (cause === undefined) {
      sink.unknown(['use', index], 'cause', id, shared.causes.keys());
      continue;
    }
    if (causes.some((other) => other.id === id)) sink.add(['use', index], `cause "${id}" is used twice`);
    if (Object.hasOwn(raw.causes, id)) continue; // The entry's own version replaces the shared one.
    const missing = stepsNeeded(cause).filter((step) => !own.has(step));
    if (missing.length > 0)
      sink.add(
        ['use', index],
        `cause "${id}" needs the step${missing.length > 1 ? 's' : ''} ${missing.join(', ')}: add to "steps"`,
      );
    causes.push(withoutMissing(cause, own));
  }
  for (const [id, cause] of Object.entries(raw.causes)) {
    causes.push(compileCause(id, cause, ['causes', id], { steps: own, words, sink }));
  }
  const names = new Set([...causes.map((cause) => cause.id), ...shared.causes.keys()]);
  for (const [id, cause] of Object.entries(raw.causes))
    checkCauseNames(cause, ['causes', id], names, words, sink);
  return causes;
}

/** Steps without which a shared cause cannot be judged or worded. Of alternatives one is enough. */
function stepsNeeded(cause: PlaybookCause): string[] {
  const needed = [...cause.requires, ...cause.refutedBy].flatMap((one) =>
    one.anyOf.length === 1 ? one.anyOf.map((alternative) => alternative.step) : [],
  );
  const texts = [cause.says, cause.short, ...cause.doNot.flatMap((wrong) => [wrong.fix, wrong.because])];
  for (const text of texts)
    for (const { step, name } of placeholdersOf(text))
      if (step !== 'scope' && !isComputed(step, name)) needed.push(step);
  return [...new Set(needed)];
}

function withoutMissing(cause: PlaybookCause, steps: ReadonlyMap<string, PlaybookStep>): PlaybookCause {
  const keep = (requirements: PlaybookCause['requires']) =>
    requirements
      .map((one) => ({ ...one, anyOf: one.anyOf.filter((alternative) => steps.has(alternative.step)) }))
      .filter((one) => one.anyOf.length > 0);
  return { ...cause, requires: keep(cause.requires), refutedBy: keep(cause.refutedBy) };
}

function checkCauseNames(
  raw: RawCommon['causes'][string],
  path: Path,
  causes: ReadonlySet<string>,
  words: Vocabulary,
  sink: FaultSink,
): void {
  for (const [index, id] of raw.beats.entries()) {
    if (!causes.has(id)) sink.unknown([...path, 'beats', index], 'cause', id, causes);
  }
  for (const [index, fix] of raw.fixes.entries()) {
    for (const [at, id] of fix.unless.entries()) {
      if (!causes.has(id)) sink.unknown([...path, 'fixes', index, 'unless', at], 'cause', id, causes);
    }
  }
  if (words.alertNames.size === 0) return;
  for (const [index, name] of raw.explains.entries()) {
    if (!words.alertNames.has(name))
      sink.unknown([...path, 'explains', index], 'alert', name, words.alertNames);
  }
}

/** `value`, `=~pattern`, `!=value` or `!~pattern`, with Alertmanager's meaning. */
function matchersOf(name: string, values: readonly string[], path: Path, sink: FaultSink): Matcher[] {
  return values.map((text, index) => {
    const operator = /^(=~|!~|!=)/.exec(text)?.[1] as Matcher['operator'] | undefined;
    const value = operator === undefined ? text : text.slice(2).trim();
    if (operator === '=~' || operator === '!~') {
      try {
        new RegExp(`^(?:${value})$`, 'u');
      } catch (error) {
        const at = values.length === 1 ? path : [...path, index];
        sink.add(
          at,
          `not a regular expression: "${value}" (${error instanceof Error ? error.message : String(error)})`,
        );
        return { name, operator: '=', value: '' };
      }
    }
    return { name, operator: operator ?? '=', value };
  });
}

/**
 * Refuses a fix that another cause of the same entry forbids, where one of the two beats the other: both
 * then hold at the same time, and the on-call would be told to do what makes the other worse.
 */
function refuseForbiddenFixes(raw: RawEntry, entry: PlaybookEntry, sink: FaultSink): void {
  for (const cause of entry.causes) {
    for (const [index, fix] of cause.fixes.entries()) {
      for (const other of entry.causes) {
        const folds = other === cause || other.beats.includes(cause.id) || cause.beats.includes(other.id);
        const forbids = other.doNot.some(
          (wrong) => (wrong.lever !== null && wrong.lever === fix.lever) || sameText(wrong.fix, fix.do),
        );
        if (!folds || !forbids || fix.unless.includes(other.id)) continue;
        const path: Path = Object.hasOwn(raw.causes, cause.id)
          ? ['causes', cause.id, 'fixes', index]
          : ['use', raw.use.indexOf(cause.id)];
        sink.add(
          path,
          `the fix "${fix.do}" of ${cause.id} is forbidden by ${other.id}, which can hold at the same time: add "unless: [${other.id}]" or remove it`,
        );
      }
    }
  }
}

function sameText(a: string, b: string): boolean {
  const plain = (text: string) =>
    text
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, ' ')
      .trim();
  return plain(a) === plain(b);
}
