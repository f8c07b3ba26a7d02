/** The part of `wakewell check` that replays recordings: an edit must not change what was recorded unseen. */

import type { Config } from '../config/config.js';
import { differenceLines, playbooksFor, replayDirectory } from './recordings.js';

export type CheckedRecordings = {
  readonly count: number;
  /** One text a recording that cannot be read or whose verdict is another now: the difference, and where the edit stands. */
  readonly faults: readonly string[];
  /** The verdict stands, and something else reads otherwise. */
  readonly notes: readonly string[];
  /** File names whose verdict is another now. */
  readonly changed: readonly string[];
};

export async function checkRecordings(directory: string, config: Config): Promise<CheckedRecordings> {
  const results = await replayDirectory(directory, playbooksFor(config));
  const faults: string[] = [];
  const notes: string[] = [];
  const changed: string[] = [];
  for (const result of results) {
    if (result.kind === 'unreadable') {
      faults.push(`${result.name}: ${result.reason}`);
      continue;
    }
    const { comparison } = result.judged;
    if (comparison === null) notes.push(`${result.name}: no verdict was recorded, nothing is compared`);
    else if (comparison.kind === 'verdict') {
      changed.push(result.name);
      faults.push(
        [`${result.name}: the verdict is another`, ...differenceLines(result.judged)].join('\n      '),
      );
    } else if (comparison.kind !== 'same') {
      const { length } = comparison.differences;
      notes.push(
        `${result.name}: the verdict stands, ${length} ${length === 1 ? 'thing reads' : 'things read'} otherwise`,
      );
    }
  }
  if (results.length === 0) faults.push(`${directory}: holds no recording (*.recording.json.gz)`);
  return { count: results.length, faults, notes, changed };
}
