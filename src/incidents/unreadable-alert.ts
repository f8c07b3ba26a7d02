/** An alert of our own for what arrived and could not be read: somebody has to look, or it is lost without a trace. */

import { hash } from 'node:crypto';
import { alertKey } from '../alertmanager/alert-key.js';
import type { Alert } from '../domain/alert.js';
import { labelsFrom } from '../domain/labels.js';
import { scopeOf } from '../domain/scope.js';

export const UNREADABLE_ALERT_NAME = 'Unreadable alert payload';

/**
 * A warning (it reaches the team's channel and wakes nobody, since nothing says that it is urgent). The same
 * unreadable text again is the same alert; another one joins the same incident, which is one a sender.
 */
export function unreadableAlert(options: {
  readonly source: string;
  readonly reason: string;
  /** What identifies the unreadable thing: the body, or the entry's text. */
  readonly content: Uint8Array | string;
}): Alert {
  const labels = labelsFrom([
    ['alertname', UNREADABLE_ALERT_NAME],
    ['severity', 'warning'],
    ['sender', options.source],
    ['content_sha256', hash('sha256', options.content)],
  ]);
  return {
    alertKey: alertKey(options.source, labels),
    fingerprint: null,
    name: UNREADABLE_ALERT_NAME,
    status: 'firing',
    labels,
    annotations: labelsFrom([
      ['summary', `A payload of ${options.source} could not be read`],
      ['description', options.reason],
    ]),
    severity: 'warning',
    severityNote: null,
    scope: scopeOf(labels, []),
    startsAtMs: null,
    endsAtMs: null,
    generatorUrl: null,
    expression: null,
  };
}
