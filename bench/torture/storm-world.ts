/**
 * What is wrong in a storm: many problems in a few clusters, each on a number of workers. A problem is what one
 * person would be told of once: an alert name in a scope, where the alerts of one engine that explain each other
 * are one.
 */

import type { Labels } from '../../src/domain/labels.js';
import type { Severity } from '../../src/domain/severity.js';
import { between, type Random } from './random.js';

/** Alerts of one name in one scope: what Alertmanager groups. */
export type StormGroup = {
  readonly labels: Labels;
  readonly severity: Severity;
  /** One a worker. */
  readonly alerts: readonly Labels[];
  /** ms since the storm began. */
  readonly beginsAtMs: number;
  /** Infinity when it stands to the end. */
  readonly endsAtMs: number;
  readonly returnsAtMs: number;
};

export type StormWorld = {
  readonly groups: readonly StormGroup[];
  /** How many problems there are. */
  readonly problems: number;
};

const CLUSTERS = ['prod-eu', 'prod-us', 'prod-ap', 'prod-sa', 'batch-eu', 'batch-us'];
const MODELS = Array.from({ length: 8 }, (_, n) => `model-${n}`);
/** The first three are one problem where they meet: a cause of one of them explains the others. */
const ENGINE_NAMES = ['LLMHighTTFT', 'LLMHighErrorRate', 'LLMQueueBuildup'];
const OTHER_NAMES = ['NodeNotReady', 'NetworkErrors', 'DiskFillingUp'];
const NAMES = [...ENGINE_NAMES, ...OTHER_NAMES];
const PROBLEMS_A_SCOPE = 1 + OTHER_NAMES.length;
const SEVERITIES: readonly Severity[] = ['critical', 'critical', 'critical', 'warning', 'warning', 'info'];
const MOST_WORKERS = 24;

/** Every problem begins within the first three quarters; a third of them ends, and half of those come back. */
export function planStorm(random: Random, durationMs: number): StormWorld {
  const groups = CLUSTERS.flatMap((cluster) =>
    MODELS.flatMap((model) =>
      NAMES.map((alertname) => {
        const workers = 1 + Math.floor(random() * MOST_WORKERS);
        const beginsAtMs = between(random, 0, durationMs * 0.75);
        const endsAtMs = random() < 1 / 3 ? beginsAtMs + between(random, 0.1, 0.4) * durationMs : Infinity;
        const returnsAtMs = random() < 1 / 2 ? endsAtMs + between(random, 0.05, 0.2) * durationMs : Infinity;
        const severity = SEVERITIES[Math.floor(random() * SEVERITIES.length)] ?? 'critical';
        return {
          ...groupOf(alertname, cluster, model, severity, workers),
          beginsAtMs,
          endsAtMs,
          returnsAtMs,
        };
      }),
    ),
  );
  return { groups, problems: CLUSTERS.length * MODELS.length * PROBLEMS_A_SCOPE };
}

const BURST_MODELS = 10;

/** As many alerts as asked, of a cluster of their own, that come in one body. */
export function planBurst(alerts: number): { readonly alerts: readonly Labels[]; readonly problems: number } {
  const places = BURST_MODELS * NAMES.length;
  const workers = Math.ceil(alerts / places);
  const all = NAMES.flatMap((alertname, n) =>
    Array.from({ length: BURST_MODELS }, (_, model) => {
      const severity = n % 3 === 2 ? 'warning' : 'critical';
      return groupOf(alertname, 'prod-burst', `burst-${model}`, severity, workers).alerts;
    }).flat(),
  );
  return { alerts: all.slice(0, alerts), problems: alerts === 0 ? 0 : BURST_MODELS * PROBLEMS_A_SCOPE };
}

function groupOf(
  alertname: string,
  cluster: string,
  model: string,
  severity: Severity,
  workers: number,
): Pick<StormGroup, 'labels' | 'severity' | 'alerts'> {
  const labels = { alertname, cluster, namespace: 'serving', model };
  const alerts = Array.from({ length: workers }, (_, n) => ({
    ...labels,
    severity,
    pod: `${model}-engine-${n}`,
    instance: `10.0.${n >> 8}.${n & 255}:8000`,
  }));
  return { labels, severity, alerts };
}
