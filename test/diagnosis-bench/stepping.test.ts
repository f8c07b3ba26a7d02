/** The benchmark steps alert expressions itself; here promtool evaluates the generated rules over the same series. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createBlocks } from '../../bench/diagnosis/build-database.js';
import { llm } from '../../bench/diagnosis/dialects/llm.js';
import { findAlerts } from '../../bench/diagnosis/find-alerts.js';
import { openDatabase } from '../../bench/diagnosis/open-database.js';
import { createRunWriter } from '../../bench/diagnosis/open-metrics.js';
import { loadSettings, simulatePlan } from '../../bench/diagnosis/simulate-plan.js';
import { ALERTS } from '../../src/catalog/alerts.js';
import { builtInEnginesDirectory, loadEngineFiles } from '../../src/catalog/engine-file.js';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { generateAlertRules } from '../../src/generate/alert-rules.js';
import { steppedAlerts } from '../../src/generate/stepped-alerts.js';
import { firingAlerts, promtool, withoutPromtool } from '../generate/promtool.js';
import { prometheusBinary } from '../support/real-prometheus.js';
import { aPlan } from './a-plan.js';

const MINUTE = 60_000;
const SAMPLE_MS = 15_000;
const STARTED = Date.UTC(2026, 8, 1, 4, 5);
const engines = loadEngineFiles(builtInEnginesDirectory());
const plan = aPlan({ mechanisms: ['over_capacity'], severity: 1, workers: 2, durationMs: 12 * MINUTE });

describe.skipIf(withoutPromtool)('stepping the alerts over a backfilled run', () => {
  test('finds what promtool finds, at the same evaluation', { timeout: 120_000 }, async () => {
    const text = exposition();
    const found = await step(text);
    const rules = generateAlertRules({ alerts: ALERTS, engines, thresholds: DEFAULT_THRESHOLDS });
    const firing = async (minutes: number) =>
      (await firingAlerts({ rules, input: inputSeries(text), atMinutes: minutes, names: NAMES }))
        .map(({ name, labels }) => `${name} ${/severity="(\w+)"/.exec(labels)?.[1]}`)
        .sort();

    expect(found.length).toBeGreaterThan(0);
    const first = Math.min(...found.map(({ firedAtMs }) => firedAtMs));
    expect(await firing((first - STARTED) / MINUTE)).toEqual(at(found, first));
    expect(await firing((first - STARTED) / MINUTE - 0.5)).toEqual([]);
  });
});

const NAMES = [...new Set(ALERTS.map(({ name }) => name))];
type Found = Awaited<ReturnType<typeof findAlerts>>;

/** Names and severities of what had begun to fire by then: nothing of this run ends. */
function at(found: Found, atMs: number): string[] {
  return found
    .filter(({ firedAtMs }) => firedAtMs <= atMs)
    .map(({ alertName, severity }) => `${alertName} ${severity}`)
    .sort();
}

function exposition(): string {
  const writer = createRunWriter({ dialect: llm, cluster: plan.id, startedAtMs: STARTED });
  const scrapes = [...simulatePlan(plan, loadSettings('', ''))].map((snapshot, index) =>
    writer.scrape(snapshot, STARTED + index * SAMPLE_MS),
  );
  return scrapes.join('');
}

async function step(text: string): Promise<Found> {
  if (prometheusBinary === null || promtool === null) throw new Error('prometheus is not installed');
  const directory = await mkdtemp(join(tmpdir(), 'wakewell-stepping-'));
  try {
    await writeFile(join(directory, 'all.om'), `${text}# EOF\n`);
    await createBlocks(promtool, join(directory, 'all.om'), join(directory, 'data'));
    const database = await openDatabase({
      prometheus: prometheusBinary,
      dataDirectory: join(directory, 'data'),
      engines,
    });
    try {
      return await findAlerts(database.client, steppedAlerts(ALERTS, engines, DEFAULT_THRESHOLDS), {
        startMs: STARTED,
        endMs: STARTED + plan.durationMs,
      });
    } finally {
      await database.close();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The same lines as promtool's series: one value a sample, `_` where there is none. */
function inputSeries(text: string) {
  const samples = plan.durationMs / SAMPLE_MS + 1;
  const series = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [, name, value = '', time] = /^(.*\}) (\S+) (\S+)$/.exec(line) ?? [];
    if (name === undefined) continue;
    const values = series.get(name) ?? new Array<string>(samples).fill('_');
    values[Math.round((Number(time) * 1000 - STARTED) / SAMPLE_MS)] = value;
    series.set(name, values);
  }
  return [...series].map(([name, values]) => ({ series: name, values: values.join(' ') }));
}
