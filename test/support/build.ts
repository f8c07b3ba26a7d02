/** Domain values with sensible defaults, so that a test names only what it is about. */

import { alertKey } from '../../src/alertmanager/alert-key.js';
import type { Alert, AlertGroup } from '../../src/domain/alert.js';
import { NO_FLAGS } from '../../src/domain/incident.js';
import type { IncidentView } from '../../src/domain/incident-view.js';
import { labelsFrom } from '../../src/domain/labels.js';
import { scopeOf } from '../../src/domain/scope.js';
import type { Diagnosis, Finding, Verdict } from '../../src/domain/verdict.js';
import { TEST_NOW_MS } from './test-database.js';

const SCOPE_LABELS = ['cluster', 'namespace', 'model'];

/** A firing critical LLMHighTTFT of llama-70b in prod-us. Identity and scope follow from the labels. */
export function anAlert(
  overrides: Partial<Omit<Alert, 'labels'>> & { labels?: Record<string, string>; source?: string } = {},
): Alert {
  const { labels: given, source = 'alertmanager', ...rest } = overrides;
  const severity = rest.severity ?? 'critical';
  const name = rest.name ?? given?.alertname ?? 'LLMHighTTFT';
  const labels = labelsFrom(
    Object.entries({
      alertname: name,
      severity,
      cluster: 'prod-us',
      namespace: 'serving',
      model: 'llama-70b',
      ...given,
    }),
  );
  return {
    alertKey: alertKey(source, labels),
    fingerprint: null,
    name,
    status: 'firing',
    labels,
    annotations: labelsFrom([['summary', 'First tokens are slow']]),
    severity,
    severityNote: null,
    scope: scopeOf(labels, SCOPE_LABELS),
    startsAtMs: TEST_NOW_MS - 60_000,
    endsAtMs: null,
    generatorUrl: null,
    expression: null,
    ...rest,
  };
}

/** The same alert, resolved at `endsAtMs`. */
export function resolvedCopy(alert: Alert, endsAtMs: number): Alert {
  return { ...alert, status: 'resolved', endsAtMs };
}

export function aGroup(alerts: readonly Alert[], overrides: Partial<AlertGroup> = {}): AlertGroup {
  return {
    source: 'alertmanager',
    groupKey: '{}:{alertname="LLMHighTTFT"}',
    groupLabels: {},
    receiver: 'wakewell',
    externalUrl: 'http://am-1:9093',
    truncatedAlerts: 0,
    alerts,
    quarantined: [],
    ...overrides,
  };
}

export function aFinding(overrides: Partial<Finding> = {}): Finding {
  return {
    stepId: 'kv_cache',
    title: 'KV cache utilization',
    status: 'fail',
    says: '97% on 7 of 8 workers, limit 90%',
    value: '97%',
    limit: '90%',
    spread: 'most',
    workers: [{ worker: 'w-0', value: 0.97, fails: true }],
    workerCount: 8,
    signal: 'kv_cache_utilization',
    engine: 'llm',
    query: null,
    trend: [0.7, 0.8, 0.9, 0.97],
    tookMs: 12,
    numbers: { max: 0.97, failing: 7 },
    ...overrides,
  };
}

export function aVerdict(overrides: Partial<Verdict> = {}): Verdict {
  return {
    cause: 'kv_cache_exhausted',
    says: 'KV cache full, prefill waits for blocks',
    short: 'KV full 97% on 7 of 8',
    confidence: 'high',
    why: '3 checks for, 0 against',
    contributing: [],
    evidence: ['kv_cache'],
    ruledOut: [{ cause: 'gpu_starved', says: 'GPU starved', because: 'GPU at 88%' }],
    unseen: [],
    fixes: [
      {
        do: 'Shed long prompts at the router',
        command: null,
        expect: 'TTFT falls within 1 min',
        protects: 'ttft',
        needs: 'none',
        risk: null,
      },
    ],
    wrongFixes: [{ fix: 'Halve max_batch_size', because: 'prefill waits for blocks; 97% of KV in use' }],
    explains: ['LLMPreemptionStorm', 'LLMQueueBuildup', 'LLMElevatedTTFT'],
    ...overrides,
  };
}

export function aDiagnosis(overrides: Partial<Diagnosis> = {}): Diagnosis {
  return {
    id: 1,
    incidentId: 1,
    episodeId: 1,
    trigger: 'opened',
    startedAtMs: TEST_NOW_MS + 100,
    finishedAtMs: TEST_NOW_MS + 400,
    entryId: 'high-ttft',
    entryIsDefault: false,
    enrichment: {
      expression: null,
      valueNow: 11.8,
      valueHourAgo: 0.9,
      valueDayAgo: 1.1,
      health: [],
      workersAffected: [],
      workersTotal: 8,
      restartsLastHour: 0,
      replicaChangesLastHour: 0,
      unseen: [],
    },
    findings: [aFinding()],
    verdict: aVerdict(),
    ...overrides,
  };
}

/** An open, diagnosed critical incident INC-412 with one alert. */
export function anIncidentView(overrides: Partial<IncidentView> = {}): IncidentView {
  const alert = anAlert();
  return {
    incident: {
      id: 412,
      source: 'alertmanager',
      alertName: alert.name,
      alertKey: alert.alertKey,
      severity: 'critical',
      severityNote: null,
      scope: alert.scope,
      state: 'open',
      revision: 2,
      episodeId: 1,
      openedAtMs: TEST_NOW_MS,
      acknowledgedAtMs: null,
      acknowledgedBy: null,
      resolvedAtMs: null,
      resolvedBy: null,
      reopenedCount: 0,
      flags: NO_FLAGS,
      kind: 'problem',
      stormId: null,
      foldedInto: null,
      sureVerdict: null,
      cycles: [],
      silence: null,
    },
    episode: {
      id: 1,
      incidentId: 412,
      number: 1,
      dedupKey: 'a'.repeat(64),
      startedAtMs: TEST_NOW_MS,
      endedAtMs: null,
      severity: 'critical',
      resolveAttemptedAtMs: null,
      because: null,
      pagerResolvedAtMs: null,
      pagerResolvedBy: null,
    },
    alerts: [
      {
        alertKey: alert.alertKey,
        name: alert.name,
        status: 'firing',
        severity: alert.severity,
        labels: alert.labels,
        annotations: alert.annotations,
        startsAtMs: alert.startsAtMs,
        endsAtMs: null,
        generatorUrl: null,
        expression: null,
        firstSeenAtMs: TEST_NOW_MS,
        lastSeenAtMs: TEST_NOW_MS,
        upstream: null,
      },
    ],
    alertCount: 1,
    firingCount: 1,
    diagnosis: aDiagnosis({ incidentId: 412 }),
    afterDiagnosis: null,
    timeline: [],
    pagedReceivers: [],
    umbrella: null,
    ...overrides,
  };
}
