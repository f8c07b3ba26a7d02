/**
 * `npm run engines [-- --json] [-- --markdown] [-- --engine vllm]`: one fleet of known truth in each engine's own dialect,
 * scraped by the real Prometheus and read through the engine files. Exit status 1 when a cell is off. What could not be
 * confirmed upstream is listed last.
 */

import { parseArgs } from 'node:util';
import { systemClock } from '../src/app.js';
import { builtInEnginesDirectory, loadEngineFiles } from '../src/catalog/engine-file.js';
import { findBinary } from '../src/prometheus/launch.js';
import { type Cell, measureEngines } from './engines/measure.js';
import { conformanceTable, unconfirmed } from './engines/report.js';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    markdown: { type: 'boolean', default: false },
    engine: { type: 'string' },
  },
});
const binary = findBinary(['prometheus'], process.env.PATH ?? '');
if (binary === null) {
  console.error('prometheus is not installed: apt-get install prometheus');
  process.exit(3);
}
const measured = await measureEngines({
  prometheusBinary: binary,
  clock: systemClock,
  onProgress: (line) => console.error(line),
});
const cells = measured.cells.filter(({ engine }) => values.engine === undefined || engine === values.engine);

if (values.json) console.log(JSON.stringify(cells));
else if (values.markdown) console.log(conformanceTable(cells));
else {
  cells.forEach(print);
  console.log('\nNot confirmed upstream:');
  for (const line of unconfirmed(loadEngineFiles(builtInEnginesDirectory()))) console.log(`  ${line}`);
}
const off = cells.filter(({ within }) => within === false).length;
console.error(`${cells.length} cells, ${off} off`);
process.exit(off === 0 ? 0 : 1);

function print({ engine, signal, status, expected, measured, within }: Cell): void {
  const mark = within === null ? '-' : within ? 'ok' : 'OFF';
  console.log([mark.padEnd(3), engine.padEnd(18), signal.padEnd(30), status.padEnd(11), measured].join(' '));
  if (within === false) console.log(`    expected ${expected ?? 'nothing: the dialect does not show it'}`);
}
