/** An operator's own PromQL step through the whole service: what it saw is frozen, and a replay sees the same. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/app.js';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { diagnose } from '../../src/diagnosis/diagnose.js';
import { createRecordedSource } from '../../src/diagnosis/recorded-source.js';
import { decodeRecording, type Recording } from '../../src/diagnosis/recording.js';
import type { Finding } from '../../src/domain/verdict.js';
import { builtInPlaybooksDirectory, loadPlaybooks } from '../../src/playbook/load.js';
import { webhookBody } from '../../src/simulator/webhook-body.js';
import { startFakePrometheus, vectorOf } from '../support/fake-prometheus.js';
import { SIGNAL_NAMES } from '../support/playbooks.js';
import { startService } from './service.js';

const ENTRY = `
match: { alertname: GatewaySlow }
title: The gateway is slow
steps:
  - kv_cache
  - id: in_flight
    title: Requests in flight
    query: 'sum(gateway_in_flight{model="{scope.model}"})'
    unit: requests
    fail: { scope: "> 500" }
causes:
  too_many:
    says: Too many requests in flight
    requires: [in_flight: fail]
    fixes:
      - do: Lower the gateway's concurrency
        expect: below {in_flight.limit} in a minute
`;

const LABELS = { alertname: 'GatewaySlow', severity: 'critical', cluster: 'prod-us', model: 'llama-70b' };
const ASKED = 'sum(gateway_in_flight{model="llama-70b"})';

test('what an operator’s own query saw is in the recording, and a replay finds the same', async () => {
  const playbooks = mkdtempSync(join(tmpdir(), 'wakewell-playbooks-'));
  onTestFinished(() => rmSync(playbooks, { recursive: true, force: true }));
  writeFileSync(join(playbooks, 'gateway-slow.yaml'), ENTRY);
  const prometheus = await startFakePrometheus(({ form }) =>
    form.query === ASKED ? vectorOf([[{}, '731']]) : vectorOf([]),
  );
  onTestFinished(() => prometheus.close());
  const service = await startService({ prometheusUrl: prometheus.url, config: { playbooks: [playbooks] } });
  onTestFinished(() => service.close());

  const facts = { labels: LABELS, annotations: {}, startedAtMs: Date.now(), endedAtMs: null };
  await service.receive(webhookBody(LABELS, [facts]));
  const live = await service.until('a diagnosis', 6000, async () => (await service.incident())?.diagnosis);
  const recording = await service.until('the recording', 10_000, () => recordingOf(service.url));

  expect(live.findings).toMatchObject([
    { stepId: 'kv_cache', status: 'unknown' },
    { stepId: 'in_flight', status: 'fail', value: '731 requests', query: ASKED },
  ]);
  expect(Object.keys(recording.queries)).toEqual([ASKED]);
  // The source of the day is gone: the recording alone answers.
  await prometheus.close();
  const replayed = await diagnose({
    entries: loadPlaybooks({
      directories: [builtInPlaybooksDirectory(), playbooks],
      signals: SIGNAL_NAMES,
      thresholds: DEFAULT_THRESHOLDS,
    }).entries,
    labels: LABELS,
    alertName: LABELS.alertname,
    alertExpression: null,
    scope: recording.scope,
    source: createRecordedSource(recording),
    thresholds: DEFAULT_THRESHOLDS,
    atMs: recording.atMs,
    clock: systemClock,
  });
  expect(replayed.findings.map(untimed)).toEqual(live.findings.map(untimed));
  expect(replayed.verdict).toEqual(live.verdict);
  expect(replayed.verdict).toMatchObject({ cause: 'too_many', confidence: 'low' });
});

async function recordingOf(url: string): Promise<Recording | null> {
  const response = await fetch(`${url}/api/v1/incidents/1/recording`);
  if (response.status !== 200) return null;
  const decoded = decodeRecording(new Uint8Array(await response.arrayBuffer()));
  if (decoded.kind !== 'ok') throw new Error(decoded.reason);
  return decoded.recording;
}

function untimed({ tookMs: _, ...finding }: Finding): Omit<Finding, 'tookMs'> {
  return finding;
}
