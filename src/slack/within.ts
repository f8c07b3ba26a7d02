/** A promise to a person who waits: an answer in time, and what was called "not recorded" is not recorded later. */

import type { Clock } from '../domain/clock.js';
import type { Logger } from '../log/logger.js';

export type InTime<T> =
  | { readonly kind: 'done'; readonly result: T }
  /** It failed, or was given up: `why` reads on from "Not recorded: ". */
  | { readonly kind: 'not_done'; readonly why: string };

/**
 * Runs `work` and gives it up after `limitMs` of monotonic time. Work that honours its signal up to its commit
 * leaves nothing behind once it was given up. Never throws.
 */
export async function within<T>(
  deps: { readonly clock: Clock; readonly logger: Logger },
  limitMs: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<InTime<T>> {
  const controller = new AbortController();
  let cancel = () => {};
  const tooLate = new Promise<InTime<T>>((resolve) => {
    cancel = deps.clock.after(limitMs, () => {
      controller.abort();
      resolve({ kind: 'not_done', why: `the database did not answer within ${limitMs / 1000} s` });
    });
  });
  const done = work(controller.signal).then(
    (result): InTime<T> => ({ kind: 'done', result }),
    (error: unknown): InTime<T> => {
      if (!controller.signal.aborted) deps.logger.error({ err: error }, 'a call from Slack failed');
      return { kind: 'not_done', why: 'the database refused it' };
    },
  );
  try {
    return await Promise.race([done, tooLate]);
  } finally {
    cancel();
  }
}
