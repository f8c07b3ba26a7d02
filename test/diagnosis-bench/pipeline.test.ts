/** The benchmark at a small setting: every stage is the real one. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { planRuns } from '../../bench/diagnosis/plan-runs.js';
import { runBenchmark } from '../../bench/diagnosis/run-benchmark.js';
import { hasFault, isDiagnosed, saysUnseen, scoreRuns } from '../../bench/diagnosis/score.js';
import { SIMULATED_MECHANISMS } from '../../bench/diagnosis/simulate-plan.js';
import { startSimulationPool } from '../../bench/diagnosis/simulation-pool.js';
import { builtInEnginesDirectory, loadEngineFiles } from '../../src/catalog/engine-file.js';
import { promtool, withoutPromtool } from '../generate/promtool.js';
import { BUILT_IN } from '../support/playbooks.js';
import { prometheusBinary } from '../support/real-prometheus.js';

/** Each fault once, one of them played on in the simulator, and two runs with nothing wrong. */
const RUNS = 20;
/** One run of twenty more or less is chance. */
const CHANCE = 0.1;

describe.skipIf(withoutPromtool)('the accuracy benchmark, small', () => {
  test('names most mechanisms, better than checklist and thresholds', { timeout: 300_000 }, async () => {
    if (prometheusBinary === null || promtool === null) throw new Error('prometheus is not installed');
    const pool = startSimulationPool(2, ['', '']);
    const directory = await mkdtemp(join(tmpdir(), 'wakewell-diagnosis-'));
    try {
      const results = await runBenchmark({
        plans: planRuns({ runs: RUNS, seed: 5, engine: 'mixed', mechanisms: SIMULATED_MECHANISMS }),
        engines: loadEngineFiles(builtInEnginesDirectory()),
        entries: BUILT_IN.entries,
        prometheus: prometheusBinary,
        promtool,
        directory,
        nowMs: Date.now(),
        batch: RUNS,
        pool,
        onProgress: () => {},
      });
      const score = scoreRuns(results);

      expect(results.map(({ plan }) => plan.id)).toHaveLength(RUNS);
      expect(results.filter((run) => hasFault(run.plan) && isDiagnosed(run)).length).toBeGreaterThan(
        RUNS / 2,
      );
      expect(score.top1).toBeGreaterThan(0.5);
      expect(score.top1).toBeGreaterThan(score.checklist_top1 ?? 1);
      expect(score.top1).toBeGreaterThanOrEqual((score.thresholds_top1 ?? 1) - CHANCE);
      expect(score.wrong_first_fix).toBeLessThanOrEqual(CHANCE);
      const blind = results.filter((run) => run.blind !== null);
      expect(blind.length).toBeGreaterThan(0);
      expect(blind.filter(saysUnseen).length).toBeGreaterThan(blind.length / 2);
      const toPlayOn = results.filter(
        ({ plan, diagnosis }) => plan.inClosedLoop && (diagnosis?.fixes[0]?.lever ?? 'inspect') !== 'inspect',
      );
      expect(toPlayOn.filter(({ loop }) => loop === null)).toEqual([]);
    } finally {
      pool.close();
      await rm(directory, { recursive: true, force: true });
    }
  });
});
