/**
 * NVIDIA Dynamo: a frontend that sees every request, and workers on DYN_SYSTEM_PORT, DCGM and kube-state-metrics beside
 * them. Read in lib/llm/src/http/service/metrics.rs and lib/runtime/src/metrics/prometheus_names.rs of 2026: KV gauges
 * carry model and dp_rank, running and waiting are one figure, `_percent` is 0 to 1.
 */

import { mergeHistograms } from '../../../src/simulator/histogram.js';
import type { GatewaySnapshot, Labelled } from '../../../src/simulator/snapshot.js';
import { companionPages } from './companions.js';
import type { SnapshotDialect } from './snapshot-dialect.js';
import { kvUsed, workerPages } from './worker-pages.js';

// generate_log_buckets, two significant digits, zero first.
const TTFT = [0, 0.0022, 0.0047, 0.01, 0.022, 0.047, 0.1, 0.22, 0.47, 1, 2.2, 4.7, 10, 22, 48, 100, 220, 480];
const ITL = [0, 0.0019, 0.0035, 0.0067, 0.013, 0.024, 0.045, 0.084, 0.16, 0.3, 0.56, 1.1, 2];
const INPUT = [0, 100, 210, 430, 870, 1800, 3600, 7400, 15_000, 31_000, 63_000, 130_000];

export const dynamo: SnapshotDialect = {
  engine: 'dynamo',
  spelling: 'go',
  pages: (snapshot, clock) => [
    ...workerPages(
      'dynamo-worker',
      snapshot,
      clock,
      (page, worker) => {
        const component = {
          dynamo_namespace: 'dynamo',
          dynamo_component: 'backend',
          dynamo_endpoint: 'generate',
        };
        const kv = { model: worker.model, dynamo_component: 'backend', dp_rank: '0' };
        const { stop, abort, error } = worker.finishes;
        page.value('dynamo_component_total_blocks', kv, worker.blocksTotal);
        page.value('dynamo_component_gpu_cache_usage_percent', kv, kvUsed(worker));
        page.value('dynamo_component_inflight_requests', component, worker.running + worker.waiting);
        page.value('dynamo_component_requests_total', component, stop + abort + error);
        page.value(
          'dynamo_component_uptime_seconds',
          component,
          (snapshot.simulatedMs - worker.startedMs) / 1000,
        );
      },
      { withoutProcess: true },
    ),
    {
      target: { job: 'dynamo-frontend', pod: 'frontend-0', instance: '10.0.0.99:8000' },
      write(page) {
        const gateway = ofModel(snapshot.gateway, snapshot.place.model);
        const workers = snapshot.workers.filter(({ model: own }) => own === snapshot.place.model);
        const model = { model: snapshot.place.model };
        const request = { ...model, endpoint: 'chat_completions', request_type: 'stream' };
        const errors = (...types: string[]) =>
          sum(gateway.errors.filter(({ labels }) => types.includes(labels.error_type ?? '')));
        const started = sum(gateway.requests);
        const held = workers.reduce((all, { running, waiting }) => all + running + waiting, 0);
        const aborted = workers.reduce((all, { finishes }) => all + finishes.abort, 0);
        const failed = sum(gateway.errors);
        const ended = (status: string, errorType: string, count: number) =>
          page.value('dynamo_frontend_requests_total', { ...request, status, error_type: errorType }, count);
        // What is neither held nor failed nor left was answered.
        ended('success', '', Math.max(0, started - held - failed - aborted));
        ended('error', 'cancelled', aborted);
        ended('error', 'validation', errors('input'));
        ended('error', 'response_timeout', errors('timeout'));
        ended('error', 'internal', errors('oom', 'crash'));
        page.value('dynamo_frontend_requests_started_total', request, started);
        page.value('dynamo_frontend_active_requests', model, held);
        page.value('dynamo_frontend_inflight_requests', model, held);
        page.value('dynamo_frontend_output_tokens_total', model, tokensOut(gateway));
        const histogram = (name: string, family: GatewaySnapshot['ttft'], edges: readonly number[]) => {
          const merged = mergeHistograms(family.map(({ value }) => value));
          if (merged !== null) page.histogram(`dynamo_frontend_${name}`, model, merged, edges);
        };
        histogram('time_to_first_token_seconds', gateway.ttft, TTFT);
        histogram('inter_token_latency_seconds', gateway.tbt, ITL);
        histogram('input_sequence_tokens', gateway.promptTokens, INPUT);
      },
    },
    ...companionPages(snapshot),
  ],
};

/** A frontend's own part of what the gateway counted. */
function ofModel(gateway: GatewaySnapshot, model: string): GatewaySnapshot {
  const own = <T>(family: readonly Labelled<T>[]) => family.filter(({ labels }) => labels.model === model);
  return {
    ttft: own(gateway.ttft),
    tbt: own(gateway.tbt),
    duration: own(gateway.duration),
    promptTokens: own(gateway.promptTokens),
    requests: own(gateway.requests),
    errors: own(gateway.errors),
  };
}

function sum(family: readonly Labelled<number>[]): number {
  return family.reduce((all, { value }) => all + value, 0);
}

/** Every first token and every later one. */
function tokensOut({ ttft, tbt }: GatewaySnapshot): number {
  return [...ttft, ...tbt].reduce((all, { value }) => all + value.count, 0);
}
