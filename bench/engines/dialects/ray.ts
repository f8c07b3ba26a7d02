/**
 * Ray Serve LLM: one metrics agent a node exports Ray's own HTTP layer and vLLM's series as `ray_vllm_*` with ReplicaId
 * and WorkerId. Read in vllm/v1/metrics/ray_wrappers.py and Ray's serve_llm_dashboard_panels.py of 2026: characters
 * outside [a-zA-Z0-9_] become `_`; a counter has no series before its first increment; latency is in milliseconds.
 */

import type { Dialect } from '../dialect.js';
import { createExposition } from '../exposition.js';
import { finishedPerSecond, MODEL, type TruthWorker, WORKERS } from '../truth.js';
import { growingAll, sharedPage } from './pages.js';
import { VLLM_EDGES, writeVllmEngine } from './vllm.js';

const HTTP = { application: MODEL, route: '/v1', method: 'POST' };
const LATENCY_MS = [
  1, 2, 5, 10, 20, 50, 100, 200, 300, 400, 500, 1000, 2000, 5000, 10_000, 60_000, 120_000, 300_000, 600_000,
];

export const ray: Dialect = {
  engine: 'ray',
  honorLabels: false,
  pages: [
    // One agent serves all replicas of its node from one target.
    ...['gpu-node-0', 'gpu-node-1'].map((node, index) => ({
      labels: { job: 'ray', pod: `ray-worker-${index}`, instance: `10.0.1.${index + 1}:8080`, node },
      render(seconds: number) {
        const parts = WORKERS.filter((worker) => worker.node === node).map((worker) =>
          replica(worker, seconds),
        );
        return merged(parts);
      },
    })),
    sharedPage({ job: 'ray', pod: 'ray-head-0', instance: '10.0.1.9:8080' }, 'python', (page, seconds) => {
      page.counter(
        'ray_serve_num_http_requests_total',
        growingAll(seconds, (w) => w.servedPerSecond + w.abortedPerSecond, { ...HTTP, status_code: '200' }),
        growingAll(seconds, (w) => w.errorsPerSecond.input, { ...HTTP, status_code: '400' }),
        growingAll(seconds, (w) => w.errorsPerSecond.oom + w.errorsPerSecond.crash, {
          ...HTTP,
          status_code: '500',
        }),
        growingAll(seconds, (w) => w.errorsPerSecond.overload, { ...HTTP, status_code: '503' }),
        growingAll(seconds, (w) => w.errorsPerSecond.timeout, { ...HTTP, status_code: '408' }),
      );
      page.counter(
        'ray_serve_num_http_error_requests_total',
        growingAll(seconds, (w) => w.errorsPerSecond.input, { ...HTTP, error_code: '400' }),
        growingAll(seconds, (w) => w.errorsPerSecond.oom + w.errorsPerSecond.crash, {
          ...HTTP,
          error_code: '500',
        }),
        growingAll(seconds, (w) => w.errorsPerSecond.overload, { ...HTTP, error_code: '503' }),
        growingAll(seconds, (w) => w.errorsPerSecond.timeout, { ...HTTP, error_code: '408' }),
      );
      page.histogram(
        'ray_serve_http_request_latency_ms',
        ...WORKERS.map((worker, index) => ({
          labels: { ...HTTP, status_code: '200', shard: String(index) },
          edges: LATENCY_MS,
          samples: worker.duration,
          unit: 1000,
          observed: finishedPerSecond(worker) * seconds,
        })),
      );
      page.gauge(
        'ray_serve_deployment_queued_queries',
        ...WORKERS.map((worker, index) => ({
          labels: { application: MODEL, deployment: `LLMServer:${MODEL}`, handle: `h${index}` },
          value: worker.waiting,
        })),
      );
      page.gauge(
        'ray_serve_replica_processing_queries',
        ...WORKERS.map((worker) => ({
          labels: { application: MODEL, deployment: `LLMServer:${MODEL}`, replica: worker.name },
          value: worker.running,
        })),
      );
    }),
  ],
  edges: VLLM_EDGES,
  failures: ['oom', 'crash', 'timeout', 'overload', 'input'],
  errorTypes: { error: ['oom', 'crash', 'timeout', 'overload', 'input'] },
};

function replica(worker: TruthWorker, seconds: number): string {
  const page = createExposition('python');
  writeVllmEngine(page, worker, seconds, {
    name: (own) => `ray_vllm_${own}`,
    labels: () => ({ model_name: MODEL, engine: '0', ReplicaId: worker.name, WorkerId: `w-${worker.name}` }),
  });
  return page.text();
}

/** One page of several: a family's head stands once, its series together. */
function merged(texts: readonly string[]): string {
  const families = new Map<string, { head: string[]; series: string[] }>();
  for (const text of texts) {
    let family: { head: string[]; series: string[] } | undefined;
    for (const line of text.trimEnd().split('\n')) {
      const name = /^# (?:HELP|TYPE) (\S+)/.exec(line)?.[1];
      if (name === undefined) {
        family?.series.push(line);
        continue;
      }
      family = families.get(name) ?? { head: [], series: [] };
      families.set(name, family);
      if (!family.head.includes(line)) family.head.push(line);
    }
  }
  return `${[...families.values()].flatMap(({ head, series }) => [...head, ...series]).join('\n')}\n`;
}
