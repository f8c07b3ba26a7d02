/** One point in time that many waits share. Nothing waits past it, whatever the outside does. */

import { setMaxListeners } from 'node:events';
import type { Clock } from '../domain/clock.js';

export type Deadline = {
  /** Fires when the time is up, so that whoever can stop, does. */
  readonly signal: AbortSignal;
  readonly isOver: () => boolean;
  /** The promise's outcome, or `late()` when the time is up first. A rejection becomes `failed(error)`. Never rejects. */
  readonly wait: <T>(promise: Promise<T>, late: () => T, failed: (error: unknown) => T) => Promise<T>;
  /** Frees the timer. Waits that are under way end as late. */
  readonly end: () => void;
};

/** `outer` ends it early. */
export function startDeadline(clock: Clock, ms: number, outer?: AbortSignal): Deadline {
  const controller = new AbortController();
  // Every read of a diagnosis listens to it; that is no leak.
  setMaxListeners(0, controller.signal);
  const waiting = new Set<() => void>();
  const end = () => {
    cancel();
    outer?.removeEventListener('abort', end);
    if (!controller.signal.aborted) controller.abort();
    for (const wake of waiting) wake();
    waiting.clear();
  };
  const cancel = clock.after(Math.max(0, ms), end);
  if (outer?.aborted === true) end();
  else outer?.addEventListener('abort', end, { once: true });

  return {
    signal: controller.signal,
    isOver: () => controller.signal.aborted,
    wait<T>(promise: Promise<T>, late: () => T, failed: (error: unknown) => T) {
      return new Promise<T>((resolve) => {
        const wake = () => resolve(late());
        promise.then(
          (value) => {
            waiting.delete(wake);
            resolve(value);
          },
          (error: unknown) => {
            waiting.delete(wake);
            resolve(failed(error));
          },
        );
        if (controller.signal.aborted) {
          // What is there already still counts: an answer beats the deadline by a turn of the loop.
          setImmediate(wake);
        } else waiting.add(wake);
      });
    },
    end,
  };
}
