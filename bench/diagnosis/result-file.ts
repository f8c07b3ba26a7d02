/** Keeps results as JSON lines, so that a long benchmark can be run in parts and scored as one. */

import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { RunResult } from './score.js';

/** Appends the results and returns everything that the file now holds. Throws for a file of something else. */
export function keepResults(file: string, results: readonly RunResult[]): RunResult[] {
  const before = existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
  const earlier = before.map((line) => JSON.parse(line) as RunResult);
  appendFileSync(file, results.map((result) => `${JSON.stringify(result)}\n`).join(''));
  return [...earlier, ...results];
}
