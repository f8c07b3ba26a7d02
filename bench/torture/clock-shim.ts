/** A wall clock for one process that can be stepped while it runs, by clock-shim.c. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileShim } from './compile-shim.js';

export type SteppedClock = {
  /** For the process. */
  readonly env: Readonly<Record<string, string>>;
  /** The wall clock shows this much more (or less) than the machine's from now on. */
  readonly stepTo: (offsetSeconds: number) => void;
};

/** Compiles the shim into `directory`, with the clock not stepped yet. */
export function createSteppedClock(directory: string): SteppedClock {
  const file = join(directory, 'clock-offset');
  const stepTo = (offsetSeconds: number) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(offsetSeconds));
    // In place: the process has the file mapped.
    writeFileSync(file, bytes, { flag: 'r+' });
  };
  writeFileSync(file, Buffer.alloc(8));
  const library = compileShim('clock-shim.c', directory);
  return { env: { LD_PRELOAD: library, CLOCK_OFFSET_FILE: file }, stepTo };
}
