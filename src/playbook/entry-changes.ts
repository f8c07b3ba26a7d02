/** What differs between two states of a playbook entry, step by step and cause by cause, with file and line. */

import type { PlaybookText } from './load.js';
import { readYamlText, type YamlText } from './yaml-text.js';

export type EntryChange = {
  readonly what: 'step' | 'cause' | 'entry';
  /** Id of the step or cause; of the entry otherwise. */
  readonly id: string;
  /** Inside it: `fail.any_worker`, `requires[0].kv_cache`; empty for the whole. */
  readonly path: string;
  /** As written, null where it is not there. */
  readonly was: string | null;
  readonly is: string | null;
  /** Where it stands now, or stood when it is gone. */
  readonly file: string;
  readonly line: number;
};

type Part = {
  readonly what: EntryChange['what'];
  readonly id: string;
  readonly value: unknown;
  readonly file: string;
  readonly lineOf: (path: readonly (string | number)[]) => number;
};

type Record_ = Readonly<Record<string, unknown>>;
/** Longest piece of a file that is shown. */
const MAX_SHOWN = 160;

/**
 * Compares an entry's texts (textsOf in load.ts) with later ones, in the order of the later ones. Only what the entry
 * uses counts: another entry's cause in a shared file is no change of this one. Texts that cannot be read have no parts.
 */
export function entryChanges(
  entryId: string,
  before: readonly PlaybookText[],
  after: readonly PlaybookText[],
): EntryChange[] {
  const [old, now] = [partsOf(entryId, before), partsOf(entryId, after)];
  const changes: EntryChange[] = [];
  for (const [key, part] of now) {
    const earlier = old.get(key);
    if (earlier === undefined) changes.push(whole(part, null, '(added)'));
    else compare(earlier, part, [], earlier.value, part.value, changes);
  }
  for (const [key, part] of old) if (!now.has(key)) changes.push(whole(part, '(there)', null));
  return changes;
}

export type PlaceInEntry = Pick<EntryChange, 'what' | 'id' | 'file' | 'line'>;

/** Where the steps and causes of an entry name a threshold. */
export function placesNaming(
  threshold: string,
  entryId: string,
  texts: readonly PlaybookText[],
): PlaceInEntry[] {
  const named = new RegExp(`(?<![\\w.])${threshold.replaceAll('.', '\\.')}(?![\\w.])`);
  return [...partsOf(entryId, texts).values()].flatMap(({ what, id, value, file, lineOf }) => {
    const path = pathTo(value, named);
    return path === null ? [] : [{ what, id, file, line: lineOf(path) }];
  });
}

/** The way to the first text that matches. */
function pathTo(value: unknown, pattern: RegExp): (string | number)[] | null {
  if (typeof value === 'string') return pattern.test(value) ? [] : null;
  if (typeof value !== 'object' || value === null) return null;
  for (const [key, inner] of Object.entries(value)) {
    const rest = pathTo(inner, pattern);
    if (rest !== null) return [Array.isArray(value) ? Number(key) : key, ...rest];
  }
  return null;
}

function whole(part: Part, was: string | null, is: string | null): EntryChange {
  return { what: part.what, id: part.id, path: '', was, is, file: part.file, line: part.lineOf([]) };
}

/** The steps and causes that an entry runs with, and the rest of its file, by kind and id. */
function partsOf(entryId: string, texts: readonly PlaybookText[]): Map<string, Part> {
  const shared = new Map<string, Part>();
  const parts = new Map<string, Part>();
  for (const one of texts) {
    const yaml = readYamlText(one.text);
    if (yaml.kind !== 'ok' || typeof yaml.value !== 'object' || yaml.value === null) continue;
    const raw = yaml.value as Record_;
    const own = [...stepParts(raw, one.file, yaml), ...causeParts(raw, one.file, yaml)];
    if (one.id !== entryId) {
      for (const part of own) shared.set(`${part.what} ${part.id}`, part);
      continue;
    }
    const named = [
      ...list(raw.steps).flatMap((step) => (typeof step === 'string' ? [`step ${step}`] : [])),
      ...list(raw.use).map((cause) => `cause ${String(cause)}`),
    ];
    for (const key of named) {
      const part = shared.get(key);
      if (part !== undefined) parts.set(key, part);
    }
    for (const part of own) parts.set(`${part.what} ${part.id}`, part);
    const { steps, causes: _written, ...rest } = raw;
    const value = {
      ...rest,
      steps: list(steps).map((step) => (typeof step === 'string' ? step : idOf(step))),
    };
    parts.set('entry', { what: 'entry', id: entryId, value, file: one.file, lineOf: liner(yaml, []) });
  }
  return parts;
}

function stepParts(raw: Record_, file: string, yaml: Extract<YamlText, { kind: 'ok' }>): Part[] {
  return list(raw.steps).flatMap((step, index) =>
    typeof step === 'object' && step !== null
      ? [{ what: 'step' as const, id: idOf(step), value: step, file, lineOf: liner(yaml, ['steps', index]) }]
      : [],
  );
}

function causeParts(raw: Record_, file: string, yaml: Extract<YamlText, { kind: 'ok' }>): Part[] {
  if (typeof raw.causes !== 'object' || raw.causes === null) return [];
  return Object.entries(raw.causes).map(([id, value]) => ({
    what: 'cause' as const,
    id,
    value,
    file,
    lineOf: liner(yaml, ['causes', id]),
  }));
}

function liner(yaml: Extract<YamlText, { kind: 'ok' }>, base: readonly (string | number)[]): Part['lineOf'] {
  return (path) => yaml.locate([...base, ...path], path.length === 0 ? 'key' : 'value').line;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function idOf(step: unknown): string {
  return String((step as { readonly id?: unknown } | null)?.id ?? '');
}

/** Descends while both sides have the same shape, so that the smallest thing that differs is named. */
function compare(
  old: Part,
  now: Part,
  path: readonly (string | number)[],
  was: unknown,
  is: unknown,
  changes: EntryChange[],
): void {
  if (JSON.stringify(was) === JSON.stringify(is)) return;
  if (isTree(was) && isTree(is) && Array.isArray(was) === Array.isArray(is)) {
    const [a, b] = [was as Record_, is as Record_];
    for (const key of new Set([...Object.keys(b), ...Object.keys(a)])) {
      compare(old, now, [...path, Array.isArray(is) ? Number(key) : key], a[key], b[key], changes);
    }
    return;
  }
  const { file, lineOf } = is === undefined ? old : now;
  changes.push({
    what: now.what,
    id: now.id,
    path: path
      .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index > 0 ? '.' : ''}${part}`))
      .join(''),
    was: shown(was),
    is: shown(is),
    file,
    line: lineOf(path),
  });
}

function isTree(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function shown(value: unknown): string | null {
  if (value === undefined) return null;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
