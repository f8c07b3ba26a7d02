/** Waits for a promise no longer than a signal allows. */

/** The outcome, or `late()` once the signal fires; a rejection becomes `failed(error)`. Never rejects. */
export function untilAborted<T>(
  ask: () => Promise<T>,
  signal: AbortSignal | undefined,
  late: () => T,
  failed: (error: unknown) => T,
): Promise<T> {
  return new Promise<T>((resolve) => {
    const stop = () => done(late());
    const done = (value: T) => {
      signal?.removeEventListener('abort', stop);
      resolve(value);
    };
    if (signal?.aborted === true) {
      done(late());
      return;
    }
    signal?.addEventListener('abort', stop, { once: true });
    // Inside a promise, so that a source that throws at once is no different from one that rejects.
    Promise.resolve()
      .then(ask)
      .then(done, (error: unknown) => done(failed(error)));
  });
}
