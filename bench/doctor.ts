/**
 * A whole `wakewell doctor` as a person starts it: a process of its own, from its start to its last line, against a real
 * Prometheus that scrapes 64 simulated workers and has loaded the generated rules.
 *
 * `npm run bench:doctor [-- --runs 5]`; the last line is JSON.
 */

import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { ALERTS } from '../src/catalog/alerts.js';
import { builtInEnginesDirectory, loadEngineFiles } from '../src/catalog/engine-file.js';
import { DEFAULT_THRESHOLDS } from '../src/catalog/thresholds.js';
import { generateAlertRules } from '../src/generate/alert-rules.js';
import { prometheusConfig, type ScrapeTarget } from '../src/generate/prometheus-config.js';
import type { DoctorReport } from '../src/health/doctor.js';
import { findBinary, launchPrometheus } from '../src/prometheus/launch.js';
import { median } from './intake/load.js';

const WORKERS = 64;
const SCRAPE_MS = 2000;
/** Until rates have their window and recorded rules were evaluated. */
const SETTLE_MS = 30_000;
const TARGET_MS = 3000;

const { values } = parseArgs({ options: { runs: { type: 'string', default: '5' } } });
const binary = findBinary(['prometheus'], process.env.PATH ?? '');
if (binary === null) throw new Error('prometheus is not installed: apt-get install prometheus');

const fleet = fork(fileURLToPath(new URL('page/fleet-process.ts', import.meta.url)), [String(WORKERS)], {
  execArgv: ['--import', 'tsx'],
});
const [{ targets }] = (await once(fleet, 'message')) as [{ targets: ScrapeTarget[] }];
const prometheus = await launchPrometheus({
  binary,
  configYaml: prometheusConfig({
    targets,
    rulesFile: 'rules.yml',
    alertmanagerAddress: null,
    scrapeIntervalMs: SCRAPE_MS,
    evaluationIntervalMs: SCRAPE_MS,
  }),
  files: {
    'rules.yml': generateAlertRules({
      alerts: ALERTS,
      engines: loadEngineFiles(builtInEnginesDirectory()),
      thresholds: DEFAULT_THRESHOLDS,
      timeScale: 10,
    }),
  },
});
try {
  console.log(`scraping ${targets.length} pages for ${SETTLE_MS / 1000} s`);
  await sleep(SETTLE_MS);
  const tookMs: number[] = [];
  let report: DoctorReport | null = null;
  for (let run = 0; run < Number(values.runs); run += 1) {
    const startedAt = performance.now();
    report = await examine(prometheus.url);
    tookMs.push(performance.now() - startedAt);
    console.log(`run ${run + 1}: ${Math.round(tookMs[run] ?? 0)} ms`);
  }
  const [scope] = report?.scopes ?? [];
  const seen = scope?.signals.filter(({ state }) => state === 'value').length ?? 0;
  const doctorMs = Math.round(median(tookMs));
  console.log(`target: ${TARGET_MS} ms: ${doctorMs <= TARGET_MS ? 'met' : 'MISSED'}`);
  console.log(
    JSON.stringify({ doctor_ms: doctorMs, workers: WORKERS, signals_seen: seen, runs: tookMs.length }),
  );
} finally {
  await prometheus.close();
  fleet.disconnect();
}

/** Exit status 1 is "found something to mend", which a fleet without Kubernetes always has. */
async function examine(url: string): Promise<DoctorReport> {
  const env = { PATH: process.env.PATH ?? '', PROMETHEUS_URL: url, WAKEWELL_CONFIG: '/dev/null' };
  const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
  const run = promisify(execFile)(process.execPath, [main, 'doctor', '--json'], { env, maxBuffer: 2 ** 26 });
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  return JSON.parse(stdout) as DoctorReport;
}
