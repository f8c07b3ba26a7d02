/**
 * npm run bench:diagnosis -- --runs N [--trace FILE] [--world FILE] [--seed S] [--engine E] [--json]
 *
 * How often the product names what is wrong: simulated fleets, backfilled into the real Prometheus, alerted on by the
 * generated rules, diagnosed by the product's own code. bench/diagnosis/README.md has the definitions. One JSON line
 * last; `--json` prints nothing else, `--wrong` also prints every wrong run and what each blind one says it misses.
 * `--results FILE` keeps the results and scores them together with those kept before, so that a long run can be made in
 * parts, each with a seed of its own.
 */

import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadEngines, loadEntries } from '../src/cli/load-playbook.js';
import { findBinary } from '../src/prometheus/launch.js';
import { ENGINE_NAMES } from './diagnosis/dialects/snapshot-dialect.js';
import type { EngineChoice } from './diagnosis/engine-shows.js';
import { planRuns } from './diagnosis/plan-runs.js';
import { reportLines, unseenLines, wrongLines } from './diagnosis/print-report.js';
import { keepResults } from './diagnosis/result-file.js';
import { runBenchmark } from './diagnosis/run-benchmark.js';
import { scoreRuns } from './diagnosis/score.js';
import { loadSettings, SIMULATED_MECHANISMS } from './diagnosis/simulate-plan.js';
import { startSimulationPool } from './diagnosis/simulation-pool.js';
import { treeHash } from './diagnosis/tree-hash.js';

const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '200' },
    trace: { type: 'string' },
    world: { type: 'string' },
    seed: { type: 'string', default: '1' },
    engine: { type: 'string', default: 'mixed' },
    mechanism: { type: 'string', multiple: true },
    batch: { type: 'string', default: '120' },
    processes: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
    wrong: { type: 'boolean', default: false },
    results: { type: 'string' },
  },
});

const prometheus = findBinary(['prometheus'], process.env.PATH ?? '');
const promtool = findBinary(['promtool'], process.env.PATH ?? '');
if (prometheus === null || promtool === null) {
  console.error('prometheus and promtool are not installed: apt-get install prometheus');
  process.exit(3);
}
const engineChoice = readEngine(values.engine);
const engines = loadEngines([]);
const entries = loadEntries([], {});
const faults = [...engines.faults, ...entries.faults];
if (faults.length > 0) {
  console.error(faults.join('\n'));
  process.exit(2);
}
try {
  loadSettings(values.world ?? '', values.trace ?? '');
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(2);
}
const pool = startSimulationPool(Number(values.processes), [values.world ?? '', values.trace ?? '']);
const directory = join(REPOSITORY, '.wakewell', `diagnosis-${process.pid}`);
mkdirSync(directory, { recursive: true });
try {
  const plans = planRuns({
    runs: Number(values.runs),
    seed: Number(values.seed),
    engine: engineChoice,
    mechanisms: values.mechanism ?? SIMULATED_MECHANISMS,
  });
  const fresh = await runBenchmark({
    plans,
    engines: engines.found,
    entries: entries.found,
    prometheus,
    promtool,
    directory,
    nowMs: Date.now(),
    batch: Number(values.batch),
    pool,
    onProgress: (line) => console.error(line),
  });
  const results = values.results === undefined ? fresh : keepResults(values.results, fresh);
  const score = scoreRuns(results);
  if (values.wrong) for (const line of [...wrongLines(results), ...unseenLines(results)]) console.error(line);
  if (!values.json) console.log(`${reportLines(results, score).join('\n')}\n`);
  console.log(
    JSON.stringify({
      ...score,
      simulator_hash: treeHash(REPOSITORY, 'src/simulator'),
      playbooks_hash: treeHash(REPOSITORY, 'playbooks'),
      seed: Number(values.seed),
      world: values.world ?? 'built-in',
      trace: values.trace ?? null,
      engine: engineChoice,
    }),
  );
} finally {
  pool.close();
  rmSync(directory, { recursive: true, force: true });
}

function readEngine(name: string): EngineChoice {
  const found = [...ENGINE_NAMES, 'mixed' as const].find((known) => known === name);
  if (found !== undefined) return found;
  console.error(`--engine ${name}: expected ${ENGINE_NAMES.join(', ')} or mixed`);
  process.exit(2);
}
