import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { ALERTS } from '../../src/catalog/alerts.js';
import { builtInEnginesDirectory, loadEngineFiles } from '../../src/catalog/engine-file.js';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { generateAlertRules } from '../../src/generate/alert-rules.js';
import { examineRules } from '../../src/health/examine-rules.js';
import type { PrometheusClient } from '../../src/prometheus/prometheus-client.js';
import type { LoadedRule } from '../../src/prometheus/read-rules.js';
import { BUILT_IN } from '../support/playbooks.js';

const ENGINES = loadEngineFiles(builtInEnginesDirectory());
const VLLM = [
  'up',
  'http_requests_total',
  'vllm:num_requests_running',
  'vllm:num_requests_waiting',
  'vllm:kv_cache_usage_perc',
  'vllm:num_preemptions_total',
  'vllm:generation_tokens_total',
  'vllm:request_success_total',
  'vllm:time_to_first_token_seconds_bucket',
  'vllm:inter_token_latency_seconds_bucket',
];

/** What is loaded when the printed rules are, and answers only which of the metrics exist. */
function clientWith(present: readonly string[], engine?: string): PrometheusClient {
  const text = generateAlertRules({
    alerts: ALERTS,
    engines: ENGINES,
    thresholds: DEFAULT_THRESHOLDS,
    ...(engine === undefined ? {} : { engine }),
  });
  const { groups } = parse(text) as {
    groups: [{ rules: ({ expr: string } & ({ record: string } | { alert: string }))[] }];
  };
  const rules = groups[0].rules.map(
    (rule): LoadedRule => ({
      kind: 'record' in rule ? 'recording' : 'alerting',
      name: 'record' in rule ? rule.record : rule.alert,
      query: rule.expr,
      lastError: null,
    }),
  );
  return {
    rules: async () => ({ kind: 'rules', rules }),
    query: async () => ({
      kind: 'vector',
      samples: present.map((name) => ({ labels: { __name__: name }, value: 1 })),
      warnings: [],
    }),
  } as unknown as PrometheusClient;
}

async function deadWith(
  present: readonly string[],
  engine?: string,
): Promise<Map<string, readonly string[]>> {
  const found = await examineRules(clientWith(present, engine), BUILT_IN.entries, 0);
  if (found.kind === 'failed') throw new Error(found.detail);
  expect(found.withoutEntry).toEqual([]);
  return new Map(found.dead.map(({ name, missing }) => [name, missing]));
}

test('with vLLM alone only what needs its GPUs can never fire, and the metrics to look for are named', async () => {
  const dead = await deadWith(VLLM);

  expect([...dead.keys()].sort()).toEqual([
    'LLMGPUMemoryCritical',
    'LLMGPUMemoryPressure',
    'LLMLowGPUUtilization',
  ]);
  expect(dead.get('LLMLowGPUUtilization')).toEqual(
    expect.arrayContaining(['DCGM_FI_DEV_GPU_UTIL', 'llm_gpu_utilization']),
  );
  expect([...dead.values()].flat().filter((name) => name.startsWith('wakewell:'))).toEqual([]);
});

test('with a GPU exporter beside it every alert can fire', async () => {
  const gpus = ['DCGM_FI_DEV_GPU_UTIL', 'DCGM_FI_DEV_FB_USED', 'DCGM_FI_DEV_FB_FREE'];
  expect([...(await deadWith([...VLLM, ...gpus], 'vllm,dcgm')).keys()]).toEqual([]);
});

test('with nothing at all none can, not even the one that tells what is missing', async () => {
  const names = [...new Set(ALERTS.map(({ name }) => name))];
  expect([...(await deadWith([])).keys()].sort()).toEqual(names.sort());
});

test('without KV cache and up the alerts that rest on these are named', async () => {
  const dead = await deadWith(
    VLLM.filter((name) => name !== 'up' && !name.includes('kv_cache')),
    'vllm',
  );
  expect([...dead.keys()].sort()).toEqual(['LLMAllWorkersDown', 'LLMKVCachePressure']);
});
