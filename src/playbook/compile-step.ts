/** Turns a step as written into a step that can run, and says everything that is wrong with it. */

import { HOUR, MINUTE, SECOND } from '../domain/clock.js';
import { type Comparison, parseComparison } from './condition.js';
import type { RawFail, RawStep } from './entry-file.js';
import type { Path } from './faults.js';
import { lintQuery } from './lint-query.js';
import type { ExtraRef, FailRule, FailTest, PlaybookStep, SignalRef, StepRead } from './schema.js';
import { type FaultSink, isNumberName, numberNames, type Vocabulary } from './vocabulary.js';

const UNIT_MS: Readonly<Record<string, number>> = { s: SECOND, m: MINUTE, h: HOUR };

/** `10m` → 600000. The schema has checked the form. */
export function durationMs(text: string): number {
  return Number(text.slice(0, -1)) * (UNIT_MS[text.slice(-1)] ?? SECOND);
}

/** Null when the step is too wrong to be used; the sink then has the reasons. */
export function compileStep(
  raw: RawStep,
  path: Path,
  words: Vocabulary,
  sink: FaultSink,
): PlaybookStep | null {
  const before = sink.faults.length;
  const read = readOf(raw, path, words, sink);
  const extras = Object.entries(raw.with ?? {}).map(([name, extra]): ExtraRef => {
    const { ago, ...ref } = typeof extra === 'string' ? { signal: extra, ago: undefined } : extra;
    const agoMs = ago === undefined ? 0 : durationMs(ago);
    return { name, agoMs, ...signalRef(ref, [...path, 'with', name], words, sink) };
  });
  const names = numberNames(extras.map((extra) => extra.name));
  const compare = createComparer(names, words, sink);
  const fail =
    raw.fail === undefined
      ? null
      : failRule(
          raw.fail,
          extras.map((extra) => extra.name),
          [...path, 'fail'],
          compare,
          sink,
        );
  if (raw.fail === undefined && read !== null && read.kind !== 'by_hand') {
    sink.add(path, `step "${raw.id}" has no "fail": say when it fails`);
  }
  if (raw.fail !== undefined && read?.kind === 'by_hand') {
    sink.add([...path, 'fail'], 'a step done by hand has no "fail": nothing measures it', 'key');
  }
  const when = raw.applies_when;
  const appliesWhen =
    when === undefined
      ? null
      : {
          engines: when.engine === undefined ? [] : [when.engine].flat(),
          condition: when.if === undefined ? null : compare(when.if, [...path, 'applies_when', 'if']),
        };
  if (sink.faults.length > before || read === null) return null;
  return {
    id: raw.id,
    title: raw.title,
    short: raw.short ?? raw.title.slice(0, 14),
    read,
    with: extras,
    enable: raw.enable ?? null,
    fail,
    appliesWhen,
  };
}

function readOf(raw: RawStep, path: Path, words: Vocabulary, sink: FaultSink): StepRead | null {
  const given = (['signal', 'query', 'logs', 'by_hand'] as const).filter((key) => raw[key] !== undefined);
  if (given.length !== 1) {
    sink.add(
      path,
      `step "${raw.id}" has ${given.length === 0 ? 'none' : given.join(' and ')}, expected exactly one of signal, query, logs, by_hand`,
    );
    return null;
  }
  if (raw.by_hand !== undefined) return { kind: 'by_hand', look: raw.by_hand };
  if (raw.logs !== undefined) return logsOf(raw.logs, [...path, 'logs'], sink);
  if (raw.query !== undefined) {
    for (const reason of lintQuery(raw.query)) sink.add([...path, 'query'], reason);
    if (raw.per !== undefined)
      sink.add([...path, 'per'], '"per" divides signals, a query can divide by itself', 'key');
    return { kind: 'query', query: raw.query, unit: raw.unit ?? null };
  }
  if (raw.unit !== undefined)
    sink.add([...path, 'unit'], 'a signal has its unit in the catalog; "unit" is for "query"', 'key');
  return {
    kind: 'signal',
    ...signalRef({ signal: raw.signal ?? '', per: raw.per }, path, words, sink, 'signal'),
  };
}

/** How far back logs are searched when nothing else is said: what led to an alert came before it. */
const LOGS_WINDOW = '15m';
const MAX_PATTERNS = 10;

function logsOf(raw: NonNullable<RawStep['logs']>, path: Path, sink: FaultSink): StepRead {
  const names = Object.keys(raw.patterns);
  if (names.length === 0 || names.length > MAX_PATTERNS) {
    sink.add([...path, 'patterns'], `found ${names.length} patterns, expected 1 to ${MAX_PATTERNS}`);
  }
  for (const [name, pattern] of Object.entries(raw.patterns)) {
    const reason = faultOfPattern(pattern);
    if (reason !== null) sink.add([...path, 'patterns', name], reason);
  }
  return {
    kind: 'logs',
    patterns: raw.patterns,
    windowMs: durationMs(raw.window ?? LOGS_WINDOW),
    look: raw.by_hand,
  };
}

/** Loki's patterns are RE2, which has neither look-around nor back-references; the rest is checked as JavaScript reads it. */
function faultOfPattern(pattern: string): string | null {
  const plain = pattern.replace(/^\(\?[ims]+\)/, '');
  if (/\(\?(?:[=!]|<[=!])|\\[1-9]/.test(plain))
    return `"${pattern}": RE2 has no look-around and no back-references`;
  try {
    new RegExp(plain, 'u');
    return null;
  } catch (error) {
    return `"${pattern}" is no pattern: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function signalRef(
  raw: { readonly signal: string; readonly per?: string | undefined },
  path: Path,
  words: Vocabulary,
  sink: FaultSink,
  key?: string,
): SignalRef {
  if (!words.signals.has(raw.signal)) {
    sink.unknown(key === undefined ? path : [...path, key], 'signal', raw.signal, words.signals);
  }
  if (raw.per !== undefined && !words.signals.has(raw.per))
    sink.unknown([...path, 'per'], 'signal', raw.per, words.signals);
  return { signal: raw.signal, per: raw.per ?? null };
}

const TESTS = [
  'any_worker',
  'most_workers',
  'few_workers',
  'scope',
  'skew',
  'wedged',
  'rising',
  'falling',
] as const;

/** Tests that ask each worker by itself. */
const PER_WORKER: ReadonlySet<string> = new Set(['any_worker', 'most_workers', 'few_workers', 'wedged']);

export type Compare = (text: string, path: Path) => Comparison | null;

/** A parser of conditions that reports to the sink. */
export function createComparer(names: ReadonlySet<string>, words: Vocabulary, sink: FaultSink): Compare {
  return (text, path) => {
    const parsed = parseComparison(text, {
      isThreshold: (name) => Object.hasOwn(words.thresholds, name),
      isNumber: (name) => isNumberName(names, name),
    });
    if (parsed.kind === 'ok') return parsed.comparison;
    if (parsed.unknownName === null) sink.add(path, parsed.reason);
    else
      sink.unknown(path, `name in "${text}":`, parsed.unknownName, [
        ...names,
        ...Object.keys(words.thresholds),
      ]);
    return null;
  };
}

function failRule(
  raw: RawFail,
  extras: readonly string[],
  path: Path,
  compare: Compare,
  sink: FaultSink,
): FailRule | null {
  const kinds = TESTS.filter((kind) => raw[kind] !== undefined);
  const kind = kinds[0];
  if (kinds.length !== 1 || kind === undefined) {
    sink.add(
      path,
      `found ${kinds.length === 0 ? 'no test' : kinds.join(' and ')}, expected exactly one of ${TESTS.join(', ')}`,
    );
    return null;
  }
  const text = raw[kind] ?? '';
  let test: FailTest;
  if (kind === 'rising' || kind === 'falling') test = { kind, windowMs: durationMs(text) };
  else {
    const comparison = compare(text, [...path, kind]);
    if (comparison === null) return null;
    if (PER_WORKER.has(kind) && comparison.left !== null) {
      sink.add([...path, kind], `"${text}" tests each worker: expected an operator first, e.g. "> 0.9"`);
    }
    if (kind === 'skew' && comparison.left === null) {
      sink.add(
        [...path, kind],
        `"${text}" compares workers with each other: expected e.g. "max > 3 * median"`,
      );
    }
    test = { kind, comparison };
  }
  const conditions = (key: 'and' | 'or') =>
    (raw[key] === undefined ? [] : [raw[key]].flat()).flatMap((one, index) => {
      const comparison = compare(one, Array.isArray(raw[key]) ? [...path, key, index] : [...path, key]);
      return comparison === null ? [] : [comparison];
    });
  const perWorker = Object.entries(raw.while ?? {}).flatMap(([name, one]) => {
    if (!extras.includes(name)) sink.unknown([...path, 'while', name], 'reading', name, extras, 'key');
    const comparison = compare(one, [...path, 'while', name]);
    return comparison === null ? [] : [{ name, comparison }];
  });
  if (perWorker.length > 0 && !PER_WORKER.has(kind)) {
    sink.add(
      [...path, 'while'],
      '"while" holds on the same worker: it goes with any_worker, most_workers or few_workers',
      'key',
    );
  }
  if (kind === 'wedged' && !extras.includes('waiting') && !extras.includes('running')) {
    sink.add(
      [...path, 'wedged'],
      'a worker is wedged when it holds requests: expected a reading named waiting or running in "with"',
      'key',
    );
  }
  return { test, while: perWorker, and: conditions('and'), or: conditions('or') };
}
