/**
 * The buttons of the card. Few, since they are pressed by a thumb at night; the safe one first, and resolving
 * asks back with the fact that speaks against it. All texts are plain_text: nothing in them is mark-up.
 * Limits: Block Kit, "Button", "Overflow menu", "Confirmation dialog" (docs.slack.dev/reference/block-kit).
 */

import { publicId } from '../domain/incident.js';
import type { IncidentView } from '../domain/incident-view.js';
import { silenceMatchers } from '../domain/silence-matchers.js';
import { clockTime } from './duration.js';
import { objectiveOf, type SloLookup } from './headline.js';
import { clean, cut } from './neutralise.js';
import { presentDiagnosis } from './present-diagnosis.js';
import type { SlackBlock } from './slack-card.js';
import { type SlackAct, writeSlackValue } from './slack-value.js';
import { symptomOf } from './symptom.js';

export type SlackButtonsOptions = {
  /** Base of our own pages; without it the menu has no link. */
  readonly publicUrl: string | null;
  readonly slo?: SloLookup;
  /** Source of the alerts that can be silenced from here; null or absent = none can, and no button says so. */
  readonly silenceSource?: string | null;
};

/** Phones cut labels early. */
const MAX_LABEL = 14;
const MAX_CONFIRM = 250;

/** Block Kit elements for an `actions` block; none for what is resolved, where there is nothing to do. */
export function slackButtons(view: IncidentView, options: SlackButtonsOptions): readonly SlackBlock[] {
  const { incident } = view;
  if (incident.state === 'resolved') return [];
  const id = publicId(incident.id);
  const value = (act: SlackAct) =>
    writeSlackValue({
      act,
      incidentId: incident.id,
      episodeId: view.episode.id,
      revision: incident.revision,
      severity: incident.severity,
    });
  const resolve = {
    type: 'button',
    action_id: 'inc.resolve',
    text: plain('Resolve', MAX_LABEL),
    value: value('resolve'),
    confirm: {
      title: plain(`Resolve ${id}?`, 40),
      text: plain(liveFact(view, options), MAX_CONFIRM),
      confirm: plain('Resolve', 12),
      deny: plain('Keep open', 12),
    },
  };
  const question = silenceQuestion(view, options);
  const silence =
    question === null
      ? null
      : {
          type: 'button',
          action_id: 'inc.silence',
          text: plain('Silence 1h', MAX_LABEL),
          value: value('silence1h'),
          confirm: {
            title: plain('Silence for 1 hour?', 40),
            text: plain(question, MAX_CONFIRM),
            confirm: plain('Silence 1h', 12),
            deny: plain('Cancel', 12),
          },
        };
  const quiet = silence === null ? [] : [silence];
  const more = {
    type: 'overflow',
    action_id: 'inc.more',
    options: [
      option('Re-run diagnostics', value('rerun')),
      option('Add a note', value('note')),
      ...(silence === null ? [] : [option('Silence 4h', value('silence4h'))]),
      option('Mark as noise', value('noise')),
      ...(options.publicUrl === null
        ? []
        : [{ ...option('Open incident', value('open')), url: pageUrl(options.publicUrl, incident.id) }]),
    ],
  };
  if (incident.state === 'acknowledged') return [resolve, ...quiet, more];
  const acknowledge = {
    type: 'button',
    action_id: 'inc.ack',
    style: 'primary',
    text: plain('Acknowledge', MAX_LABEL),
    value: value('ack'),
  };
  return [acknowledge, resolve, ...quiet, more];
}

/** "TTFT p99 was 11.8s at 03:12 UTC (SLO 2s). 3 of 3 alerts still fire. …": what makes a hasty thumb think again. */
function liveFact(view: IncidentView, options: SlackButtonsOptions): string {
  const closes = 'Resolving closes card and pager';
  if (view.firingCount === 0) return `None of its alerts fires any more. ${closes}.`;
  const diagnosis = presentDiagnosis(view);
  const symptom = symptomOf(view, diagnosis);
  const objective = objectiveOf(symptom, options.slo);
  // The text is fixed when the card is drawn, so it says of when it is.
  const when = diagnosis === null ? '' : ` at ${clockTime(diagnosis.finishedAtMs)}`;
  const limit = objective === null ? '' : ` (SLO ${objective})`;
  const measured = symptom.value === null ? [] : [`${symptom.label} was ${symptom.value}${when}${limit}.`];
  const alerts =
    view.alertCount === 1
      ? 'Its alert still fires.'
      : `${view.firingCount} of ${view.alertCount} alerts still fire.`;
  const again = view.incident.severity === 'critical' ? 'it reopens and pages' : 'it reopens';
  return [...measured, alerts, `${closes}; ${again} when an alert fires anew.`].join(' ');
}

/**
 * Names what would be quiet and what would not. The text is fixed when the card is drawn, so it holds no end time.
 * Null where nothing can be silenced from here: not placed in the configured Alertmanager, or quiet already.
 */
function silenceQuestion({ incident, alerts, firingCount }: IncidentView, options: SlackButtonsOptions) {
  const here = incident.kind === 'problem' && incident.source === (options.silenceSource ?? null);
  const firing = alerts.filter(({ status }) => status === 'firing');
  if (!here || incident.silence !== null || firing.length === 0) return null;
  // A view holds 50 alerts: what is not named may not be silenced by a thumb.
  if (firing.length < firingCount) return null;
  const lists = silenceMatchers(firing.map(({ labels }) => labels));
  const names = lists.map((matchers) => matchers.find(({ name }) => name === 'alertname')?.value ?? '');
  const [first = []] = lists;
  const shared = first.filter(
    ({ name, value }) =>
      name !== 'alertname' &&
      lists.every((list) => list.some((one) => one.name === name && one.value === value)),
  );
  const where = shared.map(({ name, value }) => `${name}=${value}`).join(', ');
  const what = cut(clean(`${names.join(', ')} where ${where}`), MAX_CONFIRM - 60);
  return `Silences ${what}, for 1 hour from now. Other alerts still page.`;
}

function plain(text: string, max: number) {
  return { type: 'plain_text', text: cut(clean(text), max) } as const;
}

function option(text: string, value: string) {
  return { text: plain(text, 75), value };
}

function pageUrl(publicUrl: string, incidentId: number): string {
  return `${publicUrl.replace(/\/+$/, '')}/i/${incidentId}`;
}
