/**
 * `npm run engines [-- --json] [-- --engine vllm]`: one fleet of known truth in each engine's own dialect, scraped by the
 * real Prometheus and read through the engine files. A row a cell; exit status 1 when a cell is off.
 */

import { parseArgs } from 'node:util';
import { systemClock } from '../src/app.js';
import { findBinary } from '../src/prometheus/launch.js';
import { measureEngines } from './engines/measure.js';

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, engine: { type: 'string' } },
});
const binary = findBinary(['prometheus'], process.env.PATH ?? '');
if (binary === null) {
  console.error('prometheus is not installed: apt-get install prometheus');
  process.exit(3);
}
const cells = (
  await measureEngines({
    prometheusBinary: binary,
    clock: systemClock,
    onProgress: (line) => console.error(line),
  })
).filter(({ engine }) => values.engine === undefined || engine === values.engine);

if (values.json) console.log(JSON.stringify(cells));
else {
  for (const { engine, signal, status, expected, measured, within } of cells) {
    const mark = within === null ? '-' : within ? 'ok' : 'OFF';
    console.log(
      [mark.padEnd(3), engine.padEnd(18), signal.padEnd(30), status.padEnd(11), measured].join(' '),
    );
    if (within === false) console.log(`    expected ${expected ?? 'nothing: the dialect does not show it'}`);
  }
}
const off = cells.filter(({ within }) => within === false).length;
console.error(`${cells.length} cells, ${off} off`);
process.exit(off === 0 ? 0 : 1);
