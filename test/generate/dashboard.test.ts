import { readFileSync } from 'node:fs';
import { parser } from '@prometheus-io/lezer-promql';
import { describe, expect, test } from 'vitest';
import { generatedFiles } from '../../bench/support/generated-files.js';
import { builtInEnginesDirectory, loadEngineFiles } from '../../src/catalog/engine-file.js';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { generateDashboard } from '../../src/generate/dashboard.js';

type Panel = {
  readonly type: string;
  readonly title: string;
  readonly targets?: readonly { readonly expr: string; readonly refId: string }[];
  readonly fieldConfig?: {
    readonly defaults: { readonly thresholds?: { readonly steps: readonly { value: number | null }[] } };
  };
};

const engines = loadEngineFiles(builtInEnginesDirectory());
const dashboardOf = (engine?: string) =>
  JSON.parse(
    generateDashboard({
      engines,
      thresholds: DEFAULT_THRESHOLDS,
      ...(engine === undefined ? {} : { engine }),
    }),
  ) as Record<string, unknown> & { readonly panels: readonly Panel[] };

describe('the dashboard', () => {
  const dashboard = dashboardOf();

  test('is what the specification of it says', () => {
    expect(dashboard).toMatchObject({
      title: 'LLM serving',
      timezone: 'utc',
      tags: ['llm', 'inference'],
      refresh: '10s',
      time: { from: 'now-1h', to: 'now' },
    });
    const titles = dashboard.panels.map(({ type, title }) => `${type}: ${title}`);
    expect(titles).toEqual([
      'row: User experience',
      'timeseries: Time to first token',
      'timeseries: Time between tokens',
      'stat: Generation throughput',
      'stat: Error rate, 1 m',
      'row: GPU health',
      'timeseries: GPU utilization',
      'timeseries: GPU memory',
      'gauge: Free GPU memory',
      'timeseries: GPU temperature',
      'row: KV cache and scheduling',
      'timeseries: KV cache utilization',
      'timeseries: Queue depth',
      'timeseries: Batch size',
      'row: Diagnostics',
      'timeseries: Preemptions',
      'heatmap: Request duration',
      'table: Workers',
      'row: Deployment and load',
      'timeseries: Replicas',
      'timeseries: Pods not ready',
      'timeseries: Restarts, 1 h',
      'timeseries: Requests',
      'timeseries: Requests in progress',
      'timeseries: Queue wait, p99',
      'timeseries: Quotas',
    ]);
  });

  test.each([
    ['KV cache utilization', [null, 0.85, 0.95]],
    ['Error rate, 1 m', [null, 0.001, 0.01]],
    ['Time to first token', [null, 2, 5]],
  ])('%s has the limits of the catalog', (title, steps) => {
    const panel = dashboard.panels.find((one) => one.title === title);
    expect(panel?.fieldConfig?.defaults.thresholds?.steps.map(({ value }) => value)).toEqual(steps);
  });

  test('asks in valid PromQL, limited by its variables, each query under a name of its own', () => {
    for (const { title, targets = [] } of dashboard.panels) {
      expect(new Set(targets.map(({ refId }) => refId)).size, title).toBe(targets.length);
      for (const { expr } of targets) {
        let errors = 0;
        parser.parse(expr).iterate({
          enter({ type }) {
            if (type.isError) errors += 1;
          },
        });
        expect(errors, expr).toBe(0);
        expect(expr).toContain('$cluster');
      }
    }
  });

  test('of one engine has only its names, and those of GPUs and Kubernetes', () => {
    const text = JSON.stringify(dashboardOf('sglang').panels);

    expect(text).toContain('sglang:token_usage');
    expect(text).toContain('DCGM_FI_DEV_GPU_UTIL');
    expect(text).not.toContain('vllm:');
    expect(() => dashboardOf('acme')).toThrow(/"acme"; known: /);
  });
});

test('what deploy holds is what is generated', () => {
  for (const [file, text] of generatedFiles()) expect(readFileSync(file, 'utf8'), file).toBe(text);
});
