/** Several sources of metrics: which one is asked, by two real Prometheuses that know their cluster only as an external label. */

import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/app.js';
import { builtInEnginesDirectory, loadEngineFiles } from '../../src/catalog/engine-file.js';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { doctorLines } from '../../src/cli/doctor.js';
import { healthLines } from '../../src/cli/health.js';
import { readConfig } from '../../src/config/config.js';
import type { PrometheusConfig } from '../../src/config/prometheus-config.js';
import { createSecret } from '../../src/config/secret.js';
import type { Scope } from '../../src/domain/scope.js';
import { examine } from '../../src/health/doctor.js';
import { evaluateHealth } from '../../src/health/evaluate-health.js';
import { type ConnectedSources, caFaults, connectSources } from '../../src/prometheus/connect-sources.js';
import { freePort, type Launched } from '../../src/prometheus/launch.js';
import { BUILT_IN } from '../support/playbooks.js';
import { startPrometheus, withoutPrometheus } from '../support/real-prometheus.js';

const SCRAPE_MS = 500;
const ENGINES = loadEngineFiles(builtInEnginesDirectory());
const SCOPE_LABELS = ['cluster', 'namespace', 'model'];
const CERTIFICATE = new URL('../fixtures/tls/cert.pem', import.meta.url);
const KEY = new URL('../fixtures/tls/key.pem', import.meta.url);

function source(name: string, url: string, more: Partial<PrometheusConfig> = {}): PrometheusConfig {
  return { name, url, externalLabels: {}, match: [], headers: {}, ...more };
}

function connect(sources: readonly PrometheusConfig[]): ConnectedSources {
  return connectSources({
    ...{ sources, engines: ENGINES, scopeLabels: SCOPE_LABELS, clock: systemClock, timeScale: 60 },
    queryMs: 3_000,
    defaultWindowMs: 5_000,
  });
}

function scope(cluster?: string): Scope {
  return { ...(cluster === undefined ? {} : { cluster }), namespace: 'serving', model: 'llama-70b' };
}

describe.skipIf(withoutPrometheus)('several Prometheuses', () => {
  let pages: Server;
  const peers: Launched[] = [];
  let connected: ConnectedSources;

  beforeAll(async () => {
    pages = createServer((request, response) => {
      const kv = request.url === '/eu' ? 0.97 : 0.55;
      response.setHeader('content-type', 'text/plain; version=0.0.4');
      const labels = 'model_name="llama-70b",engine="0"';
      response.end(`vllm:num_requests_running{${labels}} 1\nvllm:kv_cache_usage_perc{${labels}} ${kv}\n`);
    });
    await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve));
    const address = `127.0.0.1:${(pages.address() as AddressInfo).port}`;
    for (const name of ['us', 'eu']) {
      peers.push(
        await startPrometheus({
          scrapeTargets: [{ address, path: `/${name}`, labels: { pod: `${name}-0`, namespace: 'serving' } }],
          scrapeIntervalMs: SCRAPE_MS,
          evaluationIntervalMs: SCRAPE_MS,
        }),
      );
    }
    const [us, eu] = peers;
    connected = connect([
      source('us', us?.url ?? '', { externalLabels: { cluster: 'prod-us' } }),
      source('eu', eu?.url ?? '', { externalLabels: { cluster: 'prod-eu' } }),
      source('asia', `http://127.0.0.1:${await freePort()}`, { externalLabels: { cluster: 'prod-asia' } }),
    ]);
    await vi.waitFor(
      async () => {
        for (const cluster of ['prod-us', 'prod-eu']) expect((await read(scope(cluster))).kind).toBe('value');
      },
      { timeout: 30_000, interval: SCRAPE_MS },
    );
  }, 60_000);

  afterAll(async () => {
    await connected?.close();
    await Promise.all(peers.map((peer) => peer.close()));
    pages?.close();
  });

  const read = (where: Scope, agoMs = 0) =>
    connected.source.readSignal('kv_cache_utilization', where, { atMs: Date.now() - agoMs });

  test.each([
    ['prod-us', 0.55, 'us-0'],
    ['prod-eu', 0.97, 'eu-0'],
  ])('%s is read from its own, and its label stays out of the query', async (cluster, value, pod) => {
    const reading = await read(scope(cluster));

    expect(reading).toMatchObject({ kind: 'value', samples: [{ value }] });
    expect(JSON.stringify(reading)).toContain(pod);
    expect(reading.query).not.toContain('cluster');
    expect(reading.query).toContain('namespace="serving"');
  });

  test('without the label that chooses, nobody is asked', async () => {
    expect(await read(scope())).toMatchObject({
      kind: 'empty',
      reason: 'label_missing',
      query: null,
      detail: expect.stringContaining('no label cluster'),
    });
  });

  test.each(['prod-mars', 'prod-us"} or vector(1) #', 'PROD-US', 'prod-us\n', '__proto__'])(
    'a cluster called %j is nobody’s',
    async (cluster) => {
      expect(await read(scope(cluster))).toMatchObject({
        kind: 'empty',
        reason: 'no_series',
        query: null,
        detail: expect.stringContaining('no source of metrics is configured'),
      });
    },
  );

  test('one that is down is said, and costs the others nothing', async () => {
    // Equal questions are asked once: each asks about another second.
    for (let asked = 1; asked < 7; asked += 1) await read(scope('prod-asia'), asked * 1000);

    expect(await read(scope('prod-asia'))).toMatchObject({ kind: 'failed', reason: 'circuit_open' });
    expect((await read(scope('prod-us'))).kind).toBe('value');
    const found = await connected.findScopes({ atMs: Date.now() });
    if (found.kind !== 'scopes') throw new Error(found.detail);
    expect(found.scopes.map((one) => one.scope.cluster)).toEqual(['prod-us', 'prod-eu']);
    expect(found.unseen).toEqual([expect.stringMatching(/^asia: /)]);
  });

  test('health and doctor name the source that is not seen', async () => {
    const { source: all, findScopes } = connected;
    const health = healthLines(
      await evaluateHealth({ source: all, findScopes, thresholds: DEFAULT_THRESHOLDS, clock: systemClock }),
    ).join('\n');
    const doctor = doctorLines(
      await examine({
        ...{ metrics: connected, engines: ENGINES, entries: BUILT_IN.entries, scopeLabels: SCOPE_LABELS },
        reach: [],
        clock: systemClock,
      }),
    ).join('\n');

    expect(health).toMatch(/llama-70b\/prod-us[\s\S]*llama-70b\/prod-eu[\s\S]*\? not seen: asia: /);
    expect(doctor).toMatch(/✓ prometheus us +answers\n✓ prometheus eu +answers\n✗ prometheus asia /);
    expect(doctor).toMatch(/rules us .*\n✗ rules eu /);
  });

  test('an expression that says no place is asked of nobody', async () => {
    expect(await connected.source.query('up', { atMs: Date.now() })).toMatchObject({
      kind: 'empty',
      reason: 'label_missing',
    });
    expect(await connected.sourceFor(scope('prod-eu')).query('up', { atMs: Date.now() })).toMatchObject({
      kind: 'value',
    });
  });

  test('where two fit, none is asked', async () => {
    const [us, eu] = peers;
    const both = connect([
      source('one', us?.url ?? '', { match: ['cluster=~"prod-.*"'] }),
      source('two', eu?.url ?? '', { match: ['model="llama-70b"'] }),
    ]);
    const reading = await both.source.readSignal('kv_cache_utilization', scope('prod-us'), {
      atMs: Date.now(),
    });
    await both.close();

    expect(reading).toMatchObject({ kind: 'empty', query: null });
    expect(JSON.stringify(reading)).toContain('one and two');
  });
});

test('TLS by an own authority, with token and tenant of that source alone', async () => {
  const asked: unknown[] = [];
  const server = createTlsServer(
    { cert: readFileSync(CERTIFICATE), key: readFileSync(KEY) },
    (request, response) => {
      asked.push([request.headers.authorization, request.headers['x-scope-orgid']]);
      response.setHeader('content-type', 'application/json');
      response.end('{"status":"success","data":{"resultType":"vector","result":[]}}');
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const secure = connect([
    source('secure', url, {
      caFile: CERTIFICATE.pathname,
      bearerToken: createSecret('token-of-secure'),
      headers: { 'X-Scope-OrgID': 'serving' },
    }),
  ]);
  const strange = connect([source('strange', url)]);
  const answer = await secure.source.query('up', { atMs: Date.now() });
  const refused = await strange.source.query('up', { atMs: Date.now() });
  await Promise.all([secure.close(), strange.close()]);
  server.close();

  expect(answer).toMatchObject({ kind: 'empty', reason: 'no_series' });
  expect(asked).toEqual([['Bearer token-of-secure', 'serving']]);
  expect(refused).toMatchObject({ kind: 'failed', reason: 'unreachable' });
});

test('a CA file that cannot serve is a fault with its name', () => {
  expect(caFaults([source('a', 'https://x', { caFile: '/nowhere/ca.pem' })])).toEqual([
    expect.stringContaining('prometheus a: ca_file /nowhere/ca.pem cannot be read'),
  ]);
  expect(caFaults([source('a', 'https://x', { caFile: KEY.pathname })])).toEqual([
    expect.stringContaining('holds no certificate'),
  ]);
});

describe('the configuration of sources', () => {
  const faults = (yamlText: string, env: Record<string, string> = {}) => {
    const read = readConfig({ yamlText, env, checkMatcher: () => null });
    return read.kind === 'faulty' ? read.faults.join('\n') : '';
  };
  const two = (first: string) => `prometheus:
  - ${first}
  - { name: eu, url: "http://eu:9090", external_labels: { cluster: prod-eu } }
`;

  test.each([
    ['{ name: us, url: "http://us:9090" }', 'prometheus[0]: of several sources each is chosen by'],
    ['{ url: "http://us:9090", match: [a=b] }', 'prometheus[0]: found no name'],
    ['{ name: us, match: [a=b] }', 'prometheus[0]: found no url'],
    ['{ name: eu, url: "http://us:9090", match: [a=b] }', 'prometheus[1]: a second source called "eu"'],
    [
      '{ name: us, url: "http://us:9090", external_labels: { clutser: x } }',
      'prometheus[0].external_labels: "clutser" is none of scope_labels; did you mean "cluster"?',
    ],
    ['{ name: us, url: "http://us:9090", external_lables: {} }', 'did you mean "external_labels"?'],
    ['{ name: us, url: "us:9090", match: [a=b] }', 'prometheus[0].url: found "us:9090"'],
  ])('%s', (first, fault) => {
    expect(faults(two(first))).toContain(fault);
  });

  test('an empty list, a word, and an address in the environment beside a list', () => {
    expect(faults('prometheus: []')).toContain('at least one');
    expect(faults('prometheus: yes')).toContain('expected a map or a list');
    expect(
      faults(two('{ name: us, url: "http://us:9090", match: [a=b] }'), { PROMETHEUS_URL: 'http://x:9090' }),
    ).toContain('PROMETHEUS_URL: the file lists its sources by name');
  });
});
