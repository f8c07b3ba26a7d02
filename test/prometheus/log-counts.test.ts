/** Log lines by pattern, from a Loki that behaves as the real one does. */

import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/app.js';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { readConfig } from '../../src/config/config.js';
import { canonicalDiagnosis } from '../../src/diagnosis/compare-diagnoses.js';
import { decodeRecording } from '../../src/diagnosis/recording.js';
import { replay } from '../../src/diagnosis/replay.js';
import { runSteps } from '../../src/diagnosis/run-steps.js';
import { connectLogs } from '../../src/prometheus/connect-logs.js';
import { type LogLine, startFakeLoki } from '../support/fake-loki.js';
import { BUILT_IN, entryFor } from '../support/playbooks.js';
import { recordDiagnosis } from '../support/record-diagnosis.js';
import { createScriptedSource } from '../support/scripted-source.js';

const NOW = Date.UTC(2026, 0, 31, 3, 12);
const SCOPE = { cluster: 'prod-us', namespace: 'serving', model: 'llama-70b' };
const MINUTE = 60_000;

const line = (minutesAgo: number, text: string, namespace = 'serving'): LogLine => ({
  atMs: NOW - minutesAgo * MINUTE,
  labels: { namespace, pod: 'decode-3' },
  line: text,
});
const LINES = [
  line(2, 'Watchdog caught collective operation timeout: WorkNCCL(SeqNum=5730) ran for 600080 ms'),
  line(3, 'NCCL WARN: remote error'),
  line(3, 'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.27 GiB'),
  line(4, 'INFO: 10.0.0.1 - "POST /v1/chat/completions HTTP/1.1" 200 OK'),
  line(40, 'NVRM: Xid (PCI:0000:03:00): 79, GPU has fallen off the bus'),
  line(1, 'segfault at 0 ip 00007f', 'another'),
];

async function searching(lines: readonly LogLine[], loki = '', timeoutMs = 20_000) {
  const server = await startFakeLoki(lines);
  onTestFinished(() => server.close());
  const read = readConfig({ yamlText: `loki: { url: "${server.url}"${loki} }\n`, env: {} });
  if (read.kind === 'faulty') throw new Error(read.faults.join('\n'));
  const scripted = createScriptedSource({ kv_cache_utilization: 0.5, error_ratio: 0.2 });
  const logs = connectLogs(read.config.loki, { timeoutMs, clock: systemClock });
  onTestFinished(logs.close);
  return { server, source: logs.beside(scripted) };
}

async function finding(
  source: Parameters<typeof runSteps>[0]['source'],
  scope: Record<string, string> = SCOPE,
) {
  const findings = await runSteps({
    entry: entryFor('LLMHighErrorRate'),
    scope,
    source,
    thresholds: DEFAULT_THRESHOLDS,
    atMs: NOW,
    timeScale: 1,
    deadlineMs: 30_000,
    clock: systemClock,
  });
  return findings.find(({ stepId }) => stepId === 'nccl');
}

describe('log lines of the scope', () => {
  test('are counted by pattern over the window, and nobody else’s', async () => {
    const { server, source } = await searching(LINES);

    const found = await finding(source);

    expect(found).toMatchObject({
      status: 'fail',
      engine: 'loki',
      numbers: { sum: 3, 'share.xid': 0, 'share.segfault': 0 },
    });
    expect(found?.numbers['share.nccl']).toBeCloseTo(2 / 3);
    expect(found?.numbers['share.cuda_oom']).toBeCloseTo(1 / 3);
    expect(found?.says).toMatch(/3/);
    expect(server.asked().every((query) => query.includes('{namespace="serving"}'))).toBe(true);
  });

  test('without a match are ok; without any line they are not seen, and it says why', async () => {
    const quiet = await finding((await searching([line(2, 'INFO: all is well')])).source);
    const none = await finding((await searching([])).source);

    expect(quiet).toMatchObject({ status: 'ok', numbers: { sum: 0 } });
    expect(none).toMatchObject({
      status: 'unknown',
      reason: 'no_series',
      says: expect.stringContaining('loki.labels'),
    });
  });

  test('are never searched more widely because a label is missing, and a hostile value stays a value', async () => {
    const { server, source } = await searching(
      LINES,
      ', labels: { namespace: namespace, cluster: k8s_cluster }',
    );
    const hostile = 'x"} |~ ".*" or {a="b';

    const missing = await finding(source, { namespace: 'serving' });
    const quoted = await finding(source, { ...SCOPE, namespace: hostile });

    expect(missing).toMatchObject({ status: 'unknown', reason: 'label_missing' });
    expect(quoted?.status).toBe('unknown');
    expect(server.asked()).not.toHaveLength(0);
    for (const query of server.asked())
      expect(query).toContain(`{namespace=${JSON.stringify(hostile)},k8s_cluster="prod-us"}`);
  });

  test('that cannot be had are said, in time: hung, refused, not a log server', async () => {
    const { server, source } = await searching(LINES, '', 300);

    server.failNext({ kind: 'hang' }, 6);
    const hung = await finding(source);
    server.heal();
    server.failNext({ kind: 'status', status: 429, body: 'too many outstanding requests' }, 6);
    const refused = await finding(source);

    expect(hung).toMatchObject({ status: 'unknown', reason: 'timeout' });
    expect(refused?.status).toBe('unknown');
    expect(['http_error', 'circuit_open']).toContain(refused?.reason);
  });

  test('are asked with the tenant’s header', async () => {
    const server = await startFakeLoki(LINES, { tenant: 'serving-team' });
    onTestFinished(() => server.close());
    const options = { timeoutMs: 1000, clock: systemClock };
    const loki = {
      url: server.url,
      headers: { 'X-Scope-OrgID': 'serving-team' },
      labels: { namespace: 'namespace' },
    };
    const logs = connectLogs(loki, options);
    onTestFinished(logs.close);
    const source = logs.beside(createScriptedSource({}));

    expect(await finding(source)).toMatchObject({ status: 'fail' });
  });
});

test('without a log source the step says what to look for and how to have it done', async () => {
  const found = await finding(createScriptedSource({}));

  expect(found).toMatchObject({ status: 'unknown', reason: 'by_hand' });
  expect(found?.says).toContain('set loki.url in wakewell.yaml');
  expect(found?.says).toContain("Search the worker logs for 'NCCL'");
});

test('what the logs said is recorded, and replays without them', async () => {
  const { source } = await searching(LINES);

  const { live, bytes } = await recordDiagnosis({
    source,
    scope: SCOPE,
    atMs: NOW,
    alertName: 'LLMHighErrorRate',
  });
  const decoded = decodeRecording(bytes);
  if (decoded.kind !== 'ok') throw new Error(decoded.reason);
  const again = await replay(decoded.recording, {
    entries: BUILT_IN.entries,
    thresholds: DEFAULT_THRESHOLDS,
  });

  expect(live.findings.find(({ stepId }) => stepId === 'nccl')?.status).toBe('fail');
  expect(canonicalDiagnosis(again)).toBe(canonicalDiagnosis(live));
});
