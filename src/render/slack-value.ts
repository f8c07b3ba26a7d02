/** What a button of the card carries: which incident, and what its reader saw of it. Written by the card, read by `slack`. */

import { SEVERITIES, type Severity } from '../domain/severity.js';

export const SLACK_ACTS = [
  'ack',
  'resolve',
  'silence1h',
  'silence4h',
  'rerun',
  'note',
  'noise',
  'open',
] as const;
export type SlackAct = (typeof SLACK_ACTS)[number];

export type SlackValue = {
  readonly act: SlackAct;
  readonly incidentId: number;
  readonly episodeId: number;
  readonly revision: number;
  readonly severity: Severity;
};

/** `ack.412.7.3.critical`: at most 75 characters, which is what an option of a menu may carry. */
export function writeSlackValue(value: SlackValue): string {
  const { act, incidentId, episodeId, revision, severity } = value;
  return [act, incidentId, episodeId, revision, severity].join('.');
}

/** The reverse; null for anything that a card of ours does not say. */
export function readSlackValue(text: string): SlackValue | null {
  const [, act, incident, episode, revision, severity] =
    /^([a-z\d]+)\.(\d{1,15})\.(\d{1,15})\.(\d{1,15})\.([a-z]+)$/.exec(text) ?? [];
  const knownAct = SLACK_ACTS.find((one) => one === act);
  const knownSeverity = SEVERITIES.find((one) => one === severity);
  if (knownAct === undefined || knownSeverity === undefined) return null;
  return {
    act: knownAct,
    incidentId: Number(incident),
    episodeId: Number(episode),
    revision: Number(revision),
    severity: knownSeverity,
  };
}
