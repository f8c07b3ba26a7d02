/** Every step of every playbook entry, tried in one scope: it returns data, or says why it does not. */

import type { EngineFile } from '../catalog/engine-file.js';
import type { MetricsSource } from '../domain/metrics-source.js';
import type { Scope } from '../domain/scope.js';
import { fillQuery } from '../playbook/lint-query.js';
import type { PlaybookEntry, PlaybookStep } from '../playbook/schema.js';
import { examineSignals } from './examine-signals.js';

export type ExaminedStep = {
  readonly entry: string;
  readonly step: string;
  /** `none`: nothing in this scope exports it, and that is known. `blind`: it should be seen and is not. */
  readonly state: 'data' | 'none' | 'blind';
  readonly why: string | null;
};

/** Signals are read once each, operators' own expressions once each, side by side. Never throws for what a source does. */
export async function examineSteps(
  source: MetricsSource,
  scope: Scope,
  options: {
    readonly entries: readonly PlaybookEntry[];
    readonly engines: readonly EngineFile[];
    readonly atMs: number;
  },
): Promise<ExaminedStep[]> {
  const signals = new Map(
    (await examineSignals(source, scope, options)).map((one) => [one.signal, one] as const),
  );

  async function examine({ read }: PlaybookStep): Promise<Pick<ExaminedStep, 'state' | 'why'>> {
    if (read.kind === 'signal') {
      const needed = [read.signal, ...(read.per === null ? [] : [read.per])].map((name) => signals.get(name));
      const unseen =
        needed.find((one) => one?.state === 'blind') ?? needed.find((one) => one?.state === 'none');
      return unseen === undefined
        ? { state: 'data', why: null }
        : { state: unseen.state === 'none' ? 'none' : 'blind', why: unseen.says };
    }
    if (read.kind !== 'query') throw new Error(`a step of kind ${read.kind} asks no Prometheus`);
    const filled = fillQuery(read.query, scope);
    if ('missing' in filled)
      return { state: 'blind', why: `its query needs the label ${filled.missing}, which the scope lacks` };
    const reading = await source.query(filled.query, { atMs: options.atMs });
    if (reading.kind === 'value') return { state: 'data', why: null };
    return { state: 'blind', why: reading.detail };
  }

  return Promise.all(
    options.entries.flatMap((entry) =>
      entry.steps
        .filter(asksPrometheus)
        .map(async (step) => ({ entry: entry.id, step: step.title, ...(await examine(step)) })),
    ),
  );
}

/** Logs have their own source, and what a person looks at has none. */
function asksPrometheus({ read }: PlaybookStep): boolean {
  return read.kind === 'signal' || read.kind === 'query';
}
