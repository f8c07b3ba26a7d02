/** A value that never prints itself: whoever needs it asks for it by name, and a log, error or dump shows `[secret]`. */

import { inspect } from 'node:util';

const SHOWN = '[secret]';

export type Secret = {
  /** The value. Call it where it is sent, keep the Secret everywhere else. */
  readonly reveal: () => string;
  readonly toString: () => string;
  readonly toJSON: () => string;
};

/** Wraps a value. The closure keeps it out of every enumeration, whichever way the object is printed. */
export function createSecret(value: string): Secret {
  return Object.freeze({
    reveal: () => value,
    toString: () => SHOWN,
    toJSON: () => SHOWN,
    [inspect.custom]: () => SHOWN,
  });
}
