/** Turns the escalation of an entry into steps with times and conditions that can be carried out. */

import { requirement } from './compile-cause.js';
import { durationMs } from './compile-step.js';
import type { RawEntry } from './entry-file.js';
import type { Escalation, PlaybookStep } from './schema.js';
import type { FaultSink, Vocabulary } from './vocabulary.js';

/** `steps` are those of the entry: a condition is one of its checks, made again at its time. */
export function compileEscalation(
  raw: RawEntry['escalation'],
  context: {
    readonly steps: ReadonlyMap<string, PlaybookStep>;
    readonly words: Vocabulary;
    readonly sink: FaultSink;
  },
): Escalation[] {
  return raw.map((one, index) => ({
    afterMs: durationMs(one.after),
    unless: one.unless ?? 'resolved',
    to: one.to,
    onlyIf: one.if === undefined ? null : requirement(one.if, ['escalation', index, 'if'], context),
    why: one.why ?? null,
  }));
}
