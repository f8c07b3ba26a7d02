import type { Clock } from '../domain/clock.js';

export type SharedQuestions = {
  /**
   * The answer to `key`: one that is on its way or younger than the time to live, else a new one from `ask`.
   * `ask` is aborted only when everybody who waits has given up; one who gives up gets `givenUp` at once.
   */
  readonly once: <T>(
    key: string,
    options: { readonly signal?: AbortSignal; readonly givenUp: () => T },
    ask: (signal: AbortSignal) => Promise<T>,
  ) => Promise<T>;
};

type Entry = {
  readonly answer: Promise<unknown>;
  readonly abort: AbortController;
  waiting: number;
  answeredAtMs: number | null;
};

/** More different questions than this are not remembered: labels come from outside. */
const MAX_ENTRIES = 2000;

/** Equal questions are asked once: a storm asks the same of the same scope. */
export function createSharedQuestions(clock: Clock, timeToLiveMs: number): SharedQuestions {
  const entries = new Map<string, Entry>();

  function forgetOld(): void {
    const now = clock.monotonic();
    for (const [key, entry] of entries) {
      if (entry.answeredAtMs !== null && now - entry.answeredAtMs > timeToLiveMs) entries.delete(key);
    }
    if (entries.size >= MAX_ENTRIES) entries.clear();
  }

  function start<T>(key: string, ask: (signal: AbortSignal) => Promise<T>): Entry {
    const abort = new AbortController();
    const entry: Entry = { answer: ask(abort.signal), abort, waiting: 0, answeredAtMs: null };
    entries.set(key, entry);
    entry.answer.then(
      () => {
        entry.answeredAtMs = clock.monotonic();
      },
      () => entries.delete(key),
    );
    return entry;
  }

  return {
    async once<T>(
      key: string,
      options: { readonly signal?: AbortSignal; readonly givenUp: () => T },
      ask: (signal: AbortSignal) => Promise<T>,
    ): Promise<T> {
      const { signal } = options;
      if (signal?.aborted === true) return options.givenUp();
      forgetOld();
      const entry = entries.get(key) ?? start(key, ask);
      entry.waiting++;
      const leave = () => {
        entry.waiting--;
        if (entry.waiting > 0 || entry.answeredAtMs !== null) return;
        entries.delete(key);
        entry.abort.abort();
      };
      if (signal === undefined) return (await entry.answer) as T;
      return await new Promise<T>((resolve, reject) => {
        const giveUp = () => {
          leave();
          resolve(options.givenUp());
        };
        signal.addEventListener('abort', giveUp, { once: true });
        (entry.answer as Promise<T>)
          .then(resolve, reject)
          .finally(() => signal.removeEventListener('abort', giveUp));
      });
    },
  };
}
