/** What a command says of a moment that only the real Prometheus remembers. */

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBackfilledPrometheus } from '../support/backfilled-prometheus.js';
import { withoutPrometheus } from '../support/real-prometheus.js';
import { runCli, temporaryDirectory } from './run-cli.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Whole half minutes, so that samples and evaluations meet. */
const NOW = Math.floor(Date.now() / 30_000) * 30_000;
const BROKEN_FROM = NOW - 2 * HOUR - 20 * MINUTE;
const BROKEN_UNTIL = NOW - 110 * MINUTE;
const SCOPE = ['-l', 'cluster=prod-us', '-l', 'namespace=serving', '-l', 'model=llama-70b'];

let env: Record<string, string> = {};
let close = async () => {};

const isBroken = (atMs: number) => atMs >= BROKEN_FROM && atMs <= BROKEN_UNTIL;

beforeAll(async () => {
  if (withoutPrometheus) return;
  const place = { cluster: 'prod-us', namespace: 'serving', model: 'llama-70b' };
  const workers = [0, 1, 2, 3].map((index) => ({ ...place, worker_id: `worker-${index}` }));
  const fromMs = NOW - 5 * HOUR;
  const server = await startBackfilledPrometheus({
    fromMs,
    untilMs: NOW,
    everyMs: 30_000,
    series: workers.flatMap((labels) => [
      { name: 'llm_kv_cache_utilization', labels, at: (atMs) => (isBroken(atMs) ? 0.98 : 0.6) },
      { name: 'llm_queue_depth', labels, at: (atMs) => (isBroken(atMs) ? 90 : 2) },
      { name: 'llm_batch_size', labels, at: (atMs) => (isBroken(atMs) ? 240 : 100) },
      { name: 'llm_batch_size_max', labels, at: () => 256 },
      {
        name: 'llm_preemption_total',
        labels,
        at: (atMs) => (Math.min(Math.max(atMs, BROKEN_FROM), BROKEN_UNTIL) - BROKEN_FROM) / 2000,
      },
    ]),
  });
  env = { PROMETHEUS_URL: server.url };
  close = server.close;
});
afterAll(() => close());

describe.skipIf(withoutPrometheus)('the real Prometheus', () => {
  test('is asked by diagnose for a moment, said absolutely or as how long ago', async () => {
    const then = new Date(NOW - 2 * HOUR).toISOString();

    const now = await runCli(['diagnose', 'LLMQueueBuildup', ...SCOPE, '--json'], env);
    const absolute = await runCli(['diagnose', 'LLMQueueBuildup', ...SCOPE, '--at', then, '--json'], env);
    const relative = await runCli(['diagnose', 'LLMQueueBuildup', ...SCOPE, '--at', '-2h', '--json'], env);

    expect(JSON.parse(now.stdout).verdict.cause).not.toBe('kv_cache_exhausted');
    for (const { status, stdout } of [absolute, relative]) {
      expect(status).toBe(1);
      expect(JSON.parse(stdout).verdict).toMatchObject({ cause: 'kv_cache_exhausted' });
    }
    expect(await runCli(['diagnose', 'LLMQueueBuildup', '--at', 'yesterday'], env)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('such as -2h'),
    });
  });

  test('is recorded for a moment, and the file replays without it', async () => {
    const file = join(temporaryDirectory(), 'then.recording.json.gz');

    const recorded = await runCli(
      ['record', 'LLMQueueBuildup', ...SCOPE, '--at', '-2h', '-o', file, '--json'],
      env,
    );
    const replayed = await runCli(['replay', file, '--json']);

    expect(JSON.parse(recorded.stdout)).toMatchObject({ file, cause: 'kv_cache_exhausted' });
    expect(replayed.status).toBe(0);
    expect(JSON.parse(replayed.stdout)).toMatchObject({
      compared: 'same',
      verdict: { cause: 'kv_cache_exhausted' },
    });
  });

  test('is stepped by backtest: when an entry would have fired, and what it would have said', async () => {
    const { status, stdout, stderr } = await runCli(
      ['backtest', 'queue-buildup', '--since', '4h', '--json'],
      env,
    );
    const shown = await runCli(['backtest', 'LLMQueueBuildup', '--since', '4h'], env);

    expect(stderr).toBe('');
    expect(status).toBe(1);
    const { firings, blind } = JSON.parse(stdout);
    const own = firings.filter((one: { alert: string }) => one.alert === 'LLMQueueBuildup');
    expect(blind).toEqual([]);
    expect(own.length).toBeGreaterThan(0);
    for (const one of own) {
      // Held for five minutes since the queue grew.
      expect(Date.parse(one.fired_at) - BROKEN_FROM).toBeGreaterThanOrEqual(5 * MINUTE);
      expect(Date.parse(one.fired_at) - BROKEN_FROM).toBeLessThan(13 * MINUTE);
      expect(one).toMatchObject({
        place: 'serving/llama-70b/prod-us',
        cause: 'kv_cache_exhausted',
        diagnosed: true,
      });
    }
    expect(shown.stdout).toMatch(
      /LLMQueueBuildup warning serving\/llama-70b\/prod-us\n +kv_cache_exhausted \(\w+\): KV cache full/,
    );
    expect(shown.stdout).toMatch(/^Would have fired (?:once|\d times) from /m);
  });

  test('of a quiet time says that nothing would have fired', async () => {
    const { status, stdout } = await runCli(['backtest', 'LLMQueueBuildup', '--since', '1h'], env);

    expect(status).toBe(0);
    expect(stdout).toMatch(/^Would not have fired from /);
  });
});

test('backtest names what it cannot do', async () => {
  const unreachable = { PROMETHEUS_URL: 'http://127.0.0.1:9' };

  expect(await runCli(['backtest', 'queue-bildup'], unreachable)).toMatchObject({
    status: 4,
    stderr: expect.stringContaining('did you mean "queue-buildup"'),
  });
  expect(await runCli(['backtest', 'high-ttft', '--since', 'long'], unreachable)).toMatchObject({
    status: 2,
  });
  const gone = await runCli(['backtest', 'LLMQueueBuildup', '--since', '2h'], unreachable);
  expect(gone.status).toBe(3);
  expect(gone.stdout).toContain('could not be seen: LLMQueueBuildup');
});
