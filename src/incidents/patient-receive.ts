/** Waits out a lock: somebody's backup or shell holds the database for a moment, and a 503 for that would be noise. */

import { type Clock, SECOND } from '../domain/clock.js';
import { isLocked } from '../store/database-trouble.js';
import type { Intake } from './receive-group.js';

/** A call that is not committed by then is answered 503, and a critical is paged without the database. */
const PATIENCE_MS = 2 * SECOND;

/** Between two tries; each of them blocks the loop for up to 200 ms. */
const PAUSE_MS = 300;
const TRY_MS = 200;

/** `receive` as before, tried again for up to 2 s while the database is locked. */
export function createPatientReceive(receive: Intake['receive'], clock: Clock): Intake['receive'] {
  return async function receivePatiently(input) {
    const deadline = clock.monotonic() + PATIENCE_MS - PAUSE_MS - TRY_MS;
    for (;;) {
      try {
        return await receive(input);
      } catch (error) {
        if (!isLocked(error) || clock.monotonic() >= deadline) throw error;
        await new Promise<void>((resume) => {
          clock.after(PAUSE_MS, resume);
        });
      }
    }
  };
}
