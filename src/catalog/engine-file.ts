/** Engine files: which PromQL answers a signal for one kind of server. YAML that an operator reads and extends. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Document, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { closestName } from './closest-name.js';
import { SIGNALS } from './signals.js';

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const Metric = z.string().regex(METRIC_NAME, 'expected a metric name');
const Label = z.string().regex(LABEL_NAME, 'expected a label name');

/** What an expression may leave open; see the head of an engine file. */
export const PLACEHOLDERS = ['selector', 'place', 'worker', 'by', 'window', 'hour', 'pods'] as const;

const SignalSource = z.strictObject({
  /** PromQL with placeholders; absent when unavailable. */
  expr: z.string().optional(),
  status: z.enum(['exact', 'proxy', 'opt_in', 'inferred', 'unavailable']),
  /** The answer is multiplied by it, where the engine's unit is not the catalog's. */
  scale: z.number().positive().default(1),
  /** Series that the expression cannot do without, the telling one first; asked about when it answers nothing. */
  metrics: z.array(Metric).default([]),
  /** Names that the first of them has or had elsewhere: older versions, other exporters of the same engine. */
  was: z.array(Metric).default([]),
  /** Without requests there is nothing to measure: an answer of nothing or NaN is then no traffic, no fault. */
  needs_traffic: z.boolean().default(false),
  makes_it_lie: z.string().optional(),
  /** Why an unavailable signal is. */
  why: z.string().optional(),
  /** Where upstream says so, with its version. */
  source: z.string(),
});
export type SignalSource = z.infer<typeof SignalSource>;

const EngineFile = z.strictObject({
  engine: z.string().regex(/^[a-z][a-z0-9_-]*$/, 'expected lower-case letters, digits, - and _'),
  title: z.string(),
  /**
   * engine: serves tokens, and several in a scope are a mixed fleet. gateway: stands in front and sees all requests.
   * companion: an exporter beside the engines (GPUs, Kubernetes), whose series are found by the pods that serve.
   */
  role: z.enum(['engine', 'gateway', 'companion']).default('engine'),
  /** A metric that the engine always exports. */
  probe: Metric,
  /** Series by which the pods that serve are known; the probe's where absent. A gateway serves nothing without it. */
  pods: Metric.optional(),
  /** Scope label → the label this engine's series carry. */
  labels: z.record(Label, Label),
  /** Scope labels that a companion's series lack: its expressions join the pods that serve the scope, $pods. */
  by_pods: z.array(Label).default([]),
  /** Labels that name a worker, best first. */
  worker: z.array(Label).min(1),
  /** Label that holds the rank within a worker. */
  rank: Label.optional(),
  signals: z.record(z.string(), SignalSource),
});
export type EngineFile = z.infer<typeof EngineFile>;

export type EngineFault = { readonly file: string; readonly line: number; readonly message: string };

/** Where the engine files that come with the product are, beside this file in src and in dist. */
export function builtInEnginesDirectory(): string {
  return fileURLToPath(new URL('./engines/', import.meta.url));
}

/**
 * Reads every `.yaml` of a directory. Throws one Error that lists all faults of all files, each with file and line.
 * Engines come first, then what fills their gaps: companions, gateways, and last `llm`.
 */
export function loadEngineFiles(directory: string): EngineFile[] {
  const names = readdirSync(directory).filter((file) => /\.ya?ml$/.test(file));
  const read = names.sort().map((name) => {
    const file = join(directory, name);
    return readEngineFile(file, readFileSync(file, 'utf8'));
  });
  const faults = read.flatMap((one) => (one.kind === 'faulty' ? one.faults : []));
  if (faults.length > 0)
    throw new Error(faults.map((fault) => `${fault.file}:${fault.line}: ${fault.message}`).join('\n'));
  const engines = read.flatMap((one) => (one.kind === 'ok' ? [one.engine] : []));
  return engines.sort((a, b) => order(a) - order(b));
}

/** Engines know most of their workers, a gateway fills what they lack, the canonical names whatever is left. */
function order({ engine, role }: EngineFile): number {
  return engine === 'llm' ? 3 : { engine: 0, companion: 1, gateway: 2 }[role];
}

/** One file's text as an engine, or everything that is wrong with it. */
export function readEngineFile(
  file: string,
  text: string,
): { kind: 'ok'; engine: EngineFile } | { kind: 'faulty'; faults: EngineFault[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    const faults = document.errors.map((error) => ({
      file,
      line: lines.linePos(error.pos[0]).line,
      message: error.message,
    }));
    return { kind: 'faulty', faults };
  }
  const parsed = EngineFile.safeParse(document.toJS({ maxAliasCount: 10 }));
  const found = parsed.success ? signalFaults(parsed.data) : schemaFaults(parsed.error);
  if (found.length === 0 && parsed.success) return { kind: 'ok', engine: parsed.data };
  const faults = found.map(({ path, message }) => ({ file, line: lineOf(document, lines, path), message }));
  return { kind: 'faulty', faults };
}

type PathFault = { readonly path: readonly PropertyKey[]; readonly message: string };

const SIGNAL_FIELDS = Object.keys(SignalSource.shape);
const ENGINE_FIELDS = Object.keys(EngineFile.shape);

function schemaFaults(error: z.ZodError): PathFault[] {
  return error.issues.flatMap((issue): PathFault[] => {
    const where = issue.path.length === 0 ? '' : `${issue.path.map(String).join('.')}: `;
    if (issue.code !== 'unrecognized_keys')
      return [{ path: issue.path, message: `${where}${issue.message}` }];
    const known = issue.path.length === 0 ? ENGINE_FIELDS : SIGNAL_FIELDS;
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      message: `${where}unknown field "${key}"${suggestion(key, known)}`,
    }));
  });
}

/** What the shape alone does not say. */
function signalFaults(engine: EngineFile): PathFault[] {
  const known = SIGNALS.map((signal) => signal.name);
  return Object.entries(engine.signals).flatMap(([name, source]) => {
    const faults: PathFault[] = [];
    const fault = (message: string, field?: string) =>
      faults.push({
        path: field === undefined ? ['signals', name] : ['signals', name, field],
        message: `signals.${name}: ${message}`,
      });
    if (!known.includes(name)) fault(`no signal of the catalog has this name${suggestion(name, known)}`);
    if (source.status === 'unavailable') {
      if (source.why === undefined) fault('an unavailable signal needs a "why"');
      if (source.expr !== undefined) fault('an unavailable signal has no expr', 'expr');
      return faults;
    }
    if (source.expr === undefined) fault('"expr" is missing');
    if (source.metrics.length === 0)
      fault('"metrics" is missing: the names to look up when it answers nothing');
    for (const [, placeholder = ''] of source.expr?.matchAll(/\$([a-z_]+)/g) ?? []) {
      if (!PLACEHOLDERS.some((one) => one === placeholder))
        fault(`unknown placeholder $${placeholder}${suggestion(placeholder, PLACEHOLDERS)}`, 'expr');
    }
    // Without it the question would be about every scope of the Prometheus.
    if (source.expr !== undefined && !source.expr.includes('$selector'))
      fault('expr has no $selector: it would not be limited to the scope', 'expr');
    if (engine.by_pods.length > 0 && source.expr !== undefined && !source.expr.includes('$pods'))
      fault('expr has no $pods: the scope labels of by_pods would not limit it', 'expr');
    return faults;
  });
}

function suggestion(name: string, known: readonly string[]): string {
  const closest = closestName(name, known);
  return closest === null ? `; known: ${known.join(', ')}` : `; did you mean "${closest}"?`;
}

/** The line of the node at a path, or of the nearest node above it that exists. */
function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length--) {
    const node: unknown = document.getIn(path.slice(0, length), true);
    if (typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range))
      return lines.linePos(Number(node.range[0])).line;
  }
  return 1;
}
