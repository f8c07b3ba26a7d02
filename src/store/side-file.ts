/**
 * The small file beside a database that remembers which one belongs there, and how far it had come. It is replaced
 * in one step and synced, so that it never claims more than what the database has on disk.
 */

import {
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { filesOf } from './database-files.js';

const Remembered = z.object({
  uuid: z.string().min(1),
  generation: z.number().int().nonnegative(),
  /** `closed`: everything is in the main file and there need not be a write-ahead log. */
  state: z.enum(['open', 'closed']),
});
export type Remembered = z.output<typeof Remembered>;

/** What is remembered of the database that belongs at `file`; null when nothing is. */
export function readSideFile(file: string): Remembered | 'unreadable' | null {
  const path = filesOf(file).identity;
  if (!existsSync(path)) return null;
  try {
    return Remembered.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return 'unreadable';
  }
}

export function writeSideFile(file: string, remembered: Remembered): void {
  const path = filesOf(file).identity;
  const descriptor = openSync(temporary(path), 'w', 0o600);
  try {
    writeSync(descriptor, textOf(remembered));
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary(path), path);
  const directory = openSync(dirname(path), constants.O_RDONLY);
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** The same beside a running service, which must not wait for the disk. */
export async function updateSideFile(file: string, remembered: Remembered): Promise<void> {
  const path = filesOf(file).identity;
  const written = await open(temporary(path), 'w', 0o600);
  try {
    await written.writeFile(textOf(remembered));
    await written.sync();
  } finally {
    await written.close();
  }
  await rename(temporary(path), path);
  const directory = await open(dirname(path), constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function textOf({ uuid, generation, state }: Remembered): string {
  return `${JSON.stringify({ uuid, generation, state })}\n`;
}

function temporary(path: string): string {
  return `${path}.tmp`;
}
