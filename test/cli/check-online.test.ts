import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { onlineLines } from '../../src/cli/check-online.js';
import type { MetricsSource } from '../../src/domain/metrics-source.js';
import { examineSteps } from '../../src/health/examine-steps.js';
import { freePort } from '../../src/prometheus/launch.js';
import { BUILT_IN } from '../support/playbooks.js';
import { runCli } from './run-cli.js';

const SCOPE = { cluster: 'prod-us', namespace: 'serving', model: 'llama-70b' };
const ASKED = { engine: 'vllm', query: null };

/** Sees the KV cache and one expression, knows that nothing exports GPU memory, and finds the queue renamed. */
const SOURCE: MetricsSource = {
  kind: 'prometheus',
  async readSignal(signal) {
    if (signal === 'kv_cache_utilization')
      return { ...ASKED, kind: 'value', samples: [{ worker: 'a', labels: {}, value: 0.5 }] };
    if (signal === 'queue_depth')
      return {
        ...ASKED,
        kind: 'empty',
        reason: 'renamed',
        detail: 'vllm:num_requests_waiting is now vllm:waiting',
      };
    return { ...ASKED, kind: 'empty', reason: 'unavailable', detail: `vLLM exports no ${signal}` };
  },
  readRange: () => Promise.reject(new Error('not asked for')),
  query: async (query) =>
    query.includes('good')
      ? { ...ASKED, query, kind: 'value', samples: [{ worker: null, labels: {}, value: 1 }] }
      : { ...ASKED, query, kind: 'failed', reason: 'query_refused', detail: 'parse error: unexpected end' },
};

test('each step returns data or says why not', async () => {
  const [base] = BUILT_IN.entries;
  const like = base?.steps[0];
  if (base === undefined || like === undefined) throw new Error('no built-in entry');
  const signal = (title: string, name: string) => ({
    ...like,
    title,
    read: { kind: 'signal' as const, signal: name, per: null, windowMs: null },
  });
  const query = (title: string, text: string) => ({
    ...like,
    title,
    read: { kind: 'query' as const, query: text, unit: null },
  });
  const entry = {
    ...base,
    id: 'mine',
    steps: [
      signal('KV cache', 'kv_cache_utilization'),
      signal('Queue', 'queue_depth'),
      signal('GPU memory', 'gpu_memory_ratio'),
      query('Good', 'good{namespace="{scope.namespace}"}'),
      query('Bad', 'bad('),
      query('Elsewhere', 'good{zone="{scope.zone}"}'),
    ],
  } as (typeof BUILT_IN.entries)[number];

  const steps = await examineSteps(SOURCE, SCOPE, { entries: [entry], engines: [], atMs: 0 });

  expect(
    onlineLines({ unreachable: null, scopes: [{ scope: SCOPE, engines: ['vllm'], steps }], faults: [] }),
  ).toEqual([
    'llama-70b/prod-us (vllm): 2 of 6 steps return data',
    '  ✗ Queue (mine): vllm:num_requests_waiting is now vllm:waiting',
    '  ✗ Bad (mine): parse error: unexpected end',
    '  ✗ Elsewhere (mine): its query needs the label zone, which the scope lacks',
    '  · GPU memory (mine): vLLM exports no gpu_memory_ratio',
  ]);
});

describe('wakewell check --online', () => {
  let server: Server;
  let url: string;

  beforeAll(async () => {
    server = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end('{"status":"success","data":{"resultType":"vector","result":[]}}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => void server.close());

  test('a Prometheus without engines is a fault, exit 1', async () => {
    const { status, stdout } = await runCli(['check', '--online'], { PROMETHEUS_URL: url });

    expect(stdout).toContain('no engine is scraped');
    expect(status).toBe(1);
  });

  test('one that does not answer is unreachable, exit 3', async () => {
    const nowhere = `http://127.0.0.1:${await freePort()}`;
    const { status, stdout } = await runCli(['check', '--online', '--json'], { PROMETHEUS_URL: nowhere });

    expect(JSON.parse(stdout)).toMatchObject({ ok: false, online: [] });
    expect(status).toBe(3);
  });

  test('without one there is nothing to ask, exit 2', async () => {
    const { status, stderr } = await runCli(['check', '--online'], {});

    expect(stderr).toContain('set PROMETHEUS_URL');
    expect(status).toBe(2);
  });
});
