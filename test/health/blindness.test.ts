/**
 * What doctor, health and a diagnosis say where something cannot be seen, against the real Prometheus. The texts are
 * golden: UPDATE_GOLDEN=1 npx vitest run test/health/blindness.test.ts writes them anew; then read the diff.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/app.js';
import { builtInEnginesDirectory, loadEngineFiles } from '../../src/catalog/engine-file.js';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { doctorLines } from '../../src/cli/doctor.js';
import { healthLines } from '../../src/cli/health.js';
import { diagnosisLines } from '../../src/cli/print.js';
import { diagnose } from '../../src/diagnosis/diagnose.js';
import { labelsFrom } from '../../src/domain/labels.js';
import type { Scope } from '../../src/domain/scope.js';
import { examine } from '../../src/health/doctor.js';
import { evaluateHealth } from '../../src/health/evaluate-health.js';
import { createScopeFinder } from '../../src/prometheus/find-scopes.js';
import type { Launched } from '../../src/prometheus/launch.js';
import { createPrometheusClient } from '../../src/prometheus/prometheus-client.js';
import { createPrometheusSource } from '../../src/prometheus/prometheus-source.js';
import { BUILT_IN } from '../support/playbooks.js';
import { startPrometheus, withoutPrometheus } from '../support/real-prometheus.js';

const SCRAPE_MS = 500;
const ENGINES = loadEngineFiles(builtInEnginesDirectory());
const SCOPE_LABELS = ['cluster', 'namespace', 'model'];

let staleFrom = Number.POSITIVE_INFINITY;

/** A vLLM worker whose figures stand still, but for the counters. */
function vllm(kvName: string) {
  return (tick: number) => {
    const labels = 'model_name="llama-70b",engine="0"';
    const lines = [
      `vllm:num_requests_running{${labels}} 8`,
      `vllm:num_requests_waiting{${labels}} 2`,
      `vllm:${kvName}{${labels}} 0.55`,
      `vllm:num_preemptions_total{${labels}} 0`,
      `vllm:generation_tokens_total{${labels}} ${tick * 500}`,
      `vllm:prompt_tokens_total{${labels}} ${tick * 900}`,
      `vllm:request_success_total{finished_reason="stop",${labels}} ${tick * 4}`,
    ];
    for (const [name, edge] of [
      ['time_to_first_token_seconds', '0.5'],
      ['inter_token_latency_seconds', '0.025'],
      ['e2e_request_latency_seconds', '5.0'],
      ['request_queue_time_seconds', '0.3'],
      ['request_prompt_tokens', '1000.0'],
    ]) {
      lines.push(`vllm:${name}_bucket{le="${edge}",${labels}} ${tick * 4}`);
      lines.push(`vllm:${name}_bucket{le="+Inf",${labels}} ${tick * 4}`);
      lines.push(`vllm:${name}_count{${labels}} ${tick * 4}`);
    }
    return `${lines.join('\n')}\n`;
  };
}

type Page = { readonly labels: Record<string, string>; readonly text: (tick: number) => string | null };

const SITUATIONS: Readonly<Record<string, { readonly scope: Scope; readonly page: Page | null }>> = {
  'old-kv-name': situation('old', { namespace: 'serving' }, vllm('gpu_cache_usage_perc')),
  'no-gpu-exporter': situation('bare', { namespace: 'serving' }, vllm('kv_cache_usage_perc')),
  'stale-target': situation('gone', { namespace: 'serving' }, (tick) =>
    tick > staleFrom ? null : vllm('kv_cache_usage_perc')(tick),
  ),
  'missing-label': situation('unlabelled', {}, vllm('kv_cache_usage_perc')),
  'nothing-at-all': { scope: scopeOf('nowhere'), page: null },
};

function scopeOf(cluster: string): Scope {
  return { cluster, namespace: 'serving', model: 'llama-70b' };
}

function situation(cluster: string, labels: Record<string, string>, text: Page['text']) {
  return { scope: scopeOf(cluster), page: { labels: { cluster, pod: `${cluster}-0`, ...labels }, text } };
}

describe.skipIf(withoutPrometheus)('what cannot be seen', () => {
  let pages: Server;
  let prometheus: Launched;
  let empty: Launched;
  let tick = 0;

  beforeAll(async () => {
    pages = createServer((request, response) => {
      tick += 1;
      const found = SITUATIONS[(request.url ?? '').slice(1)]?.page?.text(tick) ?? null;
      response.writeHead(found === null ? 500 : 200, { 'content-type': 'text/plain; version=0.0.4' });
      response.end(found ?? '');
    });
    await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve));
    const address = `127.0.0.1:${(pages.address() as AddressInfo).port}`;
    const timing = { scrapeIntervalMs: SCRAPE_MS, evaluationIntervalMs: SCRAPE_MS };
    prometheus = await startPrometheus({
      scrapeTargets: Object.entries(SITUATIONS).flatMap(([name, { page }]) =>
        page === null ? [] : [{ address, path: `/${name}`, labels: page.labels }],
      ),
      ...timing,
    });
    empty = await startPrometheus({ scrapeTargets: [], ...timing });
    await new Promise((resolve) => setTimeout(resolve, 16 * SCRAPE_MS));
    staleFrom = tick;
    await new Promise((resolve) => setTimeout(resolve, 6 * SCRAPE_MS));
  }, 60_000);

  afterAll(async () => {
    await prometheus?.close();
    await empty?.close();
    pages?.close();
  });

  test.each(Object.keys(SITUATIONS))(
    '%s is said by doctor, health and a diagnosis',
    async (name) => {
      const scope: Scope = SITUATIONS[name]?.scope ?? {};
      const baseUrl = name === 'nothing-at-all' ? empty.url : prometheus.url;
      const client = createPrometheusClient({ baseUrl, timeoutMs: 5_000, clock: systemClock });
      const source = createPrometheusSource({
        client,
        engines: ENGINES,
        clock: systemClock,
        timeScale: 60,
        scrapeIntervalMs: SCRAPE_MS,
        defaultWindowMs: 5_000,
      });
      const all = createScopeFinder(client, ENGINES, SCOPE_LABELS);
      // Only the situation's own cluster: each is a Prometheus of its own to whoever reads the text.
      const findScopes: typeof all = async (options) => {
        const found = await all(options);
        if (found.kind === 'failed') return found;
        return { kind: 'scopes', scopes: found.scopes.filter((one) => one.scope.cluster === scope.cluster) };
      };
      const thresholds = DEFAULT_THRESHOLDS;
      const clock = systemClock;
      const report = await examine({
        metrics: {
          source,
          sources: [{ name: 'prometheus', client, findScopes, externalLabels: {} }],
          namesFor: () => ['prometheus'],
        },
        engines: ENGINES,
        entries: BUILT_IN.entries,
        scopeLabels: SCOPE_LABELS,
        reach: [],
        clock,
      });
      const health = await evaluateHealth({ source, findScopes, thresholds, clock });
      const labels = labelsFrom([['alertname', 'LLMHighTTFT'], ...Object.entries(scope)]);
      const outcome = await diagnose({
        entries: BUILT_IN.entries,
        labels,
        alertName: 'LLMHighTTFT',
        alertExpression: null,
        scope,
        source,
        thresholds,
        atMs: clock.now(),
        deadlineMs: 8_000,
        clock,
        timeScale: 60,
      });
      await client.close();

      const text = [
        '$ wakewell doctor',
        ...doctorLines(report),
        '',
        '$ wakewell health',
        ...healthLines(health),
        '',
        '$ wakewell diagnose LLMHighTTFT',
        ...diagnosisLines(outcome),
        '',
      ].join('\n');
      expectGolden(name, text);
      for (const { checks } of health.reports)
        expect(checks.find((check) => check.name === 'gpu')?.status).toBe('unknown');
      if (name === 'stale-target' || name === 'nothing-at-all') {
        expect(health.overall).toBe('unknown');
        expect(outcome.findings.some(({ status }) => status === 'ok')).toBe(false);
      }
    },
    30_000,
  );
});

/** Times and rates differ from run to run, and entries are added; what is said of them does not change. */
function expectGolden(name: string, text: string): void {
  const file = new URL(`../fixtures/doctor/${name}.txt`, import.meta.url);
  const stable = text
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replaceAll(/\d+ s ago/g, 'N s ago')
    .replaceAll(/[\d.]+k? tokens\/s/g, 'N tokens/s')
    .replaceAll(/[\d.]+\/s\b/g, 'N/s')
    // A fleet of seconds has hardly a before: what compares with it says now this, now that.
    .replaceAll(/^ {2}\S .*, against before: .*\n/gm, '')
    .replaceAll(/^Cause unclear: .*$/gm, (line) =>
      line
        .replaceAll(/\b(?:traffic fails|replicas|running|traffic|prompts)\b(?:[,;] )?/g, '')
        .replaceAll(/,? +(not seen|OK)/g, ' $1'),
    )
    .replaceAll(/\(\d+ entr(?:y|ies)\)/g, '(N entries)')
    .replaceAll(/[ \t]+$/gm, '');
  if (process.env.UPDATE_GOLDEN === '1' || !existsSync(file)) {
    if (process.env.CI === 'true') throw new Error(`${file.pathname} is missing`);
    writeFileSync(file, stable);
  }
  expect(stable).toBe(readFileSync(file, 'utf8'));
}
