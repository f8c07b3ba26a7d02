/** The load: distinct alerts of a fleet, as Alertmanager's webhook sends them and as its own API takes them. */

const NAMES = [
  'LLMHighTTFT',
  'LLMElevatedTTFT',
  'LLMHighTBT',
  'LLMHighErrorRate',
  'LLMGPUMemoryCritical',
  'LLMKVCachePressure',
  'LLMPreemptionStorm',
  'LLMQueueBuildup',
];

/** Alert number `n`: eight names over eight places, each from an instance of its own. */
function alertOf(n: number): {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  startsAt: string;
  generatorURL: string;
} {
  const name = NAMES[n % NAMES.length] ?? 'LLMHighTTFT';
  const place = Math.floor(n / NAMES.length) % 8;
  return {
    labels: {
      alertname: name,
      severity: n % 3 === 0 ? 'critical' : 'warning',
      cluster: `prod-${place % 4}`,
      namespace: 'serving',
      model: place < 4 ? 'llama-70b' : 'mixtral-8x22b',
      instance: `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}:8000`,
      worker_id: `worker-${n}`,
      job: 'vllm',
    },
    annotations: {
      summary: `${name} on worker-${n}: the first token takes more than 5 s at the 99th percentile`,
      description: 'The KV cache is nearly full and requests wait for blocks before their prefill begins.',
      runbook_url: 'https://runbooks.example.com/llm/high-ttft',
    },
    startsAt: '2026-11-22T02:59:00.123Z',
    generatorURL:
      'http://prometheus:9090/graph?g0.expr=histogram_quantile%280.99%2C+sum+by+%28le%29+%28rate%28llm_ttft_seconds_bucket%5B5m%5D%29%29%29+%3E+5&g0.tab=1',
  };
}

/** A webhook body with alerts number `from` to `from + count`. */
export function webhookBody(from: number, count: number): string {
  const alerts = Array.from({ length: count }, (_, index) => ({
    status: 'firing',
    ...alertOf(from + index),
    endsAt: '0001-01-01T00:00:00Z',
    fingerprint: (from + index).toString(16).padStart(16, '0'),
  }));
  return `${JSON.stringify({
    receiver: 'wakewell',
    status: 'firing',
    alerts,
    groupLabels: {},
    commonLabels: {},
    commonAnnotations: {},
    externalURL: 'http://alertmanager:9093',
    version: '4',
    groupKey: `{}:{n="${from}"}`,
    truncatedAlerts: 0,
  })}\n`;
}

/** The same alerts for `POST /api/v2/alerts`, ending in an hour so that they stay. */
export function apiBody(from: number, count: number): string {
  const endsAt = new Date(Date.now() + 3_600_000).toISOString();
  const startsAt = new Date(Date.now() - 60_000).toISOString();
  return JSON.stringify(
    Array.from({ length: count }, (_, index) => ({ ...alertOf(from + index), startsAt, endsAt })),
  );
}
