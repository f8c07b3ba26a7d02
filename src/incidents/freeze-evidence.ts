/** Makes the recording of a diagnosis: what it saw, what else the scope showed, and what it came to. */

import { hash } from 'node:crypto';
import { freezeSignals, operatorQueries } from '../diagnosis/freeze.js';
import { type Diagnosed, encodeRecording, RECORDING_FORMAT_VERSION } from '../diagnosis/recording.js';
import type { Clock } from '../domain/clock.js';
import { publicId } from '../domain/incident.js';
import type { IncidentView } from '../domain/incident-view.js';
import type { Labels } from '../domain/labels.js';
import type { MetricsSource } from '../domain/metrics-source.js';
import type { Scope } from '../domain/scope.js';
import { type PlaybookText, textsOf } from '../playbook/load.js';
import { matchEntry } from '../playbook/match.js';
import type { PlaybookEntry } from '../playbook/schema.js';
import type { DiagnosisOutcome, FrozenEvidence } from './investigation.js';
import type { OpeningWebhook } from './opening-webhook.js';

export type FreezeDeps = {
  readonly entries: readonly PlaybookEntry[];
  readonly texts: readonly PlaybookText[];
  readonly thresholds: Readonly<Record<string, number>>;
  readonly timeScale: number;
  readonly deadlineMs: number;
  readonly clock: Clock;
  /** What diagnosis is told of an incident. */
  readonly about: (view: IncidentView) => {
    readonly labels: Labels;
    readonly alertName: string;
    readonly alertExpression: string | null;
    readonly scope: Scope;
    readonly source: MetricsSource;
  };
  readonly openingWebhook: (view: IncidentView) => Promise<OpeningWebhook>;
  /** Bounds one freezing; of a service that ends, nothing is stored. */
  readonly signal: () => AbortSignal;
  readonly ending: AbortSignal;
};

/** The function rejects when the service ends meanwhile, or the database does. */
export function createFreeze(deps: FreezeDeps) {
  return async function freeze(view: IncidentView, outcome: DiagnosisOutcome): Promise<FrozenEvidence> {
    const asked = deps.about(view);
    const { entry } = matchEntry(deps.entries, { ...asked.labels, alertname: asked.alertName });
    const recording = await freezeSignals({
      scope: asked.scope,
      source: asked.source,
      timeScale: deps.timeScale,
      atMs: outcome.evidence?.atMs ?? deps.clock.now(),
      ...(outcome.evidence === undefined ? {} : { testimony: outcome.evidence.testimony }),
      expressions: operatorQueries(entry, asked.scope),
      signal: deps.signal(),
      diagnosed: diagnosedOf({
        incident: publicId(view.incident.id),
        alert: { name: asked.alertName, labels: asked.labels, expression: asked.alertExpression },
        webhook: await deps.openingWebhook(view),
        outcome,
        texts: deps.texts,
        thresholds: deps.thresholds,
        deadlineMs: deps.deadlineMs,
      }),
    });
    // Half of the evidence is not stored: the next process freezes it as a whole.
    deps.ending.throwIfAborted();
    return {
      formatVersion: RECORDING_FORMAT_VERSION,
      recordedAtMs: deps.clock.now(),
      body: encodeRecording(recording),
    };
  };
}

/** A diagnosis as its recording has it. */
export function diagnosedOf(made: {
  readonly incident: string | null;
  readonly alert: { readonly name: string; readonly labels: Labels; readonly expression: string | null };
  readonly webhook: OpeningWebhook;
  readonly outcome: DiagnosisOutcome;
  readonly texts: readonly PlaybookText[];
  readonly thresholds: Readonly<Record<string, number>>;
  readonly deadlineMs: number;
}): Diagnosed {
  const { outcome } = made;
  const texts = textsOf(outcome.entryId, made.texts);
  return {
    incident: made.incident,
    alert: { ...made.alert, labels: { ...made.alert.labels } },
    webhook: made.webhook,
    startedAtMs: outcome.startedAtMs,
    finishedAtMs: outcome.finishedAtMs,
    deadlineMs: made.deadlineMs,
    sameEvidence: outcome.evidence !== undefined,
    entry: {
      id: outcome.entryId,
      isDefault: outcome.entryIsDefault,
      hash: hash('sha256', JSON.stringify(texts.map(({ id, text }) => [id, text]))),
      // Whose directory it was is nobody's business who is sent the file.
      texts: texts.map(({ id, file, text }) => ({ id, file: file.split(/[\\/]/).slice(-2).join('/'), text })),
    },
    thresholds: { ...made.thresholds },
    findings: outcome.findings as unknown as Diagnosed['findings'],
    verdict: outcome.verdict as unknown as Diagnosed['verdict'],
  };
}
