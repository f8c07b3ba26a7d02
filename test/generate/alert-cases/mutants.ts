/** The naïve forms of our alerts, each put back into the generated rules, and the proof that has to fail for it. */

export type Mutant = {
  readonly what: string;
  readonly dialect: 'llm' | 'vllm';
  readonly put: (rules: string) => string;
  /** Title of a case in verify.ts. */
  readonly caughtBy: string;
  /** Thresholds that the mistake needs to show. */
  readonly thresholds?: Readonly<Record<string, number>>;
};

const AFTER_A_DAY = '(after a day)';

/** Replaces the expression of one rule. */
const withExpression =
  (rule: string, expression: string) =>
  (rules: string): string =>
    rules.replace(
      new RegExp(`(- (?:alert|record): ${rule}\\n +expr: )[\\s\\S]*?(?=\\n +(?:for: |- ))`),
      (_all, head: string) => head + expression,
    );

export const MUTANTS: readonly Mutant[] = [
  {
    what: 'a quantile of each series in place of all of them',
    dialect: 'llm',
    put: (rules) => rules.replaceAll('sum by (le, cluster, namespace, model) (', '('),
    caughtBy: 'a healthy model fires nothing',
  },
  {
    what: 'a sum without le under histogram_quantile',
    dialect: 'llm',
    put: (rules) => rules.replaceAll('sum by (le, cluster', 'sum by (cluster'),
    caughtBy: 'LLMHighTTFT critical fires',
  },
  {
    what: 'a sum that forgets the model',
    dialect: 'llm',
    put: (rules) => rules.replaceAll('cluster, namespace, model)', 'cluster, namespace)'),
    caughtBy: 'LLMHighTTFT critical fires',
  },
  {
    what: 'a division by no requests',
    dialect: 'llm',
    put: (rules) => rules.replace(/\/ \((sum by .*?llm_requests_total\[1m\]\)\)) > 0\)/, '/ $1'),
    caughtBy: 'LLMHighErrorRate critical does not fire for a late failure without any request',
  },
  {
    what: 'a division by a capacity of zero',
    dialect: 'llm',
    put: (rules) => rules.replaceAll('(llm_gpu_memory_total_bytes > 0)', 'llm_gpu_memory_total_bytes'),
    caughtBy: 'LLMGPUMemoryCritical critical does not fire for no capacity',
  },
  {
    what: 'a GPU of 80 GiB',
    dialect: 'llm',
    put: (rules) => rules.replaceAll('(llm_gpu_memory_total_bytes > 0)', String(80 * 2 ** 30)),
    caughtBy: 'LLMGPUMemoryCritical critical fires',
  },
  {
    what: 'a threshold beyond the last bucket',
    dialect: 'llm',
    put: (rules) => rules.replaceAll('max_5m_beyond >', 'max_5m >'),
    caughtBy: 'LLMHighTTFT critical fires beyond the last bucket',
    thresholds: { 'ttft_p99_seconds.critical': 30 },
  },
  {
    what: 'absent() for a scope that is gone',
    dialect: 'llm',
    put: withExpression('LLMMetricsMissing', 'absent(wakewell:kv_cache_utilization:max_5m)'),
    caughtBy: 'LLMMetricsMissing warning fires',
  },
  {
    what: 'a comparison in place of asking for what is missing',
    dialect: 'llm',
    put: withExpression('LLMMetricsMissing', 'wakewell:kv_cache_utilization:max_5m == 0'),
    caughtBy: 'LLMMetricsMissing warning fires',
  },
  {
    what: 'up == 0 alone',
    dialect: 'llm',
    put: withExpression('LLMWorkerDown', 'wakewell:worker_up:workers_down_5m > 0'),
    caughtBy: 'LLMWorkerDown warning fires on a target that vanished',
  },
  {
    what: 'a fall in replicas that Kubernetes was told of',
    dialect: 'vllm',
    put: (rules) => rules.replace(/\n +unless on \(cluster, namespace, model\) \(avg_over_time.*/, ''),
    caughtBy: 'LLMWorkerDown warning does not fire just short of it (where Kubernetes is seen)',
  },
  {
    what: 'a rate over a gauge',
    dialect: 'llm',
    put: (rules) => rules.replaceAll('(llm_queue_depth)', '(rate(llm_queue_depth[5m]))'),
    caughtBy: 'LLMQueueBuildup warning fires',
  },
  {
    what: 'a counter without a rate',
    dialect: 'llm',
    put: (rules) => rules.replaceAll('rate(llm_preemption_total[5m])', 'llm_preemption_total'),
    caughtBy: 'a healthy model fires nothing',
  },
  {
    what: 'the difference of a counter in place of its rate',
    dialect: 'llm',
    put: (rules) =>
      rules.replaceAll(
        'rate(llm_preemption_total[5m])',
        '(llm_preemption_total - llm_preemption_total offset 5m) / 300',
      ),
    caughtBy: 'LLMPreemptionStorm critical fires though counters start over',
  },
  {
    what: 'a counter by its name in the source code',
    dialect: 'vllm',
    put: (rules) => rules.replaceAll('vllm:num_preemptions_total', 'vllm:num_preemptions'),
    caughtBy: 'LLMPreemptionStorm critical fires',
  },
  {
    what: 'callers’ own mistakes counted as failures',
    dialect: 'vllm',
    put: (rules) => rules.replaceAll('status=~"5.."', 'status=~"[45].."'),
    caughtBy: 'LLMHighErrorRate critical does not fire for callers that are refused or leave',
  },
  {
    what: 'no time for which it must last',
    dialect: 'llm',
    put: (rules) => rules.replace(/\n +for: .*/g, ''),
    caughtBy: 'a spike of a minute fires nothing',
  },
  {
    what: 'a full cache without its damage',
    dialect: 'llm',
    put: (rules) => rules.replace(/(kv_cache_utilization:max_5m > 0.95)[\s\S]*?(?=\n +for: )/, '$1'),
    caughtBy: 'LLMKVCachePressure critical does not fire just short of it',
  },
  {
    what: 'a pool that stands at 97 %',
    dialect: 'llm',
    put: withExpression('LLMGPUMemoryCritical', 'wakewell:gpu_memory_ratio:max_5m > 0.95'),
    caughtBy: 'LLMGPUMemoryCritical critical does not fire just short of it',
  },
  {
    what: 'the fullest queue in place of all',
    dialect: 'llm',
    put: (rules) => rules.replace(/(queue_depth:sum_5m\n +expr: \|-\n +)sum/, '$1max'),
    caughtBy: 'LLMQueueBuildup warning fires',
  },
  {
    what: 'a stall of the whole model alone',
    dialect: 'llm',
    put: withExpression('LLMStalled', 'wakewell:generation_tokens_rate:sum_5m == 0'),
    caughtBy: 'LLMStalled critical fires',
  },
  {
    what: 'idleness taken for a stall',
    dialect: 'llm',
    put: (rules) =>
      rules.replace(/ < 0\.01\n +and on \(worker_id[\s\S]*?\n {10} {2}\)(?=\n {10}\))/, ' < 0.01'),
    caughtBy: 'LLMStalled critical does not fire just short of it',
  },
  {
    what: 'the idlest GPU in place of most',
    dialect: 'llm',
    put: (rules) => rules.replace('(0.5,', '(0,'),
    caughtBy: 'LLMLowGPUUtilization warning does not fire for one idle worker',
  },
  {
    what: 'a mean over minutes without requests',
    dialect: 'llm',
    put: (rules) => rules.replaceAll(' >= 0)[', ')['),
    caughtBy: `LLMUnusualTTFT info fires though some minutes of yesterday had no request ${AFTER_A_DAY}`,
  },
  {
    what: 'a ratio that is absent until the first failure',
    dialect: 'llm',
    put: (rules) => rules.replace(/\n +or 0 \* sum by .*/g, ''),
    caughtBy: `LLMUnusualErrorRate info fires where nothing ever failed before ${AFTER_A_DAY}`,
  },
];
