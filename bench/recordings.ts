/** `npm run recordings`: the score of the hand-made recordings, whatever it is. `--write` lists it in their README. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { handMadeDirectory, handMadeTop1, scoreHandMade } from './support/hand-made-recording.js';

const BEGIN = '<!-- npm run recordings -- --write -->';
const END = '<!-- end -->';

const results = await scoreHandMade();
const hits = results.filter(({ hit }) => hit).length;
const rows = results.map(
  ({ made, cause, confidence, hit }) =>
    `| [${made.name}](${made.name}.yaml) | ${made.alert} | ${made.expected.join(' or ')} | ${cause ?? 'unclear'} (${confidence}) | ${hit ? 'hit' : 'miss'} |`,
);
const table = [
  '| recording | alert | expected | verdict | |',
  '|---|---|---|---|---|',
  ...rows,
  '',
  `${hits} of ${results.length}.`,
].join('\n');
console.log(table);
if (process.argv.includes('--write')) {
  const file = join(handMadeDirectory(), 'README.md');
  const text = readFileSync(file, 'utf8');
  const [head, rest] = text.split(BEGIN);
  if (head === undefined || rest === undefined) throw new Error(`${file} has no ${BEGIN}`);
  writeFileSync(file, `${head}${BEGIN}\n${table}\n${END}${rest.split(END)[1] ?? '\n'}`);
}
console.log(JSON.stringify({ recordings: results.length, hand_made_top1: handMadeTop1(results) }));
