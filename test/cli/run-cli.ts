/** Runs a command line inside the test's process with an environment of its own. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { runCommand } from '../../src/cli/program.js';

export type CliResult = { readonly status: number; readonly stdout: string; readonly stderr: string };

/** A directory that is removed when the test ends. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'wakewell-cli-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A configuration file for `WAKEWELL_CONFIG`. */
export function configFile(yaml: string): string {
  const file = join(temporaryDirectory(), 'wakewell.yaml');
  writeFileSync(file, yaml);
  return file;
}

/** Only the given variables are set; without WAKEWELL_CONFIG an empty file is used. */
export async function runCli(args: readonly string[], env: Record<string, string> = {}): Promise<CliResult> {
  const out: string[] = [];
  const err: string[] = [];
  const before = process.env;
  process.env = { PATH: before.PATH ?? '', USER: 'mia', WAKEWELL_CONFIG: configFile(''), ...env };
  const write = (chunk: unknown) => {
    out.push(String(chunk));
    return true;
  };
  const error = (chunk: unknown) => {
    err.push(String(chunk));
    return true;
  };
  const spies = [
    vi.spyOn(console, 'log').mockImplementation((...parts: unknown[]) => void write(`${parts.join(' ')}\n`)),
    vi
      .spyOn(console, 'error')
      .mockImplementation((...parts: unknown[]) => void error(`${parts.join(' ')}\n`)),
    vi.spyOn(process.stdout, 'write').mockImplementation(write as typeof process.stdout.write),
    vi.spyOn(process.stderr, 'write').mockImplementation(error as typeof process.stderr.write),
  ];
  try {
    const status = await runCommand(args);
    return { status, stdout: out.join(''), stderr: err.join('') };
  } finally {
    for (const spy of spies) spy.mockRestore();
    process.env = before;
  }
}
