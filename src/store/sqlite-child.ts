/**
 * Long work on a database file in a process of its own: SQLite blocks whoever calls it, and a process can be ended
 * where a thread cannot. It opens the file read-only beside the running service.
 */

import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { constants, setPriority } from 'node:os';
import { execPath } from 'node:process';

export type ChildTask =
  /** Reads every page; answers `ok` or the first fault. */
  | { readonly kind: 'quick_check'; readonly file: string }
  /** Writes a copy as of now to `target`, checks it, and syncs it; answers `ok` or the first fault of the copy. */
  | { readonly kind: 'copy'; readonly file: string; readonly target: string };

/** Plain JavaScript, because it runs from source and from a build alike. Reads its task on stdin. */
const SCRIPT = `
const fs = require('node:fs');
const { driver, task } = JSON.parse(fs.readFileSync(0, 'utf8'));
const Sqlite = require(driver);
const open = (file) => new Sqlite(file, { readonly: true, fileMustExist: true, timeout: 5000 });
const answer = (db, pragma) => { const [row] = db.pragma(pragma); db.close(); return Object.values(row)[0]; };
let text;
if (task.kind === 'quick_check') text = answer(open(task.file), 'quick_check(1)');
else {
  const db = open(task.file);
  db.prepare('vacuum into ?').run(task.target);
  db.close();
  text = answer(open(task.target), 'integrity_check(1)');
  const fd = fs.openSync(task.target, 'r+');
  fs.fchmodSync(fd, 0o600);
  fs.fsyncSync(fd);
  fs.closeSync(fd);
}
fs.writeSync(1, text);
`;

/**
 * Resolves with the answer of the task. Rejects when it could not be carried out, took longer than `timeoutMs`, or
 * `signal` fired; the process is dead by then.
 */
export function runInChild(
  task: ChildTask,
  options: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
): Promise<string> {
  return new Promise((resolve, reject) => {
    // No environment: it holds secrets, and the script needs none of it.
    const child = spawn(execPath, ['-e', SCRIPT], {
      env: {},
      timeout: options.timeoutMs,
      killSignal: 'SIGKILL',
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    let failure: Error | null = null;
    child.once('error', (error) => {
      failure = error;
      if (child.pid === undefined) reject(error);
    });
    child.once('close', (code, signal) => {
      if (code === 0) resolve(Buffer.concat(out).toString('utf8'));
      else reject(failure ?? new Error(reasonOf(code, signal, Buffer.concat(err).toString('utf8'))));
    });
    child.stdin.on('error', () => {});
    child.stdin.end(
      JSON.stringify({ driver: createRequire(import.meta.url).resolve('better-sqlite3'), task }),
    );
    lowerPriority(child.pid);
  });
}

/** Alerts come first on a machine with few cores. */
function lowerPriority(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It may have ended already, or the system may not allow it: then it runs as it is.
  }
}

function reasonOf(code: number | null, signal: NodeJS.Signals | null, stderr: string): string {
  if (code === null) return `the child process was ended by ${String(signal)}`;
  const thrown = /^\w*Error: .*$/m.exec(stderr)?.[0];
  return thrown ?? `the child process ended with ${code}: ${stderr.slice(-500)}`;
}
