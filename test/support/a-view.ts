/** Builders of incident views for tests: a critical TTFT incident on llama-70b / prod-us unless told otherwise. */

import { type Episode, type Incident, NO_FLAGS } from '../../src/domain/incident.js';
import type { IncidentAlert, IncidentView } from '../../src/domain/incident-view.js';
import { labelsFrom } from '../../src/domain/labels.js';
import type { Diagnosis, Enrichment, Finding, Verdict } from '../../src/domain/verdict.js';

/** 2026-03-12 03:12:00 UTC. */
export const FIRED_AT = Date.UTC(2026, 2, 12, 3, 12, 0);

export function aFinding(over: Partial<Finding> = {}): Finding {
  return {
    stepId: 'kv_cache',
    title: 'KV cache',
    status: 'fail',
    says: '97% on 7 of 8 workers, limit 90%',
    value: '97%',
    limit: '90%',
    spread: 'most',
    workers: [{ worker: 'decode-3', value: 0.97, fails: true }],
    workerCount: 8,
    signal: 'kv_cache_utilization',
    engine: 'vllm',
    query: 'max by (worker) (vllm:kv_cache_usage_perc{model_name="llama-70b"})',
    trend: [0.41, 0.5, 0.6, 0.8, 0.95, 0.97, 0.97, 0.97],
    tookMs: 40,
    numbers: { max: 0.97, median: 0.96 },
    ...over,
  };
}

/** KV full, queue long, prompts long, GPU fine. */
export function fourFindings(): Finding[] {
  return [
    aFinding(),
    aFinding({
      stepId: 'queue',
      title: 'Queue depth',
      says: '88 waiting on decode-3, limit 50; 212 in all',
      value: '88 requests',
      signal: 'queue_depth',
      numbers: { max: 88 },
    }),
    aFinding({
      stepId: 'context_length',
      title: 'Prompt length',
      says: 'p99 28.1k tokens, limit 32k',
      status: 'ok',
      value: '28.1k tokens',
      signal: 'prompt_tokens_p99',
      trend: [],
      numbers: { value: 28_100 },
    }),
    aFinding({
      stepId: 'gpu',
      title: 'GPU',
      says: '96% busy: ruled out',
      status: 'ok',
      value: '96%',
      signal: 'gpu_utilization',
      trend: [],
      numbers: { max: 0.96 },
    }),
  ];
}

export function aVerdict(over: Partial<Verdict> = {}): Verdict {
  return {
    cause: 'kv_cache_exhausted',
    says: 'KV cache full, prefill waits for blocks',
    short: 'KV full 97% on 7 of 8',
    confidence: 'high',
    why: '3 checks for, 0 against',
    contributing: [],
    evidence: ['kv_cache', 'queue'],
    ruledOut: [{ cause: 'gpu_saturated', says: 'GPU saturated', because: 'GPU 96% busy' }],
    unseen: [],
    fixes: [
      {
        do: 'Shed prompts over 16k tokens at the gateway, then add 2 decode workers',
        command: 'kubectl scale deploy/decode --replicas=10',
        expect: 'TTFT p99 below 2 s in 3 minutes',
        protects: 'ttft',
        needs: 'none',
        risk: null,
      },
    ],
    wrongFixes: [
      {
        fix: 'Halve max_batch_size',
        because:
          'prefill is queued behind block allocation (97% of KV in use); a smaller batch helps TBT, not TTFT',
      },
    ],
    explains: ['LLMPreemptionStorm'],
    ...over,
  };
}

export function anEnrichment(over: Partial<Enrichment> = {}): Enrichment {
  return {
    expression: 'histogram_quantile(0.99, sum by (le) (rate(llm_ttft_seconds_bucket[5m]))) > 5',
    valueNow: 11.84,
    valueHourAgo: 1.2,
    valueDayAgo: 1.1,
    health: [],
    workersAffected: ['decode-3'],
    workersTotal: 8,
    restartsLastHour: 0,
    replicaChangesLastHour: 0,
    unseen: [],
    ...over,
  };
}

export function aDiagnosis(over: Partial<Diagnosis> = {}): Diagnosis {
  return {
    id: 1,
    incidentId: 412,
    episodeId: 7,
    trigger: 'opened',
    startedAtMs: FIRED_AT + 100,
    finishedAtMs: FIRED_AT + 600,
    entryId: 'high-ttft',
    entryIsDefault: false,
    enrichment: anEnrichment(),
    findings: fourFindings(),
    verdict: aVerdict(),
    ...over,
  };
}

export function anIncident(over: Partial<Incident> = {}): Incident {
  return {
    id: 412,
    source: 'alertmanager',
    alertName: 'LLMHighTTFT',
    alertKey: 'a'.repeat(64),
    severity: 'critical',
    severityNote: null,
    scope: labelsFrom([
      ['cluster', 'prod-us'],
      ['namespace', 'serving'],
      ['model', 'llama-70b'],
    ]),
    state: 'open',
    revision: 1,
    episodeId: 7,
    openedAtMs: FIRED_AT,
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
    ...over,
  };
}

export function anEpisode(over: Partial<Episode> = {}): Episode {
  return {
    id: 7,
    incidentId: 412,
    number: 1,
    dedupKey: 'd'.repeat(64),
    startedAtMs: FIRED_AT,
    endedAtMs: null,
    severity: 'critical',
    resolveAttemptedAtMs: null,
    because: null,
    pagerResolvedAtMs: null,
    pagerResolvedBy: null,
    ...over,
  };
}

export function anIncidentAlert(over: Partial<IncidentAlert> = {}): IncidentAlert {
  return {
    alertKey: 'a'.repeat(64),
    name: 'LLMHighTTFT',
    status: 'firing',
    severity: 'critical',
    labels: labelsFrom([
      ['alertname', 'LLMHighTTFT'],
      ['severity', 'critical'],
      ['model', 'llama-70b'],
      ['cluster', 'prod-us'],
    ]),
    annotations: labelsFrom([['summary', 'TTFT p99 is above 5 s']]),
    startsAtMs: FIRED_AT - 5000,
    endsAtMs: null,
    generatorUrl: 'http://prometheus.internal/graph',
    expression: null,
    firstSeenAtMs: FIRED_AT,
    lastSeenAtMs: FIRED_AT,
    upstream: null,
    ...over,
  };
}

/** A whole view; parts given replace the defaults. */
export function aView(
  over: Partial<Omit<IncidentView, 'incident' | 'episode'>> & {
    readonly incident?: Partial<Incident>;
    readonly episode?: Partial<Episode>;
  } = {},
): IncidentView {
  const { incident, episode, ...rest } = over;
  return {
    alerts: [anIncidentAlert()],
    alertCount: 1,
    firingCount: 1,
    diagnosis: aDiagnosis(),
    afterDiagnosis: null,
    timeline: [],
    pagedReceivers: [],
    umbrella: null,
    ...rest,
    incident: anIncident(incident),
    episode: anEpisode(episode),
  };
}

/** The same incident after everything resolved, 31 minutes later, acknowledged by mia. */
export function aResolvedView(over: Parameters<typeof aView>[0] = {}): IncidentView {
  const endedAtMs = FIRED_AT + 31 * 60_000;
  return aView({
    firingCount: 0,
    alerts: [anIncidentAlert({ status: 'resolved', endsAtMs: endedAtMs })],
    afterDiagnosis: aDiagnosis({ trigger: 'resolved', enrichment: anEnrichment({ valueNow: 1.3 }) }),
    ...over,
    incident: {
      state: 'resolved',
      resolvedAtMs: endedAtMs,
      resolvedBy: 'alertmanager',
      acknowledgedAtMs: FIRED_AT + 120_000,
      acknowledgedBy: 'mia',
      ...over.incident,
    },
    episode: { endedAtMs, ...over.episode },
  });
}
