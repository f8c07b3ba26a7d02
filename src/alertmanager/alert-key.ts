/** Identities that are computed from the payload alone, so that any process, and a redelivery, arrives at the same. */

import { hash } from 'node:crypto';
import { canonicalLabels, type Labels } from '../domain/labels.js';
import type { Scope } from '../domain/scope.js';

/**
 * Identity of an alert: sha256 hex of its source and canonical labels. Alertmanager's own 64-bit fingerprint
 * and `startsAt` are no part of it: the first collides, the second differs between HA peers.
 */
export function alertKey(source: string, labels: Labels): string {
  return hash('sha256', `${source.toWellFormed()}\0${canonicalLabels(labels)}`);
}

/**
 * Key of an episode towards pagers: 64 hex characters (PagerDuty allows 255). `startsAtMs` is the earliest
 * `startsAt` of the alerts that opened the episode, 0 when none has one.
 */
export function dedupKey(episode: {
  readonly source: string;
  readonly alertName: string;
  readonly scope: Scope;
  readonly startsAtMs: number;
}): string {
  const { source, alertName, scope, startsAtMs } = episode;
  const parts = ['v1', source.toWellFormed(), alertName.toWellFormed(), canonicalLabels(scope), startsAtMs];
  return hash('sha256', JSON.stringify(parts));
}
