/** Findings of steps that have no number: not seen, or not applicable. */

import type { Finding, UnseenReason } from '../domain/verdict.js';
import type { PlaybookStep } from '../playbook/schema.js';
import type { Seen, Unseen } from './seen.js';

type Readings = { readonly main: Seen | Unseen; readonly tookMs: number };

/** A step whose thing should have been seen and was not. */
export function blind(step: PlaybookStep, readings: Readings, reason: UnseenReason, says: string): Finding {
  return { ...withoutNumbers(step, readings), status: 'unknown', says, reason };
}

/** A step that does not apply here. */
export function skipped(step: PlaybookStep, readings: Readings, says: string): Finding {
  return {
    ...withoutNumbers(step, readings),
    status: 'skipped',
    says: `Does not apply: ${says}`,
    reason: null,
  };
}

function withoutNumbers(step: PlaybookStep, readings: Readings): Finding {
  return {
    stepId: step.id,
    title: step.title,
    status: 'unknown',
    says: '',
    value: null,
    limit: null,
    spread: null,
    workers: [],
    workerCount: null,
    signal: step.read.kind === 'signal' ? step.read.signal : null,
    engine: readings.main.engine,
    query: readings.main.query,
    trend: [],
    tookMs: readings.tookMs,
    numbers: {},
  };
}
