/** Reads playbook directories. Every mistake becomes a fault with its place; the other files still load. */

import { lstatSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileCommon, compileEntry, NOTHING_SHARED, type Shared } from './compile-entry.js';
import { RawCommon, RawEntry } from './entry-file.js';
import { faultsFromZod, type PathFault, type PlaybookFault } from './faults.js';
import type { PlaybookEntry } from './schema.js';
import { editDistance } from './suggest.js';
import type { Vocabulary } from './vocabulary.js';
import { readYamlText, type YamlText } from './yaml-text.js';

export type LoadedPlaybooks = {
  readonly entries: readonly PlaybookEntry[];
  readonly faults: readonly PlaybookFault[];
  /** What was read, in order. */
  readonly texts: readonly PlaybookText[];
};

/** A playbook file; `id` is its name without `.yaml`. */
export type PlaybookText = { readonly id: string; readonly file: string; readonly text: string };

export type LoadOptions = {
  /** Read in this order; an entry replaces an earlier one of the same file name. */
  readonly directories: readonly string[];
  readonly signals: ReadonlySet<string>;
  readonly thresholds: Readonly<Record<string, number>>;
  /** Alerts that exist; alert names matched by the entries are added. */
  readonly alertNames?: ReadonlySet<string>;
};

const COMMON = 'common';
const MAX_FILES = 1000;
const MAX_BYTES = 1024 * 1024;

/** Directory of the entries that ship with the product; the same from `src` and from `dist`. */
export function builtInPlaybooksDirectory(): string {
  return fileURLToPath(new URL('../../playbooks', import.meta.url));
}

type SourceFile = PlaybookText & { readonly directory: number };
type ReadFile = SourceFile & {
  readonly yaml: Extract<YamlText, { kind: 'ok' }>;
  readonly raw: RawEntry | RawCommon;
};

/** Never throws for what the files hold or for files that cannot be read. A file with a fault is left out. */
export function loadPlaybooks(options: LoadOptions): LoadedPlaybooks {
  const faults: PlaybookFault[] = [];
  const sources = options.directories.flatMap((directory, index) => listFiles(directory, index, faults));
  return compile(sources, options.directories.at(-1) ?? '(no directory)', options, faults);
}

/** The same for texts that lie in no directory, such as those of a recording. */
export function loadPlaybookTexts(
  texts: readonly PlaybookText[],
  words: Omit<LoadOptions, 'directories'>,
): LoadedPlaybooks {
  return compile(
    texts.map((one) => ({ ...one, directory: 0 })),
    '(recorded)',
    words,
    [],
  );
}

/** The texts that an entry is made of: every shared file in order, and its own. */
export function textsOf(entryId: string, texts: readonly PlaybookText[]): PlaybookText[] {
  const own = texts.findLast((one) => one.id === entryId);
  return [...texts.filter((one) => one.id === COMMON), ...(own === undefined ? [] : [own])];
}

function compile(
  sources: readonly SourceFile[],
  place: string,
  options: Omit<LoadOptions, 'directories'>,
  faults: PlaybookFault[],
): LoadedPlaybooks {
  const files = sources.flatMap((file) => parseFile(file, faults));
  const alertNames = new Set(options.alertNames ?? []);
  for (const file of files) {
    if (file.id === COMMON) continue;
    for (const name of literalAlertNames(file.raw as RawEntry)) {
      warnOfNearMiss(file, name, options.alertNames ?? new Set(), faults);
      alertNames.add(name);
    }
  }
  const words: Vocabulary = { signals: options.signals, thresholds: options.thresholds, alertNames };

  let shared: Shared = NOTHING_SHARED;
  for (const file of files.filter((one) => one.id === COMMON)) {
    const compiled = compileCommon(file.raw as RawCommon, shared, words);
    report(file, compiled.sink.faults, faults);
    shared = compiled.shared;
  }
  const entries = new Map<string, { readonly entry: PlaybookEntry; readonly file: ReadFile }>();
  for (const file of files.filter((one) => one.id !== COMMON)) {
    const { entry, sink } = compileEntry(
      file.raw as RawEntry,
      { id: file.id, file: file.file },
      shared,
      words,
    );
    report(file, sink.faults, faults);
    if (sink.faults.length === 0) entries.set(file.id, { entry, file });
  }
  const kept = [...entries.values()];
  reportDuplicates(kept, faults);
  if (!kept.some(({ entry }) => entry.isDefault)) {
    faults.push({
      file: place,
      line: 1,
      column: 1,
      message: 'no entry with "default: true": alerts without an entry of their own cannot be diagnosed',
    });
  }
  const texts = sources.map(({ id, file, text }) => ({ id, file, text }));
  return { entries: kept.map(({ entry }) => entry), faults, texts };
}

function listFiles(directory: string, index: number, faults: PlaybookFault[]): SourceFile[] {
  const fault = (file: string, message: string) => faults.push({ file, line: 1, column: 1, message });
  let names: string[];
  let root: string;
  try {
    root = realpathSync(directory);
    names = readdirSync(directory)
      .filter((name) => /\.ya?ml$/.test(name) && !name.startsWith('.'))
      .sort();
  } catch (error) {
    fault(directory, `cannot read the directory: ${reasonOf(error)}`);
    return [];
  }
  if (names.length > MAX_FILES) {
    fault(directory, `found ${names.length} files, expected at most ${MAX_FILES}: only those are read`);
    names = names.slice(0, MAX_FILES);
  }
  return names.flatMap((name) => {
    const file = join(directory, name);
    try {
      if (lstatSync(file).isSymbolicLink() && !realpathSync(file).startsWith(root + sep)) {
        fault(file, 'a link out of the playbook directory, expected a file inside it');
        return [];
      }
      const { size } = statSync(file);
      if (!statSync(file).isFile()) return [];
      if (size > MAX_BYTES) {
        fault(file, `found ${size} bytes, expected at most ${MAX_BYTES}`);
        return [];
      }
      return [
        {
          id: basename(name).replace(/\.ya?ml$/, ''),
          file,
          directory: index,
          text: readFileSync(file, 'utf8'),
        },
      ];
    } catch (error) {
      fault(file, `cannot read the file: ${reasonOf(error)}`);
      return [];
    }
  });
}

function parseFile(file: SourceFile, faults: PlaybookFault[]): ReadFile[] {
  const yaml = readYamlText(file.text);
  if (yaml.kind === 'faulty') {
    for (const { line, column, message } of yaml.faults)
      faults.push({ file: file.file, line, column, message });
    return [];
  }
  const schema = file.id === COMMON ? RawCommon : RawEntry;
  const parsed = schema.safeParse(yaml.value);
  if (!parsed.success) {
    report({ ...file, yaml }, faultsFromZod(parsed.error, schema, yaml.value), faults);
    return [];
  }
  return [{ ...file, yaml, raw: parsed.data }];
}

function report(
  file: Pick<ReadFile, 'file' | 'yaml'>,
  found: readonly PathFault[],
  faults: PlaybookFault[],
): void {
  for (const { path, at, message } of found)
    faults.push({ file: file.file, ...file.yaml.locate(path, at), message });
}

function literalAlertNames(raw: RawEntry): string[] {
  return [raw.match?.alertname ?? []].flat().filter((name) => !/^(=~|!~|!=)/.test(name));
}

/** One letter away from an alert that exists is a typo; further away it is the operator's own alert. */
function warnOfNearMiss(
  file: ReadFile,
  name: string,
  known: ReadonlySet<string>,
  faults: PlaybookFault[],
): void {
  if (known.has(name)) return;
  const near = [...known].find((other) => editDistance(name, other) === 1);
  if (near !== undefined)
    report(
      file,
      [
        {
          path: ['match', 'alertname'],
          at: 'value',
          message: `unknown alert "${name}"; did you mean "${near}"?`,
        },
      ],
      faults,
    );
}

/** Two entries of one directory for the same alert: which one runs would be chance. A later directory may replace. */
function reportDuplicates(
  kept: readonly { readonly entry: PlaybookEntry; readonly file: ReadFile }[],
  faults: PlaybookFault[],
): void {
  const first = new Map<string, string>();
  for (const { entry, file } of kept) {
    if (entry.isDefault) continue;
    for (const name of literalAlertNames(file.raw as RawEntry)) {
      const others = Object.entries((file.raw as RawEntry).match ?? {})
        .filter(([label]) => label !== 'alertname')
        .sort();
      const key = JSON.stringify([file.directory, name, others]);
      const earlier = first.get(key);
      if (earlier !== undefined) {
        report(
          file,
          [
            {
              path: ['match', 'alertname'],
              at: 'value',
              message: `alert "${name}" is matched by ${basename(earlier)} as well, expected one entry an alert`,
            },
          ],
          faults,
        );
      } else first.set(key, file.file);
    }
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
