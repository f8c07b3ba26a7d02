/** Recordings as files: reading them, replaying them, and saying what came of it. */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { DEFAULT_THRESHOLDS } from '../catalog/thresholds.js';
import type { Config } from '../config/config.js';
import { type JudgedReplay, judgeReplay } from '../diagnosis/judge-replay.js';
import { decodeRecording, type Recording } from '../diagnosis/recording.js';
import type { PlaybookText } from '../playbook/load.js';
import type { PlaybookEntry } from '../playbook/schema.js';
import { readYamlText } from '../playbook/yaml-text.js';
import { clean } from '../render/neutralise.js';
import { CommandFailure, EXIT } from './exit-codes.js';
import { loadEntries } from './load-playbook.js';

/** A recording is far smaller: what is larger is none, and is not read. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;
const RECORDING_NAME = /\.(?:recording\.json|recording\.json\.gz)$/;

export type Playbooks = {
  readonly entries: readonly PlaybookEntry[];
  readonly texts: readonly PlaybookText[];
  readonly thresholds: Readonly<Record<string, number>>;
};

/** The built-in playbooks, the configured ones and those of `directory`, each replacing earlier ones. Refuses faulty ones. */
export function playbooksFor(config: Config, directory?: string): Playbooks {
  const directories = [...config.playbookDirectories, ...(directory === undefined ? [] : [directory])];
  const { found, faults, texts } = loadEntries(directories, config.thresholds);
  if (faults.length > 0) throw new CommandFailure(EXIT.usage, faults.join('\n'));
  return { entries: found, texts, thresholds: { ...DEFAULT_THRESHOLDS, ...config.thresholds } };
}

/** Throws a usage failure that says why a file is no recording. */
export function readRecordingFile(file: string): Recording {
  let body: Uint8Array;
  try {
    const { size } = statSync(file);
    if (size > MAX_FILE_BYTES) throw new Error(`${size} bytes are no recording`);
    body = readFileSync(file);
  } catch (error) {
    throw new CommandFailure(
      EXIT.usage,
      `${file}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  return readRecordingBytes(body, file);
}

export function readRecordingBytes(body: Uint8Array, from: string): Recording {
  const decoded = decodeRecording(body);
  if (decoded.kind === 'unreadable') throw new CommandFailure(EXIT.usage, `${from}: ${decoded.reason}`);
  return decoded.recording;
}

/** The recordings of a directory by name, in order. */
export function recordingsIn(directory: string): string[] {
  if (!existsSync(directory)) throw new CommandFailure(EXIT.usage, `there is no directory ${directory}`);
  return readdirSync(directory)
    .filter((name) => RECORDING_NAME.test(name))
    .sort()
    .map((name) => join(directory, name));
}

export type ReplayedFile =
  | {
      readonly kind: 'judged';
      readonly name: string;
      readonly judged: JudgedReplay;
      readonly recording: Recording;
    }
  | { readonly kind: 'unreadable'; readonly name: string; readonly reason: string };

/** Every recording of a directory, judged. One that cannot be read does not hide the others. */
export async function replayDirectory(directory: string, playbooks: Playbooks): Promise<ReplayedFile[]> {
  const results: ReplayedFile[] = [];
  for (const file of recordingsIn(directory)) {
    const name = basename(file);
    try {
      const recording = readRecordingFile(file);
      results.push({ kind: 'judged', name, recording, judged: await judgeReplay(recording, playbooks) });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      results.push({ kind: 'unreadable', name, reason });
    }
  }
  return results;
}

/** What differs and which edits did it, one a line. Empty when nothing does. */
export function differenceLines({
  comparison,
  changes,
  thresholds,
  entryWas,
  outcome,
  asRecorded,
}: JudgedReplay): string[] {
  if (comparison === null || comparison.kind === 'same') return [];
  const because = [
    ...(entryWas === null ? [] : [`another entry serves the alert: ${entryWas} → ${outcome.entryId}`]),
    ...changes.map(
      (one) =>
        `${shownPath(one.file)}:${one.line}: ${one.what} ${one.id}${one.path === '' ? '' : `, ${one.path}`}: ${arrow(one.was, one.is)}`,
    ),
    ...thresholds.map(
      ({ name, was, is, usedAt }) =>
        `${thresholdPlace(name)}${name}: ${arrow(was, is)}, named at ${usedAt.map(({ what, id, file, line }) => `${shownPath(file)}:${line} (${what} ${id})`).join(', ')}`,
    ),
  ];
  return [
    ...comparison.differences.map(({ what, was, is }) => `${what}: ${was} → ${is}`),
    ...(because.length === 0 ? [] : ['because of', ...because.map((line) => `  ${line}`)]),
    ...(asRecorded === 'no'
      ? [
          'by its own recorded entry it differs as well: this version judges otherwise, or the evidence was read anew',
        ]
      : []),
    ...(asRecorded === 'unreadable' ? ['its recorded entry cannot be read by this version'] : []),
  ].map(clean);
}

function arrow(was: string | number | null, is: string | number | null): string {
  return `${was ?? 'not there'} → ${is ?? 'gone'}`;
}

function shownPath(file: string): string {
  const near = relative(process.cwd(), file);
  return file.startsWith('/') && !near.startsWith('..') ? near : file;
}

/** `wakewell.yaml:31: ` where the configuration sets a threshold; nothing where the catalog does. */
function thresholdPlace(name: string): string {
  const file = process.env.WAKEWELL_CONFIG || 'wakewell.yaml';
  if (!existsSync(file)) return '';
  const yaml = readYamlText(readFileSync(file, 'utf8'));
  if (yaml.kind !== 'ok') return '';
  const { thresholds } = (yaml.value ?? {}) as { thresholds?: Record<string, unknown> };
  if (thresholds === undefined || !Object.hasOwn(thresholds, name)) return '';
  return `${shownPath(file)}:${yaml.locate(['thresholds', name], 'key').line}: `;
}
