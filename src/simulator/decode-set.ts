/**
 * The requests of one worker that decode, in constant time a step: each step gives every member one token, so a
 * member's tokens, blocks and end follow from the number of steps since it joined. Nothing is walked per token.
 */

import type { Sequence } from './sequence.js';

export type DecodeSet = {
  readonly size: () => number;
  /** Tokens that all members together hold in the cache. */
  readonly contextTokens: () => number;
  readonly join: (sequence: Sequence, nowMs: number) => void;
  /** Takes it out, with `generated`, `blocks` and `lastTokenMs` up to date. */
  readonly leave: (sequence: Sequence) => void;
  /** Blocks that the next step takes; `reserve` says they are taken. */
  readonly blocksNeeded: () => number;
  readonly reserve: () => void;
  /** The step is over: calls `gap` with ms and members by class, and returns those whose last token came out. */
  readonly step: (nowMs: number) => readonly Sequence[];
  /** Another end for a member. */
  readonly endAfter: (sequence: Sequence, outputTokens: number) => void;
  readonly generated: (sequence: Sequence) => number;
  readonly lastStepMs: () => number;
  readonly clear: () => void;
};

const NONE: readonly Sequence[] = [];

export function createDecodeSet(
  blockSize: number,
  gap: (ms: number, byClass: readonly number[]) => void,
): DecodeSet {
  let size = 0;
  let contextTokens = 0;
  let steps = 0;
  let isReserved = false;
  let lastStepMs = 0;
  /** Members by the remainder of the step at which they need their next block. */
  const growth = new Int32Array(blockSize);
  const endings = new Map<number, Sequence[]>();
  let fresh: Sequence[] = [];
  /** Members by class, without the fresh. */
  const byClass: number[] = [];
  const single: number[] = [];

  const phaseOf = (sequence: Sequence) =>
    (((sequence.startStep - sequence.prefillTarget) % blockSize) + blockSize) % blockSize;

  function endAt(sequence: Sequence, step: number): void {
    sequence.finishStep = step;
    const known = endings.get(step);
    if (known === undefined) endings.set(step, [sequence]);
    // Listed already when it was evicted and is back in time: twice it would end twice.
    else if (!known.includes(sequence)) known.push(sequence);
  }

  function add(counts: number[], index: number, change: number): void {
    while (counts.length <= index) counts.push(0);
    counts[index] = (counts[index] as number) + change;
  }

  return {
    size: () => size,
    contextTokens: () => contextTokens,
    join(sequence, nowMs) {
      sequence.state = 'decoding';
      sequence.startStep = steps;
      sequence.lastTokenMs = nowMs;
      sequence.isFresh = true;
      fresh.push(sequence);
      size += 1;
      contextTokens += sequence.prefillTarget;
      const phase = phaseOf(sequence);
      growth[phase] = (growth[phase] as number) + 1;
      endAt(sequence, steps + Math.max(1, sequence.outputTokens - sequence.generated));
    },
    leave(sequence) {
      const taken = steps - sequence.startStep;
      const context = sequence.prefillTarget + taken;
      const phase = phaseOf(sequence);
      growth[phase] = (growth[phase] as number) - 1;
      size -= 1;
      contextTokens -= context;
      if (sequence.isFresh) {
        fresh = fresh.filter((other) => other !== sequence);
        sequence.isFresh = false;
      } else {
        add(byClass, sequence.request.classIndex, -1);
        sequence.lastTokenMs = lastStepMs;
      }
      sequence.generated += taken;
      const held = context + (isReserved ? 1 : 0);
      sequence.blocks = Math.ceil(held / blockSize) - (sequence.prefix?.blocks ?? 0);
      // A later preemption and return must not count these tokens again.
      sequence.startStep = steps;
    },
    blocksNeeded: () => growth[steps % blockSize] as number,
    reserve() {
      isReserved = size > 0;
    },
    step(nowMs) {
      steps += 1;
      isReserved = false;
      contextTokens += size;
      if (size > fresh.length) gap(nowMs - lastStepMs, byClass);
      for (const sequence of fresh) {
        const index = sequence.request.classIndex;
        add(single, index, 1);
        gap(nowMs - sequence.lastTokenMs, single);
        single[index] = 0;
        add(byClass, index, 1);
        sequence.isFresh = false;
      }
      if (fresh.length > 0) fresh = [];
      lastStepMs = nowMs;
      const due = endings.get(steps);
      if (due === undefined) return NONE;
      endings.delete(steps);
      return due.filter(({ state, finishStep }) => state === 'decoding' && finishStep === steps);
    },
    endAfter(sequence, outputTokens) {
      sequence.outputTokens = outputTokens;
      endAt(sequence, Math.max(steps + 1, sequence.startStep + outputTokens - sequence.generated));
    },
    generated: (sequence) => sequence.generated + (steps - sequence.startStep),
    lastStepMs: () => lastStepMs,
    clear() {
      size = 0;
      contextTokens = 0;
      isReserved = false;
      growth.fill(0);
      endings.clear();
      fresh = [];
      byClass.fill(0);
    },
  };
}
