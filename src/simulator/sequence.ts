/** A request while a worker holds it: how far its prompt is computed, what came out, and the cache it occupies. */

import type { PrefixEntry } from './kv-pool.js';
import type { ServedRequest } from './served-request.js';

export type Sequence = {
  readonly request: ServedRequest;
  state: 'waiting' | 'prefilling' | 'decoding' | 'over';
  /** Tokens that came out; while it decodes, up to when it joined the decode set. */
  generated: number;
  /** Tokens to generate; cut short when the fleet sheds load. */
  outputTokens: number;
  /** Tokens to compute before the next token comes out: the prompt, plus what a preemption threw away. */
  prefillTarget: number;
  prefilled: number;
  /** Blocks of its own; while it decodes, up to when it joined the decode set. */
  blocks: number;
  /** The cached prefix it holds besides. */
  prefix: PrefixEntry | null;
  scheduledMs: number | null;
  firstTokenMs: number | null;
  lastTokenMs: number;
  /** Decode steps of its worker when it joined and when its last token is due. */
  startStep: number;
  finishStep: number;
  /** Joined after the last decode step. */
  isFresh: boolean;
  /** Its place in the list of the running. */
  slot: number;
};

export function createSequence(request: ServedRequest, nowMs: number): Sequence {
  return {
    request,
    state: 'waiting',
    generated: 0,
    outputTokens: request.outputTokens,
    prefillTarget: request.promptTokens,
    prefilled: 0,
    blocks: 0,
    prefix: null,
    scheduledMs: null,
    firstTokenMs: null,
    lastTokenMs: nowMs,
    startStep: 0,
    finishStep: 0,
    isFresh: false,
    slot: -1,
  };
}
