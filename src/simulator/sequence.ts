/** A request while a worker holds it: how far its prompt is computed, what came out, and the cache it occupies. */

import type { ServedRequest } from './served-request.js';

export type Sequence = {
  readonly request: ServedRequest;
  generated: number;
  /** Tokens to generate; cut short when the fleet sheds load. */
  outputTokens: number;
  /** Tokens to compute before the next token comes out: the prompt, plus what a preemption threw away. */
  prefillTarget: number;
  prefilled: number;
  blocks: number;
  scheduledMs: number | null;
  firstTokenMs: number | null;
  lastTokenMs: number;
};

export function createSequence(request: ServedRequest, nowMs: number): Sequence {
  return {
    request,
    generated: 0,
    outputTokens: request.outputTokens,
    prefillTarget: request.promptTokens,
    prefilled: 0,
    blocks: 0,
    scheduledMs: null,
    firstTokenMs: null,
    lastTokenMs: nowMs,
  };
}

/** Whether its prompt is computed, so that each iteration yields a token. */
export function isDecoding(sequence: Sequence): boolean {
  return sequence.prefilled >= sequence.prefillTarget;
}

export function isDone(sequence: Sequence): boolean {
  return isDecoding(sequence) && sequence.generated >= sequence.outputTokens;
}
