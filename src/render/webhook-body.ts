/** The JSON that a generic webhook receives: a summary of the incident with stable names. */

import { publicId } from '../domain/incident.js';
import type { IncidentView } from '../domain/incident-view.js';
import { labelsFrom } from '../domain/labels.js';
import { cardModel } from './card-model.js';
import { headline, type SloLookup } from './headline.js';
import { clean, cut } from './neutralise.js';

export type WebhookBody = Readonly<Record<string, unknown>> & { readonly version: 1; readonly id: string };

/** Times are RFC 3339 in UTC. `deduplication_key` is one an episode; `status` is `firing` or `resolved`. */
export function renderWebhookBody(
  view: IncidentView,
  options: { readonly publicUrl: string | null; readonly slo?: SloLookup },
): WebhookBody {
  const model = cardModel(view, options);
  const { incident, episode, diagnosis } = view;
  const time = (atMs: number | null) => (atMs === null ? null : new Date(atMs).toISOString());
  const text = (value: string) => cut(clean(value), 1_000);
  return {
    version: 1,
    id: model.id,
    revision: incident.revision,
    status: incident.state === 'resolved' ? 'resolved' : 'firing',
    state: incident.state,
    silenced_by: incident.silence === null ? null : text(incident.silence.by),
    silenced_until: time(incident.silence?.untilMs ?? null),
    severity: incident.severity,
    kind: incident.kind,
    flags: {
      silenced: incident.flags.silenced,
      recovering: incident.flags.recovering,
      flapping: incident.flags.flapping,
      in_storm: incident.flags.inStorm,
    },
    folded_into: incident.foldedInto === null ? null : publicId(incident.foldedInto),
    headline: headline(view, options),
    title: text(model.title),
    alert_name: text(incident.alertName),
    alert_count: view.alertCount,
    firing_count: view.firingCount,
    scope: labelsFrom(Object.entries(incident.scope).map(([name, value]) => [name, text(value)] as const)),
    episode: episode.number,
    deduplication_key: episode.dedupKey,
    opened_at: time(incident.openedAtMs),
    started_at: time(episode.startedAtMs),
    acknowledged_at: time(incident.acknowledgedAtMs),
    acknowledged_by: incident.acknowledgedBy === null ? null : text(incident.acknowledgedBy),
    resolved_at: time(incident.resolvedAtMs),
    members: model.memberGroups.map(({ name, ids }) => ({ alert_name: text(name), incidents: ids })),
    notes: model.notes.map(text),
    not_diagnosed: model.notDiagnosed === null ? null : text(model.notDiagnosed.says),
    verdict:
      diagnosis === null || model.verdict === null
        ? null
        : {
            cause: diagnosis.verdict.cause,
            says: text(diagnosis.verdict.says),
            confidence: diagnosis.verdict.confidence,
            why: text(diagnosis.verdict.why),
            unseen: diagnosis.verdict.unseen.slice(0, 20).map(text),
          },
    checks: model.evidence.map((line) => ({
      title: text(line.title),
      status: line.status,
      says: text(line.says),
    })),
    do_first: model.doFirst === null ? null : text(model.doFirst.text),
    do_not: model.doNot === null ? null : { fix: text(model.doNot.fix), because: text(model.doNot.because) },
    url: options.publicUrl === null ? null : `${options.publicUrl.replace(/\/+$/, '')}/i/${incident.id}`,
  };
}
