/**
 * What the users of the model feel, in as few characters as it takes: "TTFT p99 11.8s". The number comes from
 * the best witness there is: the alert's own expression, then a finding, then the alert's annotations.
 */

import type { IncidentAlert, IncidentView } from '../domain/incident-view.js';
import { labelValue } from '../domain/labels.js';
import type { Diagnosis, Finding } from '../domain/verdict.js';
import { clean } from './neutralise.js';

export type SymptomUnit = 'seconds' | 'ratio' | 'per_second' | 'requests' | 'workers' | 'none';

type Kind = {
  /** Alert names, ours and those operators commonly choose. */
  readonly alerts: RegExp;
  readonly signal: string;
  readonly label: string;
  readonly unit: SymptomUnit;
};

/** Order matters: the first whose pattern finds the alert's name. */
const KINDS: readonly Kind[] = [
  { alerts: /ttft|time.?to.?first/i, signal: 'ttft_p99_seconds', label: 'TTFT p99', unit: 'seconds' },
  {
    alerts: /tbt|itl|inter.?token|time.?between/i,
    signal: 'tbt_p99_seconds',
    label: 'TBT p99',
    unit: 'seconds',
  },
  { alerts: /error/i, signal: 'error_ratio', label: 'errors', unit: 'ratio' },
  { alerts: /gpu.?mem/i, signal: 'gpu_memory_ratio', label: 'GPU memory', unit: 'ratio' },
  { alerts: /kv.?cache/i, signal: 'kv_cache_utilization', label: 'KV cache', unit: 'ratio' },
  { alerts: /preempt/i, signal: 'preemption_rate', label: 'preemptions', unit: 'per_second' },
  { alerts: /queue/i, signal: 'queue_depth', label: 'queue', unit: 'requests' },
  { alerts: /gpu.?util/i, signal: 'gpu_utilization', label: 'GPU use', unit: 'ratio' },
  {
    alerts: /worker.?(down|lost|gone)/i,
    signal: 'worker_up',
    label: 'workers down',
    unit: 'workers',
  },
  { alerts: /stall/i, signal: 'generation_tokens_rate', label: 'stalled workers', unit: 'workers' },
  { alerts: /traffic/i, signal: 'request_rate', label: 'requests', unit: 'per_second' },
  {
    alerts: /metrics?.?(missing|gone|absent)/i,
    signal: 'replicas_available',
    label: 'no metrics',
    unit: 'none',
  },
];

export type Symptom = {
  /** "TTFT p99", or the alert's name where we know no better. */
  readonly label: string;
  /** "11.8s", "7.2%", "3.2/s", "412 waiting"; null when no number was seen. */
  readonly value: string | null;
  readonly signal: string | null;
  readonly unit: SymptomUnit;
};

/** The lead alert's symptom as of the newest diagnosis of the given one. Never throws. */
export function symptomOf(view: IncidentView, diagnosis: Diagnosis | null): Symptom {
  const name = view.incident.alertName;
  const kind = KINDS.find((candidate) => candidate.alerts.test(name.slice(0, 200)));
  // The value of a foreign expression has no unit that we know, and a bare number reads as anything.
  if (kind === undefined) return { label: clean(name) || 'alert', value: null, signal: null, unit: 'none' };
  const label = quantileLabel(kind, view);
  const number = diagnosis === null || kind.unit === 'none' ? null : numberOf(diagnosis, kind);
  const value =
    number !== null
      ? formatSymptom(number, kind.unit)
      : view.incident.state !== 'resolved'
        ? fromAnnotations(view, kind)
        : null;
  return { label, value, signal: kind.signal, unit: kind.unit };
}

/** An operator's own alert may be on p95: then the label says so. */
function quantileLabel(kind: Kind, view: IncidentView): string {
  const quantile = /p(50|90|95|999|99)/i.exec(view.incident.alertName)?.[1];
  return quantile === undefined ? kind.label : kind.label.replace(/p99/, `p${quantile}`);
}

function numberOf(diagnosis: Diagnosis, kind: Kind): number | null {
  const own = diagnosis.enrichment.valueNow;
  if (own !== null && Number.isFinite(own) && plausible(own, kind.unit)) return own;
  const finding = diagnosis.findings.find((one) => one.signal === kind.signal && hasNumber(one));
  if (finding !== undefined) return finding.numbers.value ?? finding.numbers.max ?? null;
  return null;
}

/** An operator's expression may count per cent: 720 % errors is a unit mistake, not a symptom. */
function plausible(value: number, unit: SymptomUnit): boolean {
  return value >= 0 && (unit !== 'ratio' || value <= 1.5);
}

function hasNumber(finding: Finding): boolean {
  return Number.isFinite(finding.numbers.value ?? finding.numbers.max ?? Number.NaN);
}

const NUMBER_WITH_UNIT: Readonly<Record<SymptomUnit, RegExp>> = {
  seconds: /(?<![\w.])\d{1,6}(?:\.\d{1,6})?\s?(?:ms|s|seconds?)(?!\w)/i,
  ratio: /(?<![\w.])\d{1,3}(?:\.\d{1,6})?\s?%/,
  per_second: /(?<![\w.])\d{1,6}(?:\.\d{1,6})?\s?\/s(?!\w)/,
  requests: /(?<![\w.])\d{1,7}(?= (?:requests?|waiting))/,
  workers: /(?!)/,
  none: /(?!)/,
};

const BOUND =
  /(above|over|greater than|more than|exceed\w*|below|under|less than|limit|threshold|[<>]=?)\s*(?:of\s*)?$/i;

/** The rule's own text often carries the value: `description: "p99 is 11.84s"`. */
function fromAnnotations(view: IncidentView, kind: Kind): string | null {
  const lead = leadAlert(view);
  if (lead === null) return null;
  for (const name of ['value', 'summary', 'description', 'message']) {
    const text = clean(labelValue(lead.annotations, name) ?? '').slice(0, 500);
    const found = NUMBER_WITH_UNIT[kind.unit].exec(text);
    if (found === null) continue;
    const number = Number.parseFloat(found[0]);
    const scaled = kind.unit === 'ratio' ? number / 100 : /ms$/i.test(found[0]) ? number / 1000 : number;
    // "above 5 s" is the rule's limit and not what was measured: it must not be read as a measurement.
    const bound = BOUND.exec(text.slice(0, found.index))?.[1];
    const sign = bound === undefined ? '' : /below|under|less|</i.test(bound) ? '<' : '>';
    return sign + formatSymptom(scaled, kind.unit);
  }
  return null;
}

/** The alert that leads the incident; null where the view holds none. */
export function leadAlert(view: IncidentView): IncidentAlert | null {
  const { alertKey } = view.incident;
  return view.alerts.find((alert) => alert.alertKey === alertKey) ?? view.alerts[0] ?? null;
}

/** What the lead alert's rule says of it, as one line; null when it says nothing. */
export function alertSummary(view: IncidentView): string | null {
  const annotations = leadAlert(view)?.annotations;
  if (annotations === undefined) return null;
  const text = labelValue(annotations, 'summary') ?? labelValue(annotations, 'description') ?? '';
  return clean(text) || null;
}

/** 11.84 s → "11.8s"; 0.072 → "7.2%"; 412 → "412 waiting". */
export function formatSymptom(value: number, unit: SymptomUnit): string {
  switch (unit) {
    case 'seconds':
      return value < 1 ? `${Math.round(value * 1000)}ms` : `${formatNumber(value)}s`;
    case 'ratio':
      return `${formatNumber(value * 100)}%`;
    case 'per_second':
      return `${formatNumber(value)}/s`;
    case 'requests':
      return `${formatNumber(Math.round(value))} waiting`;
    case 'workers':
    case 'none':
      return formatNumber(value);
  }
}

/** Three figures are what is remembered at night: 11.84 → 11.8, 97.4 → 97.4, 12345 → 12.3k. */
function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 1e15) return value.toExponential(1);
  if (size >= 1e9) return `${trim(value / 1e9)}G`;
  if (size >= 1e6) return `${trim(value / 1e6)}M`;
  if (size >= 10_000) return `${trim(value / 1e3)}k`;
  return trim(value);
}

function trim(value: number): string {
  return String(Number(value.toPrecision(Math.abs(value) >= 100 ? 4 : 3)));
}
