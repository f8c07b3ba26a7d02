import { describe, expect, test } from 'vitest';
import { ALERTS } from '../../src/catalog/alerts.js';
import { builtInEnginesDirectory, loadEngineFiles } from '../../src/catalog/engine-file.js';
import { FIXED_ALERTS } from '../../src/catalog/fixed-alerts.js';
import { HISTOGRAM_BUCKETS } from '../../src/catalog/metrics.js';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { generateAlertRules } from '../../src/generate/alert-rules.js';
import { checkRules, firingAlerts, type InputSeries, withoutPromtool } from './promtool.js';

/** Two are enough to try what a rule says; every engine's rules are checked in engine-rules.test.ts. */
const engines = loadEngineFiles(builtInEnginesDirectory()).filter(({ engine }) =>
  ['vllm', 'llm'].includes(engine),
);
const settings = { alerts: ALERTS, engines, thresholds: DEFAULT_THRESHOLDS };
const rules = generateAlertRules({ ...settings, publicUrl: 'https://wakewell.example/' });
const NAMES = [...new Set(FIXED_ALERTS.map((alert) => alert.name))];

const LLM = 'cluster="prod",namespace="serving",model="m"';
const VLLM = 'cluster="prod",namespace="serving",model_name="m"';
/** vLLM's edges around the thresholds; between them nothing matters here. */
const VLLM_TTFT = [0.5, 1, 2.5, 5, 7.5, 10, 20, 2560];
const VLLM_ITL = [0.01, 0.05, 0.1, 0.15, 0.2, 0.5, 80];
const MINUTES = 40;
const STEPS = MINUTES * 4;

const steady = (series: string, value: number): InputSeries => ({ series, values: `${value}+0x${STEPS}` });
/** `perSecond` at one sample every 15 s. */
const counter = (series: string, perSecond: number): InputSeries => ({
  series,
  values: `0+${perSecond * 15}x${STEPS}`,
});

/** Ten observations a second, of which `slow` a second fall at `slowValue`, the rest in the first bucket. */
function histogram(
  name: string,
  labels: string,
  edges: readonly number[],
  slow: number,
  slowValue: number,
): InputSeries[] {
  const all = [...edges.map(String), '+Inf'].map((le) => {
    const isAbove = le === '+Inf' || Number(le) >= slowValue;
    return counter(`${name}_bucket{le="${le}",${labels}}`, isAbove ? 10 : 10 - slow);
  });
  return [...all, counter(`${name}_count{${labels}}`, 10)];
}

const worker = (labels: string, name: string) => `worker_id="${name}",${labels}`;
const pod = (name: string) => `pod="${name}",engine="0",${VLLM}`;

async function firing(input: readonly InputSeries[], atMinutes = 16, text = rules): Promise<string[]> {
  const found = await firingAlerts({ rules: text, input, atMinutes, names: NAMES });
  return found
    .map(({ name, labels }) => `${name} ${/severity="(\w+)"/.exec(labels)?.[1] ?? 'no severity'}`)
    .sort();
}

describe('the text of the rules', () => {
  test('holds each alert of the catalog once, with its severity as the only label', () => {
    const found = [...rules.matchAll(/- alert: (\w+)[\s\S]*?labels:\n\s+severity: (\w+)\n\s+annotations/g)];
    expect(found.map((one) => `${one[1]} ${one[2]}`)).toEqual(
      ALERTS.map((alert) => `${alert.name} ${alert.severity}`),
    );
    expect(NAMES).toHaveLength(8);
  });

  test('leaves no placeholder of an engine file', () => {
    expect(rules).not.toMatch(/\$(selector|place|worker|by|window|hour)\b/);
  });

  test('links to the playbook of the alert', () => {
    expect(rules).toContain('runbook_url: https://wakewell.example/playbooks/LLMHighTTFT');
  });

  test('shortens windows, for and interval with the time scale, but never below four scrapes', () => {
    const fast = generateAlertRules({ ...settings, timeScale: 20, scrapeIntervalMs: 1000 });

    expect(fast).toContain('interval: 1500ms');
    expect(fast).toContain('for: 15s');
    expect(fast).toContain('llm_ttft_seconds_bucket[15s]');
    // One minute over 20 is 3 s: three scrapes are too few.
    expect(fast).toContain('llm_error_total[4s]');
    expect(fast).toContain('20 times shorter than real');
  });

  test('can be limited to one engine, and an unknown one is named with the known ones', () => {
    const only = generateAlertRules({ ...settings, engine: 'vllm' });

    expect(only).not.toContain('llm_ttft_seconds');
    expect(only).toContain('vllm:time_to_first_token_seconds');
    expect(() => generateAlertRules({ ...settings, engine: 'acme' })).toThrow(/"acme"; known: vllm, llm/);
  });

  test('takes its limits from the thresholds given', () => {
    const strict = { ...DEFAULT_THRESHOLDS, 'queue_depth.critical': 17 };
    expect(generateAlertRules({ ...settings, thresholds: strict })).toContain(
      'expr: wakewell:queue_depth:sum_5m > 17',
    );
  });
});

test('what alerts ask of all engines is recorded once, before the alerts', () => {
  const all = loadEngineFiles(builtInEnginesDirectory());
  const text = generateAlertRules({ ...settings, engines: all });
  const recordings = [...text.matchAll(/- record: (\S+)/g)].map(([, name = '']) => name);
  const alerts = text.slice(text.indexOf('- alert:'));

  expect(new Set(recordings).size).toBe(recordings.length);
  expect(text.lastIndexOf('- record:')).toBeLessThan(text.indexOf('- alert:'));
  for (const name of recordings) expect(alerts, name).toContain(name);
  // No engine's name is left in an alert.
  expect(alerts).not.toMatch(/vllm|sglang|dynamo|trtllm|tgi_|DCGM/);
});

describe.skipIf(withoutPromtool)(
  `the rules under promtool${withoutPromtool ? ' (not installed: skipped)' : ''}`,
  () => {
    test.each([1, 20])('are accepted at time scale %i, for all engines and for each', async (timeScale) => {
      for (const engine of [undefined, 'llm', 'vllm']) {
        const text = generateAlertRules({
          ...settings,
          timeScale,
          ...(engine === undefined ? {} : { engine }),
        });
        expect(await checkRules(text)).toContain('SUCCESS');
      }
    });

    test('are silent without any data', async () => {
      expect(await firing([steady('up{job="other"}', 1)])).toEqual([]);
    });

    test('are silent for a healthy fleet of either kind', async () => {
      const healthy = [
        ...histogram('llm_ttft_seconds', LLM, HISTOGRAM_BUCKETS.ttft, 0.05, 3),
        ...histogram('llm_tbt_seconds', LLM, HISTOGRAM_BUCKETS.tbt, 0.05, 0.15),
        ...histogram('vllm:time_to_first_token_seconds', pod('p'), VLLM_TTFT, 0.05, 5),
        ...histogram('vllm:inter_token_latency_seconds', pod('p'), VLLM_ITL, 0.05, 0.15),
        counter(`llm_requests_total{endpoint="/v1",${LLM}}`, 100),
        counter(`llm_error_total{error_type="input",${LLM}}`, 0.1),
        steady(`llm_gpu_memory_used_bytes{gpu_id="0",${worker(LLM, 'a')}}`, 76),
        steady(`llm_gpu_memory_total_bytes{gpu_id="0",${worker(LLM, 'a')}}`, 80),
        steady(`llm_kv_cache_utilization{${worker(LLM, 'a')}}`, 0.8),
        steady(`vllm:kv_cache_usage_perc{${pod('p')}}`, 0.8),
        steady(`llm_queue_depth{${worker(LLM, 'a')}}`, 10),
        steady(`llm_batch_size{${worker(LLM, 'a')}}`, 60),
        counter(`llm_generated_tokens_total{${worker(LLM, 'a')}}`, 900),
        counter(`llm_preemption_total{reason="memory",${worker(LLM, 'a')}}`, 0.005),
      ];
      expect(await firing(healthy)).toEqual([]);
    });

    const latency = [
      ['llm', 'llm_ttft_seconds', LLM, HISTOGRAM_BUCKETS.ttft],
      ['vllm', 'vllm:time_to_first_token_seconds', pod('p'), VLLM_TTFT],
    ] as const;
    test.each(latency)(
      'LLMHighTTFT and LLMElevatedTTFT fire on %s above 5 s',
      async (_e, name, labels, edges) => {
        const input = histogram(name, labels, edges, 1, 10);
        expect(await firing(input)).toEqual(['LLMElevatedTTFT warning', 'LLMHighTTFT critical']);
      },
    );

    test.each(latency)(
      'only LLMElevatedTTFT fires on %s between 2 and 5 s',
      async (_e, name, labels, edges) => {
        const input = histogram(name, labels, edges, 1, 3);
        expect(await firing(input)).toEqual(['LLMElevatedTTFT warning']);
      },
    );

    test('LLMHighTTFT waits five minutes and LLMElevatedTTFT ten', async () => {
      const input = histogram('llm_ttft_seconds', LLM, HISTOGRAM_BUCKETS.ttft, 1, 10);
      expect(await firing(input, 4)).toEqual([]);
      expect(await firing(input, 7)).toEqual(['LLMHighTTFT critical']);
    });

    test('a p99 beyond the last bucket fires even where the threshold lies above that bucket', async () => {
      const beyond = { ...DEFAULT_THRESHOLDS, 'ttft_p99_seconds.critical': 30 };
      const text = generateAlertRules({ ...settings, thresholds: beyond });
      const slow = (value: number) => histogram('llm_ttft_seconds', LLM, HISTOGRAM_BUCKETS.ttft, 1, value);

      expect(await firing(slow(Number.POSITIVE_INFINITY), 30, text)).toContain('LLMHighTTFT critical');
      expect(await firing(slow(10), 30, text)).not.toContain('LLMHighTTFT critical');
    });

    test('latencies of two workers are merged before the quantile, and two models never', async () => {
      const other = LLM.replace('model="m"', 'model="other"');
      const input = [
        ...histogram('llm_ttft_seconds', `endpoint="a",${LLM}`, HISTOGRAM_BUCKETS.ttft, 0.05, 10),
        ...histogram('llm_ttft_seconds', `endpoint="b",${LLM}`, HISTOGRAM_BUCKETS.ttft, 0.05, 10),
        ...histogram('llm_ttft_seconds', other, HISTOGRAM_BUCKETS.ttft, 1, 10),
      ];
      const found = await firingAlerts({ rules, input, atMinutes: 16, names: ['LLMHighTTFT'] });

      expect(found.map((one) => one.labels)).toEqual([
        '{alertname="LLMHighTTFT", cluster="prod", model="other", namespace="serving", severity="critical"}',
      ]);
      expect(found[0]?.annotations).toContain('TTFT p99 is');
    });

    test.each([
      [
        'llm',
        `llm_queue_depth{${worker(LLM, 'a')}}`,
        `llm_batch_size{${worker(LLM, 'a')}}`,
        `llm_generated_tokens_total{${worker(LLM, 'a')}}`,
      ],
      [
        'vllm',
        `vllm:num_requests_waiting{${pod('p')}}`,
        `vllm:num_requests_running{${pod('p')}}`,
        `vllm:generation_tokens_total{${pod('p')}}`,
      ],
    ])(
      'LLMHighTTFT fires on a stall of %s, which no histogram sees',
      async (_engine, waiting, running, tokens) => {
        const stalled = [steady(waiting, 12), steady(running, 8), steady(tokens, 90_000)];
        const found = await firingAlerts({ rules, input: stalled, atMinutes: 16, names: NAMES });

        expect(found.map((one) => one.name)).toEqual(['LLMHighTTFT']);
        expect(found[0]?.annotations).toContain(
          'No token comes out while requests wait for m in prod/serving',
        );
        // Idle is no stall.
        expect(await firing([steady(waiting, 0), steady(running, 0), steady(tokens, 90_000)])).toEqual([]);
      },
    );

    test.each([
      ['llm', 'llm_tbt_seconds', LLM, HISTOGRAM_BUCKETS.tbt],
      ['vllm', 'vllm:inter_token_latency_seconds', pod('p'), VLLM_ITL],
      ['an old vllm', 'vllm:time_per_output_token_seconds', pod('p'), VLLM_ITL],
    ] as const)('LLMHighTBT fires on %s above 150 ms and not below', async (_e, name, labels, edges) => {
      expect(await firing(histogram(name, labels, edges, 1, 0.2))).toEqual(['LLMHighTBT critical']);
      expect(await firing(histogram(name, labels, edges, 1, 0.1))).toEqual([]);
    });

    test('LLMHighErrorRate fires at 6 %, not at 4 %, and not without requests', async () => {
      const errors = (perSecond: number, requests: number) => [
        counter(`llm_requests_total{endpoint="/v1",${LLM}}`, requests),
        counter(`llm_error_total{error_type="timeout",${LLM}}`, perSecond),
      ];
      expect(await firing(errors(6, 100))).toEqual(['LLMHighErrorRate critical']);
      expect(await firing(errors(4, 100))).toEqual([]);
      expect(await firing(errors(0, 0))).toEqual([]);
    });

    test('LLMHighErrorRate is quiet while no error series exists yet', async () => {
      expect(await firing([counter(`llm_requests_total{${LLM}}`, 100)])).toEqual([]);
    });

    test('LLMHighErrorRate survives the restart of the counter', async () => {
      // 100 requests and 8 errors a second; both start over every five minutes.
      const resetting = (perSample: number) => Array.from({ length: 8 }, () => `0+${perSample}x19`).join(' ');
      const input = [
        { series: `llm_requests_total{${LLM}}`, values: resetting(1500) },
        { series: `llm_error_total{error_type="crash",${LLM}}`, values: resetting(120) },
      ];
      expect(await firing(input, 29)).toEqual(['LLMHighErrorRate critical']);
    });

    test('LLMHighErrorRate counts what vLLM or its API server failed, whichever is more', async () => {
      const target = 'job="llm",instance="p:8000",pod="p",cluster="prod",namespace="serving"';
      const served = [
        steady(`vllm:num_requests_running{model_name="m",engine="0",${target}}`, 5),
        counter(`vllm:generation_tokens_total{model_name="m",engine="0",${target}}`, 500),
        counter(`vllm:request_success_total{finished_reason="stop",model_name="m",engine="0",${target}}`, 90),
      ];
      const engine = counter(
        `vllm:request_success_total{finished_reason="error",model_name="m",engine="0",${target}}`,
        10,
      );
      const aborted = counter(
        `vllm:request_success_total{finished_reason="abort",model_name="m",engine="0",${target}}`,
        90,
      );
      const http = (status: string, perSecond: number) =>
        counter(
          `http_requests_total{handler="/v1/chat/completions",method="POST",status="${status}",${target}}`,
          perSecond,
        );

      expect(await firing([...served, engine])).toEqual(['LLMHighErrorRate critical']);
      expect(await firing([...served, http('2xx', 90), http('5xx', 10)])).toEqual([
        'LLMHighErrorRate critical',
      ]);
      expect(await firing([...served, engine, http('2xx', 100)])).toEqual(['LLMHighErrorRate critical']);
      expect(await firing([...served, http('2xx', 99), http('5xx', 1)])).toEqual([]);
      // Every second client leaves: nothing failed.
      expect(await firing([...served, aborted])).toEqual([]);
      expect(await firing([...served, http('2xx', 99), http('4xx', 20)])).toEqual([]);
    });

    describe('LLMGPUMemoryCritical', () => {
      const total = steady(`llm_gpu_memory_total_bytes{gpu_id="0",${worker(LLM, 'a')}}`, 80);
      const used = (values: string): InputSeries => ({
        series: `llm_gpu_memory_used_bytes{gpu_id="0",${worker(LLM, 'a')}}`,
        values,
      });

      test('is no standing alarm for a pool at 97 %', async () => {
        expect(await firing([total, used(`77.6+0x${STEPS}`)])).toEqual([]);
      });

      test('fires when memory grows beyond the pool', async () => {
        // 92.5 % for 20 minutes, then 0.1 of 80 GB more every 15 s.
        const leak = `74+0x80 74+0.1x${STEPS - 80}`;
        expect(await firing([total, used(leak)], 19)).toEqual([]);
        expect(await firing([total, used(leak)], 30)).toEqual(['LLMGPUMemoryCritical critical']);
      });

      test('does not take the loading of weights for growth', async () => {
        const start = `2+2x38 77.6+0x${STEPS - 38}`;
        for (const minute of [8, 12, 15, 20]) expect(await firing([total, used(start)], minute)).toEqual([]);
      });

      test('fires on out-of-memory errors at a full pool, and on no other error', async () => {
        const failed = (type: string) => counter(`llm_error_total{error_type="${type}",${LLM}}`, 0.1);
        const full = [total, used(`77.6+0x${STEPS}`), counter(`llm_requests_total{${LLM}}`, 100)];

        expect(await firing([...full, failed('oom')])).toEqual(['LLMGPUMemoryCritical critical']);
        expect(await firing([...full, failed('timeout')])).toEqual([]);
        expect(await firing([total, used(`60+0x${STEPS}`), failed('oom')])).toEqual([]);
      });

      test('is silent without a capacity', async () => {
        expect(await firing([used(`77.6+1x${STEPS}`)])).toEqual([]);
      });
    });

    describe.each([
      [
        'llm',
        (value: number) => steady(`llm_kv_cache_utilization{${worker(LLM, 'a')}}`, value),
        (perSecond: number) =>
          counter(`llm_preemption_total{reason="memory",${worker(LLM, 'a')}}`, perSecond),
        (values: string) => ({ series: `llm_queue_depth{${worker(LLM, 'a')}}`, values }),
      ],
      [
        'vllm',
        (value: number) => steady(`vllm:kv_cache_usage_perc{${pod('p')}}`, value),
        (perSecond: number) => counter(`vllm:num_preemptions_total{${pod('p')}}`, perSecond),
        (values: string) => ({ series: `vllm:num_requests_waiting{${pod('p')}}`, values }),
      ],
    ] as const)('LLMKVCachePressure of %s', (_engine, kv, preemptions, queue) => {
      test('warns above 85 % after ten minutes', async () => {
        expect(await firing([kv(0.9)])).toEqual(['LLMKVCachePressure warning']);
        expect(await firing([kv(0.9)], 9)).toEqual([]);
        expect(await firing([kv(0.84)])).toEqual([]);
      });

      test('does not page for a full cache alone', async () => {
        expect(await firing([kv(0.98), preemptions(0), queue(`30+0x${STEPS}`)])).toEqual([
          'LLMKVCachePressure warning',
        ]);
      });

      test('pages for a full cache with preemptions', async () => {
        expect(await firing([kv(0.98), preemptions(0.5)])).toEqual([
          'LLMKVCachePressure critical',
          'LLMKVCachePressure warning',
        ]);
      });

      test('pages for a full cache with a growing queue', async () => {
        // One request more every 15 s: 20 in five minutes.
        expect(await firing([kv(0.98), queue(`0+1x${STEPS}`)])).toEqual([
          'LLMKVCachePressure critical',
          'LLMKVCachePressure warning',
        ]);
      });

      test('does not page for preemptions elsewhere', async () => {
        const elsewhere = preemptions(0.5);
        const moved = { ...elsewhere, series: elsewhere.series.replace('cluster="prod"', 'cluster="other"') };
        expect(await firing([kv(0.98), moved])).toEqual(['LLMKVCachePressure warning']);
      });
    });

    test('an old vLLM name of the cache is understood, and never added to the new one', async () => {
      const old = steady(`vllm:gpu_cache_usage_perc{${pod('p')}}`, 0.6);
      const renamed = steady(`vllm:kv_cache_usage_perc{${pod('p')}}`, 0.6);
      expect(await firing([old, renamed])).toEqual([]);
      expect(await firing([steady(`vllm:gpu_cache_usage_perc{${pod('p')}}`, 0.9)])).toEqual([
        'LLMKVCachePressure warning',
      ]);
    });

    test('LLMPreemptionStorm adds the workers of a scope up', async () => {
      const each = (perSecond: number) => [
        counter(`llm_preemption_total{reason="memory",${worker(LLM, 'a')}}`, perSecond),
        counter(`llm_preemption_total{reason="memory",${worker(LLM, 'b')}}`, perSecond),
      ];
      expect(await firing(each(0.6))).toEqual(['LLMPreemptionStorm critical']);
      expect(await firing(each(0.4))).toEqual([]);
      expect(await firing([counter(`vllm:num_preemptions_total{${pod('p')}}`, 1.5)])).toEqual([
        'LLMPreemptionStorm critical',
      ]);
    });

    test('LLMQueueBuildup adds the workers of a scope up', async () => {
      const moving = counter(`llm_generated_tokens_total{${worker(LLM, 'a')}}`, 900);
      const each = (value: number) => [
        moving,
        steady(`llm_queue_depth{${worker(LLM, 'a')}}`, value),
        steady(`llm_queue_depth{${worker(LLM, 'b')}}`, value),
      ];
      expect(await firing(each(120))).toEqual(['LLMQueueBuildup warning']);
      expect(await firing(each(90))).toEqual([]);
      expect(await firing([steady(`vllm:num_requests_waiting{${pod('p')}}`, 250)])).toEqual([
        'LLMQueueBuildup warning',
      ]);
    });
  },
);
