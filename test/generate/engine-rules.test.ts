import { describe, expect, test } from 'vitest';
import { DEPLOYMENTS, type MeasuredDeployment } from '../../bench/engines/deployments.js';
import { NAMESPACE } from '../../bench/engines/truth.js';
import { ALERTS } from '../../src/catalog/alerts.js';
import { builtInEnginesDirectory, loadEngineFiles } from '../../src/catalog/engine-file.js';
import { FIXED_ALERTS } from '../../src/catalog/fixed-alerts.js';
import { IMPLIED_ALERTS } from '../../src/catalog/implied-alerts.js';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { generateAlertRules } from '../../src/generate/alert-rules.js';
import { gauge } from './alert-cases/series.js';
import { checkRules, firingByModel, type InputSeries, withoutPromtool } from './promtool.js';

const ENGINES = loadEngineFiles(builtInEnginesDirectory());
/** What a day is compared with is proved for llm and vllm; here the fleet stands still. */
const STANDING = [...FIXED_ALERTS, ...IMPLIED_ALERTS];
const CLOCK = { minutes: 24, stepSeconds: 60 };

/** The same fleet, judged by figures that all of it is beyond, or none. */
const STRICT = scaled(0);
const LAX = scaled(1);

/**
 * Alerts that cannot show in a fleet that stands still (a rise, a fall, what is gone) or whose limit cannot be moved past
 * it; each is proved over time for llm and vllm.
 */
const MOVING = ['LLMGPUMemoryCritical', 'LLMGPUMemoryPressure', 'LLMMetricsMissing'];

function scaled(factor: number): Readonly<Record<string, number>> {
  const low = ['gpu_utilization.low', 'generation_tokens_rate.none', 'worker_up.down'];
  const limits = Object.keys(DEFAULT_THRESHOLDS).map((name) => {
    const isBelow = low.includes(name);
    return [name, isBelow === (factor === 0) ? 1e9 : factor === 0 ? -1e-9 : isBelow ? -1 : 1e9] as const;
  });
  return Object.fromEntries(limits);
}

/** What the deployment's pages say over time, as Prometheus would store it. */
function seriesOf({ dialects, cluster }: MeasuredDeployment): InputSeries[] {
  const values = new Map<string, Map<number, number>>();
  for (const { pages, honorLabels } of dialects)
    for (const [index, { labels, render }] of pages.entries())
      for (let minute = 0; minute <= CLOCK.minutes; minute += 1) {
        const target = {
          namespace: NAMESPACE,
          ...labels,
          cluster,
          job: `job-${honorLabels}`,
          instance: `page-${index}`,
        };
        const lines = [...render(minute * 60, 0).split('\n'), 'up 1'];
        for (const line of lines) {
          const found = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
          if (found === null || line.startsWith('#')) continue;
          const name = named(found[1] ?? '', found[2] ?? '', target, honorLabels);
          const own = values.get(name) ?? new Map<number, number>();
          values.set(name, own.set(minute, Number(found[3])));
        }
      }
  return [...values].map(([name, own]) => gauge(name, (minute) => own.get(minute) ?? null, CLOCK));
}

/** With `honor_labels` the exporter's own label wins; else it is kept as `exported_…`. */
function named(
  name: string,
  text: string,
  target: Readonly<Record<string, string>>,
  honorLabels: boolean,
): string {
  const own = [...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value] as const);
  const labels = new Map<string, string>(honorLabels ? [...Object.entries(target), ...own] : own);
  if (!honorLabels)
    for (const [key, value] of Object.entries(target)) {
      const taken = labels.get(key);
      if (taken !== undefined) labels.set(`exported_${key}`, taken);
      labels.set(key, value);
    }
  return `${name}{${[...labels].map(([key, value]) => `${key}="${value}"`).join(',')}}`;
}

const rulesFor = (
  engine: string | undefined,
  thresholds = DEFAULT_THRESHOLDS as Readonly<Record<string, number>>,
) =>
  generateAlertRules({
    alerts: ALERTS,
    engines: ENGINES,
    thresholds,
    ...(engine === undefined ? {} : { engine }),
  });

const alertsIn = (rules: string) =>
  [...rules.matchAll(/- alert: (\w+)[\s\S]*?severity: (\w+)/g)].map(
    ([, name, severity]) => `${name} ${severity}`,
  );

test('what an engine cannot show is left out, and said in the head of the file', () => {
  for (const { engine } of ENGINES) {
    const rules = rulesFor(engine);
    const leftOut = [...rules.matchAll(/^# Left out: (\w+) \((\w+)\), since nothing here has .+\.$/gm)].map(
      ([, name, severity]) => `${name} ${severity}`,
    );
    expect([...alertsIn(rules), ...leftOut].sort(), engine).toEqual(
      ALERTS.map(({ name, severity }) => `${name} ${severity}`).sort(),
    );
  }
  expect(rulesFor('tgi')).toContain(
    '# Left out: LLMLowGPUUtilization (warning), since nothing here has gpu_utilization.',
  );
  expect(rulesFor('tgi,dcgm')).not.toContain('LLMLowGPUUtilization (warning)');
  expect(rulesFor(undefined)).not.toContain('Left out');
});

describe.skipIf(withoutPromtool)('under promtool', () => {
  test.concurrent.each([...ENGINES.map(({ engine }) => engine), undefined])(
    'the rules of %s are accepted',
    async (engine) => {
      const rules = rulesFor(engine);
      expect(await checkRules(rules)).toContain('SUCCESS');
      // A companion alone shows nothing that an alert rests on.
      expect(alertsIn(rules).length > 0).toBe(engine !== 'dcgm' && engine !== 'kube-state-metrics');
    },
  );

  test.concurrent.each(DEPLOYMENTS.map((one) => [one.cluster, one] as const))(
    'in the %s every alert fires beyond its limit, and none short of it',
    async (_cluster, deployment) => {
      const names =
        deployment.cluster === 'mixed-cluster'
          ? ['vllm', 'sglang']
          : deployment.dialects.map(({ engine }) => engine);
      const engine = names.join(',');
      const models = [seriesOf(deployment)];
      const fires = async (thresholds: Readonly<Record<string, number>>) => {
        const rules = generateAlertRules({ alerts: STANDING, engines: ENGINES, thresholds, engine });
        const found = await firingByModel({
          rules,
          models,
          atMinutes: CLOCK.minutes,
          names: [...new Set(STANDING.map(({ name }) => name))],
          stepSeconds: 60,
          evaluateSeconds: 120,
        });
        return {
          found: [...found.values()].flat(),
          possible: alertsIn(rules),
          asksWhoIsUp: rules.includes('wakewell:worker_up'),
        };
      };

      const strict = await fires(STRICT);
      // Where no engine says of a worker that it is down, their number has to fall.
      const still = strict.asksWhoIsUp ? MOVING : [...MOVING, 'LLMWorkerDown'];
      const expected = strict.possible.filter((line) => !still.includes(line.split(' ')[0] ?? ''));
      expect(expected.length).toBeGreaterThan(3);
      expect([...new Set(strict.found)].sort()).toEqual(expect.arrayContaining(expected.sort()));
      expect((await fires(LAX)).found).toEqual([]);
    },
    120_000,
  );
});
