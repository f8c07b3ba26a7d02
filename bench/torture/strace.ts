/**
 * System calls counted, and faults planted at the n-th of them, by strace. It runs as a grandchild (-D), so that the
 * process that was spawned is the service itself. Ordinals count by thread; SQLite and the sockets are the main one's.
 */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Where a crash can fall between two states: syncs and writes of files, sends, and what names files. */
export const POINT_CALLS = [
  'fsync',
  'fdatasync',
  'pwrite64',
  'write',
  'writev',
  'sendto',
  'sendmsg',
  'rename',
  'unlink',
  'ftruncate',
] as const;
export type PointCall = (typeof POINT_CALLS)[number];

/** What happens at a call: the process is killed before it, the call fails, or it takes its time. */
export type Injection = {
  readonly calls: readonly string[];
  /** `5`, or `5+` for every one from the fifth on, or `5..9`. */
  readonly when: string;
  readonly what: 'signal=KILL' | `error=${'EIO' | 'ENOSPC' | 'EROFS' | 'EDQUOT'}` | `delay_enter=${number}`;
  /** Only calls on these files; all when absent. */
  readonly paths?: readonly string[];
};

export type Wrap = (command: readonly string[]) => readonly string[];

export function hasStrace(): boolean {
  try {
    execFileSync('strace', ['-V'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Plants one fault. */
export function injecting({ calls, when, what, paths = [] }: Injection): Wrap {
  const only = paths.flatMap((path) => ['-P', path]);
  const inject = ['-e', `inject=${calls.join(',')}:${what}:when=${when}`];
  return (command) => ['strace', '-D', '-f', '-qq', '-o', '/dev/null', ...only, ...inject, ...command];
}

/** Writes every point call of every thread to `file`. */
export function counting(file: string): Wrap {
  const trace = ['-e', `trace=${POINT_CALLS.join(',')}`];
  return (command) => ['strace', '-D', '-f', '-qq', '--seccomp-bpf', '-o', file, ...trace, ...command];
}

/** How often the main thread made each call. */
export function countCalls(file: string, mainThread: number): ReadonlyMap<PointCall, number> {
  const counts = new Map<PointCall, number>();
  for (const [, thread, call] of readFileSync(file, 'utf8').matchAll(/^(\d+) +(\w+)\(/gm)) {
    const known = POINT_CALLS.find((one) => one === call);
    if (known !== undefined && Number(thread) === mainThread) counts.set(known, (counts.get(known) ?? 0) + 1);
  }
  return counts;
}
