/** Every name that a playbook may use, for checking and for "did you mean". */

import type { Path, PathFault } from './faults.js';
import { didYouMean } from './suggest.js';

export type Vocabulary = {
  readonly signals: ReadonlySet<string>;
  readonly thresholds: Readonly<Record<string, number>>;
  /** Alert names known to exist, for suggestions only: an operator has alerts of their own. */
  readonly alertNames: ReadonlySet<string>;
};

/** Numbers that every seen step has. */
export const STEP_NUMBERS = [
  'value',
  'max',
  'min',
  'mean',
  'median',
  'sum',
  'others',
  'workers',
  'failing',
  'unseen',
  'change',
  'slope',
  'before',
  'times',
  'peak',
  'top_share',
  'top_before',
  'parts',
  'idle',
  'busy',
  'wedged',
] as const;

/** Numbers of an extra reading, after its name: `queue.sum`. The bare name is its value (of a scope) or its mean. */
export const EXTRA_NUMBERS = ['max', 'min', 'mean', 'median', 'sum'] as const;

/** Texts of a step besides its numbers: worst worker, the limit, the commonest value of the label a signal is split by. */
export const STEP_TEXTS = ['worst', 'limit', 'top', 'status'] as const;

/** Names of numbers of a step with these extra readings. `share.<label value>` is allowed besides. */
export function numberNames(extras: readonly string[]): ReadonlySet<string> {
  const names = new Set<string>(STEP_NUMBERS);
  for (const extra of extras) {
    names.add(extra);
    for (const number of EXTRA_NUMBERS) names.add(`${extra}.${number}`);
  }
  return names;
}

/** Whether a step has such a number. */
export function isNumberName(names: ReadonlySet<string>, name: string): boolean {
  return names.has(name) || /^share\.[a-zA-Z0-9_-]+$/.test(name);
}

/** Collects faults while a file is compiled, so that all are reported at once. */
export type FaultSink = {
  readonly faults: PathFault[];
  readonly add: (path: Path, message: string, at?: 'key' | 'value') => void;
  /** As `add`, with the nearest known word. */
  readonly unknown: (
    path: Path,
    what: string,
    word: string,
    known: Iterable<string>,
    at?: 'key' | 'value',
  ) => void;
};

export function createFaultSink(): FaultSink {
  const faults: PathFault[] = [];
  const add: FaultSink['add'] = (path, message, at = 'value') => {
    faults.push({ path, at, message });
  };
  return {
    faults,
    add,
    unknown(path, what, word, known, at = 'value') {
      const names = [...known];
      const suggestion = didYouMean(word, names);
      const list =
        suggestion === '' && names.length > 0 && names.length <= 40 ? `; known: ${names.join(', ')}` : '';
      add(path, `unknown ${what} "${word}"${suggestion}${list}`, at);
    },
  };
}
