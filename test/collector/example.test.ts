/** The example of src/collector/README.md as a program, scraped by the real Prometheus and read by the `llm` engine file. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/app.js';
import { builtInEnginesDirectory, loadEngineFiles } from '../../src/catalog/engine-file.js';
import { freePort, type Launched } from '../../src/prometheus/launch.js';
import { createPrometheusClient } from '../../src/prometheus/prometheus-client.js';
import { createPrometheusSource } from '../../src/prometheus/prometheus-source.js';
import { startPrometheus, withoutPrometheus } from '../support/real-prometheus.js';

const [, EXAMPLE = ''] = /```js\n([\s\S]*?)```/.exec(readFileSync('src/collector/README.md', 'utf8')) ?? [];
const SCOPE = { cluster: 'prod-us', namespace: 'serving', model: 'llama-70b' };
const WINDOW_MS = 10_000;

test('the package exports what the build writes, with types', () => {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    exports: Record<string, { types: string; default: string }>;
  };

  expect(exports['./collector']).toEqual({
    types: './dist/collector/llm-metrics.d.ts',
    default: './dist/collector/llm-metrics.js',
  });
  expect(JSON.parse(readFileSync('tsconfig.build.json', 'utf8'))).toMatchObject({
    compilerOptions: { declaration: true, rootDir: 'src' },
  });
});

describe.skipIf(withoutPrometheus)('the example', () => {
  const directory = mkdtempSync(join(tmpdir(), 'wakewell-collector-'));
  let gateway: ChildProcess;
  let prometheus: Launched;
  let url: string;
  let traffic: NodeJS.Timeout;

  beforeAll(async () => {
    const port = await freePort();
    const file = join(directory, 'gateway.mjs');
    // The build is not made for a test: the same module, read by tsx from its source.
    writeFileSync(
      file,
      EXAMPLE.replace("'wakewell/collector'", `'${resolve('src/collector/llm-metrics.ts')}'`),
    );
    gateway = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), file], {
      env: { ...process.env, PORT: String(port) },
      stdio: 'inherit',
    });
    url = `http://127.0.0.1:${port}`;
    prometheus = await startPrometheus({
      scrapeTargets: [
        {
          address: `127.0.0.1:${port}`,
          path: '/metrics',
          labels: { cluster: SCOPE.cluster, namespace: SCOPE.namespace },
        },
      ],
      scrapeIntervalMs: 500,
      evaluationIntervalMs: 500,
    });
    let asked = 0;
    traffic = setInterval(() => {
      asked += 1;
      void fetch(`${url}/${asked % 5 === 0 ? 'broken' : 'v1'}`)
        .then((response) => response.text())
        .catch(() => {});
    }, 40);
  }, 60_000);

  afterAll(async () => {
    clearInterval(traffic);
    gateway?.kill();
    await prometheus?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  test('answers the signals of the llm engine file', async () => {
    const client = createPrometheusClient({ baseUrl: prometheus.url, clock: systemClock });
    const source = createPrometheusSource({
      client,
      engines: loadEngineFiles(builtInEnginesDirectory()),
      clock: systemClock,
      scrapeIntervalMs: 500,
      defaultWindowMs: WINDOW_MS,
    });
    const read = async (signal: string) => {
      const reading = await source.readSignal(signal, SCOPE, { atMs: Date.now(), windowMs: WINDOW_MS });
      if (reading.kind !== 'value') throw new Error(`${signal}: ${JSON.stringify(reading)}`);
      expect(reading.engine).toBe('llm');
      return reading.samples.map(({ value, labels }) => ({ value, labels }));
    };
    try {
      await vi.waitFor(
        async () => {
          const [ratio] = await read('error_ratio');
          expect(ratio?.value).toBeGreaterThan(0.1);
          expect(ratio?.value).toBeLessThan(0.3);
          for (const signal of [
            'ttft_p50_seconds',
            'ttft_p99_seconds',
            'tbt_p50_seconds',
            'tbt_p99_seconds',
          ]) {
            const [one] = await read(signal);
            expect(one?.value).toBeGreaterThan(0);
          }
          const [prompt] = await read('prompt_tokens_p50');
          expect(prompt?.value).toBeGreaterThan(500);
          expect(prompt?.value).toBeLessThan(1_000);
          const byType = await read('error_rate_by_type');
          expect(byType.filter(({ value }) => value > 0).map(({ labels }) => labels.error_type)).toEqual([
            'timeout',
          ]);
          expect((await read('request_rate'))[0]?.value).toBeGreaterThan(1);
        },
        { timeout: 40_000, interval: 1_000 },
      );
    } finally {
      await client.close();
    }
  }, 60_000);
});
