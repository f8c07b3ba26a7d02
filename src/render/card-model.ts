/**
 * What a card says, before any medium: one reading of the incident that Slack, the pager, the terminal and the
 * outbox page all draw from, so that they cannot tell different stories. Text here is raw, possibly hostile:
 * each renderer cleans, escapes and cuts it.
 */

import { type IncidentState, publicId, type Silence } from '../domain/incident.js';
import type { IncidentView } from '../domain/incident-view.js';
import { placeOf } from '../domain/scope.js';
import type { Severity } from '../domain/severity.js';
import type { Finding, FindingStatus } from '../domain/verdict.js';
import { clockTime, minutesBetween, momentTime } from './duration.js';
import { type FlappingWords, flappingInWords } from './flapping.js';
import { groupUnseen, unseenInWords } from './group-unseen.js';
import { objectiveOf, type SloLookup } from './headline.js';
import { type NotDiagnosed, notDiagnosedBecause } from './not-diagnosed.js';
import { presentDiagnosis } from './present-diagnosis.js';
import { symptomOf } from './symptom.js';
import { type UmbrellaWords, umbrellaInWords } from './umbrella-words.js';

/** Checks in a card; the rest is counted and stands on the incident's page. */
export const MAX_EVIDENCE_LINES = 6;
/** Questions to ask by hand: KV cache, queue, context length and GPU come first in every entry. */
const MAX_BY_HAND = 4;

export type EvidenceLine = {
  readonly status: FindingStatus;
  readonly title: string;
  /** "97% on 7 of 8 workers, limit 90%", "not seen: …", "skipped: …". */
  readonly says: string;
  readonly trend: readonly number[];
};

export type CardModel = {
  readonly id: string;
  readonly state: IncidentState;
  /** Alertmanager silences it: nobody is to be disturbed. */
  readonly silenced: boolean;
  readonly severity: Severity;
  /** "TTFT p99 11.8s on llama-70b/prod-us". */
  readonly title: string;
  /** "SLO is 2s"; null where none is known or nothing was measured. */
  readonly slo: string | null;
  /** Set when there is no diagnosis to show. */
  readonly notDiagnosed: NotDiagnosed | null;
  /** "Likely cause: …" or "Cause unclear: …"; null when not diagnosed. */
  readonly verdict: { readonly lead: string; readonly says: string; readonly confidence: string } | null;
  readonly evidence: readonly EvidenceLine[];
  /** "2 more checks: OK"; null when all are shown. */
  readonly evidenceLeftOut: string | null;
  /** "Checked, absent: idle GPUs; an uneven queue"; null when there is nothing to say. */
  readonly absent: string | null;
  /** One sentence a reason, with everything that it hid. */
  readonly unseen: readonly string[];
  readonly doFirst: {
    readonly text: string;
    readonly expect: string | null;
    readonly command: string | null;
  } | null;
  readonly doNot: { readonly fix: string; readonly because: string } | null;
  /** Questions to ask by hand, when nothing was diagnosed. */
  readonly byHand: readonly { readonly title: string; readonly query: string | null }[];
  /** Checks without a result that `byHand` has no room for. */
  readonly alsoUnseen: readonly string[];
  /** "3 alerts: LLMHighTTFT, LLMQueueBuildup, …"; null for a lone alert. */
  readonly alerts: string | null;
  /** Of an umbrella: its members, the most urgent first; empty for a problem. */
  readonly members: readonly string[];
  /** Of an umbrella: every member that stands, by alert name. */
  readonly memberGroups: UmbrellaWords['groups'];
  /** Set while it fires and resolves in turn. */
  readonly flapping: FlappingWords | null;
  /** Things said so that nobody is surprised: severity guessed, default entry, again for the 2nd time. */
  readonly notes: readonly string[];
  /** "ACKED by mia 03:14 UTC (after 2m)", "SILENCED until 04:18 UTC by mia", "RESOLVED after 31m, acked by mia in 2m", "FOLDED into INC-3"; null while open. */
  readonly stateLine: string | null;
  readonly firedAtMs: number;
  readonly pagedReceivers: readonly string[];
  readonly entryId: string | null;
};

export type CardModelOptions = { readonly slo?: SloLookup };

/** Reads everything a card needs out of the view. Never throws. */
export function cardModel(view: IncidentView, options: CardModelOptions = {}): CardModel {
  const { incident } = view;
  const umbrella = view.umbrella === null ? null : umbrellaInWords(view, view.umbrella);
  const diagnosis = presentDiagnosis(view);
  const resolved = incident.state === 'resolved';
  const symptom = symptomOf(view, resolved ? view.afterDiagnosis : diagnosis);
  const measured = symptom.value === null ? symptom.label : `${symptom.label} ${symptom.value}`;
  const objective = objectiveOf(symptom, options.slo);
  const notDiagnosed = notDiagnosedBecause(view);
  const evidence = chooseEvidence(diagnosis?.findings ?? []);
  // Once it is over there is nothing to do, and nothing to warn of.
  const advice = notDiagnosed === null && !resolved ? diagnosis?.verdict : undefined;
  const [fix] = advice?.fixes ?? [];
  const [wrong] = advice?.wrongFixes ?? [];
  return {
    id: publicId(incident.id),
    state: incident.state,
    silenced: !resolved && incident.silence !== null,
    severity: incident.severity,
    title:
      umbrella === null
        ? `${measured} on ${placeOf(incident.scope)}`
        : `${umbrella.count} in ${umbrella.place}`,
    slo: objective === null ? null : `SLO is ${objective}`,
    notDiagnosed,
    verdict: umbrella?.verdict ?? (notDiagnosed === null ? verdictOf(view) : null),
    evidence: evidence.shown,
    evidenceLeftOut: evidence.leftOut,
    absent: absentInWords(advice?.absent ?? []),
    unseen: groupUnseen(diagnosis?.verdict.unseen ?? [], diagnosis?.findings ?? []).map(unseenInWords),
    doFirst: fix === undefined ? null : { text: fix.do, expect: fix.expect, command: fix.command },
    doNot: wrong ?? null,
    byHand: notDiagnosed === null ? [] : byHandOf(view).slice(0, MAX_BY_HAND),
    alsoUnseen:
      notDiagnosed === null
        ? []
        : byHandOf(view)
            .slice(MAX_BY_HAND)
            .map((check) => check.title),
    alerts: umbrella?.summary ?? alertsOf(view),
    members: umbrella?.members ?? [],
    memberGroups: umbrella?.groups ?? [],
    flapping: incident.flags.flapping ? flappingInWords(incident.cycles) : null,
    notes: notesOf(view),
    stateLine: stateLineOf(view),
    firedAtMs: view.episode.startedAtMs,
    pagedReceivers: view.pagedReceivers,
    entryId: diagnosis?.entryId ?? null,
  };
}

function absentInWords(absent: readonly string[]): string | null {
  return absent.length === 0 ? null : `Checked, absent: ${absent.join('; ')}`;
}

function verdictOf(view: IncidentView): CardModel['verdict'] {
  const verdict = presentDiagnosis(view)?.verdict;
  if (verdict === undefined) return null;
  return {
    lead: verdict.cause === null ? 'Cause unclear' : 'Likely cause',
    says: verdict.says.replace(/^cause unclear:?\s*/i, ''),
    confidence:
      verdict.confidence === 'none' ? verdict.why : `${verdict.confidence} confidence: ${verdict.why}`,
  };
}

/** Step order is kept. When there are too many, what failed and what was not seen stays. */
function chooseEvidence(findings: readonly Finding[]): { shown: EvidenceLine[]; leftOut: string | null } {
  const weight: Readonly<Record<FindingStatus, number>> = { fail: 0, unknown: 1, ok: 2, skipped: 3 };
  const keep = new Set(
    [...findings].sort((a, b) => weight[a.status] - weight[b.status]).slice(0, MAX_EVIDENCE_LINES),
  );
  const left = findings.filter((finding) => !keep.has(finding));
  const counts = (['fail', 'unknown', 'ok', 'skipped'] as const)
    .map(
      (status) => [left.filter((finding) => finding.status === status).length, STATUS_WORD[status]] as const,
    )
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${count} ${word}`);
  return {
    shown: findings.filter((finding) => keep.has(finding)).map(evidenceLine),
    leftOut: counts.length === 0 ? null : `${left.length} more checks: ${counts.join(', ')}`,
  };
}

/** No symbol stands without its word. */
export const STATUS_WORD: Readonly<Record<FindingStatus, string>> = {
  fail: 'fails',
  ok: 'OK',
  unknown: 'unknown',
  skipped: 'skipped',
};

function evidenceLine(finding: Finding): EvidenceLine {
  return {
    status: finding.status,
    title: finding.title,
    says: finding.reason === 'by_hand' ? `by hand: ${finding.says}` : withWord(finding.status, finding.says),
    trend: finding.status === 'fail' || finding.status === 'ok' ? finding.trend : [],
  };
}

function withWord(status: FindingStatus, says: string): string {
  switch (status) {
    case 'unknown':
      return /^not seen/i.test(says) ? says : `not seen: ${says}`;
    case 'skipped':
      return /^skipped/i.test(says) ? says : `skipped: ${says}`;
    case 'ok':
      return /\b(ok|ruled out|healthy|normal)\b/i.test(says) ? says : `${says}: OK`;
    case 'fail':
      return says;
  }
}

/** KV cache first, then queue, context length, GPU: the order of every entry. */
const CHECKS_BY_HAND = [
  'KV cache utilization per worker',
  'Queue depth per worker',
  'Context length',
  'GPU utilization',
];

function byHandOf(view: IncidentView): CardModel['byHand'] {
  const asked = (presentDiagnosis(view)?.findings ?? [])
    .filter((finding) => finding.status === 'unknown')
    .map((finding) => ({ title: finding.title, query: finding.query }));
  return asked.length > 0 ? asked : CHECKS_BY_HAND.map((title) => ({ title, query: null }));
}

function alertsOf(view: IncidentView): string | null {
  if (view.alertCount <= 1) return null;
  const counts = new Map<string, number>();
  for (const alert of view.alerts) counts.set(alert.name, (counts.get(alert.name) ?? 0) + 1);
  // The lead first, then the names that most alerts carry.
  const names = [...counts].sort(
    ([a, n], [b, m]) =>
      Number(b === view.incident.alertName) - Number(a === view.incident.alertName) || m - n,
  );
  const shown = names.slice(0, 3).map(([name, count]) => (count > 1 ? `${name} × ${count}` : name));
  const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
  const firing = view.firingCount === view.alertCount ? '' : ` (${view.firingCount} firing)`;
  return `${view.alertCount} alerts${firing}: ${shown.join(', ')}${more}`;
}

function notesOf(view: IncidentView): string[] {
  const { incident } = view;
  const diagnosis = presentDiagnosis(view);
  const notes: string[] = [];
  // First: who is woken again must read why.
  if (view.episode.because !== null && incident.state !== 'resolved') notes.push(view.episode.because);
  if (incident.severityNote !== null) notes.push(incident.severityNote);
  if (diagnosis?.entryIsDefault === true) {
    notes.push(`no playbook entry for ${incident.alertName}: default checks`);
  }
  const { pagerResolvedAtMs, pagerResolvedBy } = view.episode;
  if (pagerResolvedAtMs !== null && incident.state !== 'resolved') {
    const by = pagerResolvedBy ?? 'somebody';
    notes.push(`resolved in PagerDuty by ${by} ${clockTime(pagerResolvedAtMs)}, still firing`);
  }
  if (incident.reopenedCount > 0) notes.push(`fires again, time ${incident.reopenedCount + 1}`);
  return notes;
}

function stateLineOf(view: IncidentView): string | null {
  const { incident, episode } = view;
  const acked =
    incident.acknowledgedAtMs === null ? null : (`by ${incident.acknowledgedBy ?? 'somebody'}` as const);
  const silenced = incident.silence === null ? null : silencedText(incident.silence, episode.startedAtMs);
  switch (incident.state) {
    case 'open':
      return silenced;
    case 'acknowledged': {
      const at = incident.acknowledgedAtMs ?? episode.startedAtMs;
      const taken = `${acked ?? ''} ${clockTime(at)} (after ${minutesBetween(episode.startedAtMs, at)})`;
      return silenced === null ? `ACKED ${taken}` : `${silenced}; acked ${taken}`;
    }
    case 'resolved': {
      if (incident.foldedInto !== null) return `FOLDED into ${publicId(incident.foldedInto)}`;
      const end = incident.resolvedAtMs ?? episode.endedAtMs ?? episode.startedAtMs;
      const took = `after ${minutesBetween(episode.startedAtMs, end)}`;
      const who = incident.resolvedBy === null ? '' : ` by ${incident.resolvedBy}`;
      if (acked === null || incident.acknowledgedAtMs === null) return `RESOLVED ${took}${who}`;
      return `RESOLVED ${took}${who}, acked ${acked} in ${minutesBetween(episode.startedAtMs, incident.acknowledgedAtMs)}`;
    }
  }
}

function silencedText({ by, comment, untilMs }: Silence, startedAtMs: number): string {
  const until = untilMs === null ? '' : ` until ${momentTime(untilMs, startedAtMs)}`;
  return `SILENCED${until} by ${by}${comment === '' ? '' : `: ${comment}`}`;
}
