import type { Sequence } from './sequence.js';

export type RunningList = {
  readonly size: () => number;
  readonly add: (sequence: Sequence) => void;
  readonly remove: (sequence: Sequence) => void;
  /** The one admitted last. */
  readonly youngest: () => Sequence | undefined;
  /** In order of admission. */
  readonly all: () => Sequence[];
  readonly clear: () => void;
};

/** The running batch in order of admission; joining and leaving cost no search. */
export function createRunningList(): RunningList {
  let slots: (Sequence | null)[] = [];
  let size = 0;

  function compact(): void {
    slots = slots.filter((sequence) => sequence !== null);
    for (let slot = 0; slot < slots.length; slot += 1) (slots[slot] as Sequence).slot = slot;
  }

  return {
    size: () => size,
    add(sequence) {
      sequence.slot = slots.length;
      slots.push(sequence);
      size += 1;
    },
    remove(sequence) {
      slots[sequence.slot] = null;
      size -= 1;
      while (slots.length > 0 && slots[slots.length - 1] === null) slots.pop();
      if (slots.length > 64 && size < slots.length / 2) compact();
    },
    youngest: () => slots[slots.length - 1] ?? undefined,
    all: () => slots.filter((sequence) => sequence !== null),
    clear() {
      slots = [];
      size = 0;
    },
  };
}
