/** Engine files: which PromQL answers a signal for one kind of server. YAML that an operator reads and extends. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { findSignal } from './signals.js';

const SignalSource = z.strictObject({
  /** PromQL with $selector, $worker, $window and $hour; absent when unavailable. */
  expr: z.string().optional(),
  status: z.enum(['exact', 'proxy', 'opt_in', 'inferred', 'unavailable']),
  /** Series that the expression cannot do without; asked about when it answers nothing. */
  metrics: z.array(z.string()).default([]),
  /** Names that the series had in older versions. */
  was: z.array(z.string()).default([]),
  makes_it_lie: z.string().optional(),
  why: z.string().optional(),
  source: z.string().optional(),
});
export type SignalSource = z.infer<typeof SignalSource>;

const EngineFile = z.strictObject({
  engine: z.string().regex(/^[a-z][a-z0-9_-]*$/),
  title: z.string(),
  probe: z.string(),
  /** Scope label → the label this engine's series carry. */
  labels: z.record(z.string(), z.string()),
  /** Labels that name a worker, best first. */
  worker: z.array(z.string()).min(1),
  /** Label that holds the rank within a worker. */
  rank: z.string().optional(),
  signals: z.record(z.string(), SignalSource),
});
export type EngineFile = z.infer<typeof EngineFile>;

export type EngineFault = { readonly file: string; readonly line: number | null; readonly message: string };

/** Where the engine files that come with the product are, beside this file in src and in dist. */
export function builtInEnginesDirectory(): string {
  return fileURLToPath(new URL('./engines/', import.meta.url));
}

/**
 * Reads every `.yaml` of a directory. Throws one Error that lists all faults, each with file and line.
 * Engine-specific files come before `llm`, which fills the gaps.
 */
export function loadEngineFiles(directory: string): EngineFile[] {
  const faults: EngineFault[] = [];
  const engines: EngineFile[] = [];
  for (const name of readdirSync(directory)
    .filter((file) => file.endsWith('.yaml'))
    .sort()) {
    const read = readEngineFile(join(directory, name));
    if (read.kind === 'ok') engines.push(read.engine);
    else faults.push(...read.faults);
  }
  if (faults.length > 0) {
    throw new Error(faults.map((fault) => `${fault.file}:${fault.line ?? 1}: ${fault.message}`).join('\n'));
  }
  return engines.sort((a, b) => Number(a.engine === 'llm') - Number(b.engine === 'llm'));
}

function readEngineFile(
  path: string,
): { kind: 'ok'; engine: EngineFile } | { kind: 'faulty'; faults: EngineFault[] } {
  const lines = new LineCounter();
  const document = parseDocument(readFileSync(path, 'utf8'), { lineCounter: lines, prettyErrors: false });
  const at = (offset: number | undefined) => (offset === undefined ? null : lines.linePos(offset).line);
  if (document.errors.length > 0) {
    return {
      kind: 'faulty',
      faults: document.errors.map((e) => ({ file: path, line: at(e.pos[0]), message: e.message })),
    };
  }
  const parsed = EngineFile.safeParse(document.toJS({ maxAliasCount: 10 }));
  const lineOf = (keys: readonly PropertyKey[]) => {
    for (let length = keys.length; length > 0; length--) {
      const node = document.getIn(keys.slice(0, length), true);
      if (node !== null && typeof node === 'object' && 'range' in node)
        return at((node.range as [number] | undefined)?.[0]);
    }
    return null;
  };
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => ({
      file: path,
      line: lineOf(issue.path),
      message: `${issue.path.map(String).join('.')}: ${issue.message}`,
    }));
    return { kind: 'faulty', faults };
  }
  const faults: EngineFault[] = [];
  for (const [name, source] of Object.entries(parsed.data.signals)) {
    const fault = (message: string) =>
      faults.push({ file: path, line: lineOf(['signals', name]), message: `signals.${name}: ${message}` });
    if (findSignal(name) === undefined) fault('no signal of the catalog has this name');
    if (source.status === 'unavailable' && source.why === undefined) fault('unavailable needs a why');
    if (source.status !== 'unavailable' && (source.expr === undefined || source.metrics.length === 0))
      fault('needs expr and metrics');
  }
  return faults.length > 0 ? { kind: 'faulty', faults } : { kind: 'ok', engine: parsed.data };
}
