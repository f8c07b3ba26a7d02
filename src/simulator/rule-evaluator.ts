import type { AlertDefinition } from '../catalog/alert-definition.js';
import type { Thresholds } from '../catalog/thresholds.js';
import type { Cancel, Clock } from '../domain/clock.js';
import { MINUTE, SECOND } from '../domain/clock.js';
import { labelsFrom } from '../domain/labels.js';
import type { MetricsSource } from '../domain/metrics-source.js';
import type { Scope } from '../domain/scope.js';
import { conditionValue } from './alert-condition.js';
import { type AlertFacts, type WebhookBody, webhookBody } from './webhook-body.js';

export type RuleEvaluatorOptions = {
  readonly source: MetricsSource;
  readonly alerts: readonly AlertDefinition[];
  readonly thresholds: Thresholds;
  /** Cluster, namespace and model: labels of every alert, and what they are grouped by. */
  readonly scope: Scope;
  readonly clock: Clock;
  readonly timeScale: number;
  /** False or a rejection: not taken, tried again at the next evaluation. */
  readonly deliver: (body: WebhookBody) => Promise<unknown>;
  readonly publicUrl?: string;
};

export type RuleEvaluator = {
  readonly start: () => void;
  readonly stop: () => void;
  /** One round now: evaluate, then notify if it is due. `start` does this on its interval. */
  readonly evaluate: () => Promise<void>;
  /** Names of the alerts that fire. */
  readonly firing: () => readonly string[];
};

type RuleState = {
  readonly alert: AlertDefinition;
  pendingSinceMs: number | null;
  /** Set while it fires, and after it resolved until that was told. */
  facts: AlertFacts | null;
};

// As the generated rules and our Alertmanager configuration have them, before the time scale.
const EVALUATION_MS = 30 * SECOND;
const GROUP_WAIT_MS = 30 * SECOND;
const GROUP_INTERVAL_MS = 5 * MINUTE;

/**
 * Prometheus' rules and Alertmanager's grouping in one, for a demo without either: alerts go pending, fire after
 * their `for`, and are sent as one group of the scope. A critical alert inhibits the warning of the
 * same name, and a graver alert those that say the same more mildly.
 */
export function createRuleEvaluator(options: RuleEvaluatorOptions): RuleEvaluator {
  const { clock, timeScale, scope } = options;
  const rules: RuleState[] = options.alerts.map((alert) => ({ alert, pendingSinceMs: null, facts: null }));
  let cancel: Cancel | null = null;
  let running = false;
  let stopped = true;
  let notifyAtMs: number | null = null;
  let told = '';

  async function evaluateRule(rule: RuleState, nowMs: number): Promise<void> {
    const { alert } = rule;
    const value = await conditionValue(alert.condition, {
      ...options,
      atMs: nowMs,
      windowMs: alert.windowMs / timeScale,
    });
    if (value === null) {
      rule.pendingSinceMs = null;
      if (rule.facts?.endedAtMs === null) rule.facts = { ...rule.facts, endedAtMs: nowMs };
      return;
    }
    rule.pendingSinceMs ??= nowMs;
    if (nowMs - rule.pendingSinceMs < alert.forMs / timeScale) return;
    const isNew = rule.facts === null || rule.facts.endedAtMs !== null;
    rule.facts = factsOf(alert, value, isNew ? nowMs : (rule.facts?.startedAtMs ?? nowMs));
  }

  function factsOf(alert: AlertDefinition, value: number, startedAtMs: number): AlertFacts {
    const annotations: [string, string][] = [['summary', fillSummary(alert.summary, value)]];
    if (options.publicUrl !== undefined) {
      annotations.push(['runbook_url', `${options.publicUrl}/playbooks/${alert.name}`]);
    }
    const labels: [string, string][] = Object.entries(scope);
    labels.push(['alertname', alert.name], ['severity', alert.severity]);
    return {
      labels: labelsFrom(labels),
      annotations: labelsFrom(annotations),
      startedAtMs,
      endedAtMs: null,
    };
  }

  const isFiring = (rule: RuleState) => rule.facts?.endedAtMs === null;

  function isInhibited({ alert }: RuleState): boolean {
    return rules.some(
      (other) =>
        isFiring(other) &&
        (alert.inhibitedBy?.includes(other.alert.name) === true ||
          (alert.severity === 'warning' &&
            other.alert.name === alert.name &&
            other.alert.severity === 'critical')),
    );
  }

  async function notify(nowMs: number): Promise<void> {
    const shown = rules.filter((rule) => rule.facts !== null && !isInhibited(rule));
    const state = shown.map((rule) => `${rules.indexOf(rule)}${isFiring(rule) ? '+' : '-'}`).join();
    if (state === told || (told === '' && !shown.some(isFiring))) return;
    // A group waits a little for its first members, and then sends changes no faster than its interval.
    notifyAtMs ??= nowMs + GROUP_WAIT_MS / timeScale;
    if (nowMs < notifyAtMs) return;
    const facts = shown.flatMap((rule) => (rule.facts === null ? [] : [rule.facts]));
    const taken = await options.deliver(webhookBody(labelsFrom(Object.entries(scope)), facts)).then(
      (answer) => answer !== false,
      () => false,
    );
    if (!taken) return;
    // What ended while the call was under way has not been told yet.
    for (const rule of shown) {
      if (rule.facts !== null && rule.facts.endedAtMs !== null && facts.includes(rule.facts))
        rule.facts = null;
    }
    told = rules
      .flatMap((rule, index) => (shown.includes(rule) && isFiring(rule) ? [`${index}+`] : []))
      .join();
    notifyAtMs = told === '' ? null : nowMs + GROUP_INTERVAL_MS / timeScale;
  }

  async function evaluate(): Promise<void> {
    if (running) return;
    running = true;
    try {
      const nowMs = clock.now();
      for (const rule of rules) await evaluateRule(rule, nowMs);
      await notify(nowMs);
    } finally {
      running = false;
    }
  }

  function schedule(): void {
    cancel = clock.after(EVALUATION_MS / timeScale, () => {
      void evaluate().then(() => {
        if (!stopped) schedule();
      });
    });
  }

  return {
    start() {
      if (!stopped) return;
      stopped = false;
      schedule();
    },
    stop() {
      stopped = true;
      cancel?.();
    },
    evaluate,
    firing: () => rules.filter(isFiring).map(({ alert }) => alert.name),
  };
}

/** The few Prometheus template forms our summaries use. */
export function fillSummary(summary: string, value: number): string {
  const plain = (digits: number) => (Number.isFinite(value) ? value.toFixed(digits) : '+Inf');
  return summary
    .replace(
      /\{\{\s*if gt \$value (\S+)\s*\}\}(.*?)\{\{\s*else\s*\}\}(.*?)\{\{\s*end\s*\}\}/g,
      (_, limit, above, below) => (value > Number(limit) ? above : below),
    )
    .replace(/\{\{\s*\$value\s*\|\s*printf "%\.(\d)f"\s*\}\}/g, (_, digits) => plain(Number(digits)))
    .replace(/\{\{\s*\$value\s*\|\s*humanizePercentage\s*\}\}/g, () => `${(value * 100).toPrecision(4)}%`)
    .replace(/\{\{\s*\$value\s*\}\}/g, () => String(value));
}
