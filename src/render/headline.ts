/**
 * The lock-screen line: one plain sentence of at most 110 characters that is the page's title, Slack's
 * top-level text and the first block. A locked phone shows about 45 of them, so severity, symptom with its
 * number and place come first and are never cut by what follows; the id is last and never cut.
 */

import { DEFAULT_THRESHOLDS, threshold } from '../catalog/thresholds.js';
import { OWN_SOURCE, publicId } from '../domain/incident.js';
import type { IncidentView } from '../domain/incident-view.js';
import { placeOf } from '../domain/scope.js';
import type { Severity } from '../domain/severity.js';
import type { UmbrellaView } from '../domain/umbrella.js';
import { minutesBetween } from './duration.js';
import { clean, cut } from './neutralise.js';
import { notDiagnosedBecause } from './not-diagnosed.js';
import { presentDiagnosis } from './present-diagnosis.js';
import { alertSummary, formatSymptom, type Symptom, symptomOf } from './symptom.js';
import { umbrellaInWords } from './umbrella-words.js';

export const MAX_HEADLINE = 110;
/** What one line of a locked Android phone shows. */
const FIRST_GLANCE = 45;

/** Objectives by signal name, in the signal's own unit: `{ ttft_p99_seconds: 2 }`. */
export type SloLookup = Readonly<Record<string, number>>;

/** The catalog's warning thresholds. */
const DEFAULT_SLO: SloLookup = Object.fromEntries(
  ['ttft_p99_seconds', 'tbt_p99_seconds', 'error_ratio'].map((signal) => [
    signal,
    threshold(DEFAULT_THRESHOLDS, `${signal}.warning`),
  ]),
);

/** "2s": what the symptom is held against; null where nothing was measured or nothing is promised. `slo` overrides the defaults one by one. */
export function objectiveOf(symptom: Symptom, slo: SloLookup | undefined): string | null {
  if (symptom.signal === null || symptom.value === null) return null;
  const all: SloLookup = { ...DEFAULT_SLO, ...slo };
  const objective = Object.hasOwn(all, symptom.signal) ? all[symptom.signal] : undefined;
  return objective === undefined ? null : formatSymptom(objective, symptom.unit);
}

export type HeadlineOptions = {
  readonly slo?: SloLookup;
  /** What the reader should know before all else, in brackets after the severity: "2nd page, no ack 15m". */
  readonly note?: string;
};

const WORDS: Readonly<Record<Severity, string>> = { critical: 'CRIT', warning: 'WARN', info: 'INFO' };

/** `{SEV} {symptom with number} {place} (SLO x). {cause}. {ID}`, plain text, ≤ 110 UTF-16 units, one line. `{SEV}` is OK once it is over, FOLDED where it goes on in another incident. */
export function headline(view: IncidentView, options: HeadlineOptions = {}): string {
  if (view.umbrella !== null) return umbrellaHeadline(view, view.umbrella, options);
  const resolved = view.incident.state === 'resolved';
  const { foldedInto } = view.incident;
  // What goes on elsewhere is not over, and must not read as if it were.
  const severity = foldedInto !== null ? 'FOLDED' : resolved ? 'OK' : WORDS[view.incident.severity];
  const after = resolved && foldedInto === null;
  const symptom = symptomOf(view, after ? view.afterDiagnosis : presentDiagnosis(view));
  return compose({
    severity,
    ...(options.note === undefined ? {} : { note: options.note }),
    symptom: symptomText(symptom),
    place: shortPlace(view),
    slo: resolved ? null : sloText(symptom, options.slo),
    cause:
      foldedInto !== null
        ? `Goes on as ${publicId(foldedInto)}`
        : resolved
          ? howItEnded(view)
          : causeText(view),
    id: publicId(view.incident.id),
  });
}

/** "CRIT 9 incidents prod-us. node gpu-17: 7 of 9. INC-417". */
function umbrellaHeadline(view: IncidentView, umbrella: UmbrellaView, options: HeadlineOptions): string {
  const words = umbrellaInWords(view, umbrella);
  const resolved = view.incident.state === 'resolved';
  return compose({
    severity: resolved ? 'OK' : WORDS[view.incident.severity],
    ...(options.note === undefined ? {} : { note: options.note }),
    symptom: { label: words.count, value: null },
    place: { model: '', cluster: words.place },
    slo: null,
    cause: resolved ? howItEnded(view) : words.short,
    id: publicId(view.incident.id),
  });
}

/** The parts of a headline, each possibly hostile. */
export type HeadlineParts = {
  readonly severity: string;
  /** Set in brackets behind the severity; what it takes is taken from the cause. */
  readonly note?: string;
  /** Label and value apart, so that a cut takes the words and never the number. */
  readonly symptom: { readonly label: string; readonly value: string | null };
  readonly place: { readonly model: string; readonly cluster: string };
  readonly slo: string | null;
  readonly cause: string;
  readonly id: string;
};

/** Fits the parts into the grammar. Exported so that other one-line messages keep to the same budget. */
export function compose(parts: HeadlineParts): string {
  // Two spaces separate the three parts of the first glance.
  const room = FIRST_GLANCE - parts.severity.length - 2;
  const wantedPlace = placeText(parts.place, 24);
  const wantedSymptom = symptomWithin(parts.symptom, room - Math.min(wantedPlace.length, 20));
  const place = placeText(parts.place, room - wantedSymptom.length);
  const note = parts.note === undefined ? '' : ` (${cut(plain(parts.note), 30)})`;
  const head = `${parts.severity}${note} ${wantedSymptom} ${place}`;
  const tail = ` ${cut(clean(parts.id), 20)}`;
  const slo = parts.slo === null ? '.' : ` (${cut(clean(parts.slo), 14)}).`;
  const cause = cut(
    plain(parts.cause).replace(/[.\s]+$/, ''),
    MAX_HEADLINE - head.length - slo.length - tail.length - 2,
  );
  const middle = cause === '' ? '' : ` ${cause}${/[.…!?]$/.test(cause) ? '' : '.'}`;
  return head + slo + middle + tail;
}

function symptomWithin(symptom: HeadlineParts['symptom'], max: number): string {
  const label = plain(symptom.label) || 'alert';
  if (symptom.value === null) return cut(label, max);
  const value = cut(clean(symptom.value), Math.max(1, max - 5));
  return `${cut(label, max - value.length - 1)} ${value}`;
}

/** Cluster whole if it can be, the model cut: there are few clusters and many long model names. */
function placeText(place: HeadlineParts['place'], max: number): string {
  const cluster = plain(place.cluster);
  const model = plain(place.model);
  if (cluster === '' || model === '') return cut(model || cluster || 'unknown scope', max);
  const whole = `${model}/${cluster}`;
  if (whole.length <= max) return whole;
  const shortCluster = cut(cluster, Math.max(4, max - 6));
  return `${cut(model, max - shortCluster.length - 1)}/${shortCluster}`;
}

/** Push notifications carry no markup, so what would be markup elsewhere is only noise here. */
function plain(text: string): string {
  return clean(text)
    .replace(/<([^|>]*)\|([^>]*)>/g, '$2')
    .replace(/[*`~<>|]/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}

/** `meta-llama/Llama-3-70b` → `Llama-3-70b`, at most 14 characters. */
function shortPlace(view: IncidentView): HeadlineParts['place'] {
  const { scope } = view.incident;
  const model = Object.hasOwn(scope, 'model') ? clean(scope.model ?? '') : '';
  const cluster = Object.hasOwn(scope, 'cluster') ? clean(scope.cluster ?? '') : '';
  if (model === '' && cluster === '') return { model: placeOf(scope), cluster: '' };
  return { model: cut(model.split('/').at(-1) || model, 14), cluster };
}

function symptomText(symptom: Symptom): HeadlineParts['symptom'] {
  return { label: symptom.label, value: symptom.value };
}

function sloText(symptom: Symptom, slo: SloLookup | undefined): string | null {
  const text = objectiveOf(symptom, slo);
  return text === null ? null : `SLO ${text}`;
}

function causeText(view: IncidentView): string {
  const { because } = view.episode;
  return because === null ? whatWasFound(view) : `${sentence(plain(because))}. ${whatWasFound(view)}`;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function whatWasFound(view: IncidentView): string {
  // What we say of ourselves no check of a serving fleet can add to.
  const own = view.incident.source === OWN_SOURCE ? alertSummary(view) : null;
  if (own !== null) return plain(own);
  const missing = notDiagnosedBecause(view);
  if (missing !== null) return missing.short;
  const verdict = presentDiagnosis(view)?.verdict;
  if (verdict === undefined) return '';
  const short = verdict.short || verdict.says;
  if (verdict.cause !== null || /unclear/i.test(short)) return short;
  return `Cause unclear: ${short}`;
}

function howItEnded(view: IncidentView): string {
  const { incident, episode } = view;
  const end = incident.resolvedAtMs ?? episode.endedAtMs;
  const after = end === null ? '' : ` after ${minutesBetween(episode.startedAtMs, end)}`;
  const acked =
    incident.acknowledgedBy === null ? '' : `, acked by ${cut(plain(incident.acknowledgedBy), 20)}`;
  return `Resolved${after}${acked}`;
}
