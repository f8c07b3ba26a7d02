/** Every signal of every served scope: a value, or why there is none; and which playbook steps are blind by it. */

import type { EngineFile } from '../catalog/engine-file.js';
import { formatValue } from '../catalog/format-value.js';
import { findSignal, SIGNALS } from '../catalog/signals.js';
import type { MetricsSource } from '../domain/metrics-source.js';
import type { Scope } from '../domain/scope.js';
import type { SignalReading } from '../domain/signal.js';
import type { PlaybookEntry } from '../playbook/schema.js';

export type ExaminedSignal = {
  readonly signal: string;
  /** `quiet`: well, but there is no traffic to measure. `none`: nothing here exports it, and that is known. */
  readonly state: 'value' | 'quiet' | 'none' | 'blind';
  /** Who answered, or was asked. */
  readonly engine: string | null;
  readonly says: string;
};

export type BlindStep = {
  readonly entry: string;
  readonly step: string;
  readonly signal: string;
  readonly why: string;
};

/** Reads all of them side by side; equal questions are asked once by the source. */
export function examineSignals(
  source: MetricsSource,
  scope: Scope,
  options: { readonly atMs: number; readonly engines: readonly EngineFile[] },
): Promise<ExaminedSignal[]> {
  return Promise.all(
    SIGNALS.map(async ({ name }) => {
      const reading = await source.readSignal(name, scope, { atMs: options.atMs });
      return examined(name, reading, options.engines);
    }),
  );
}

function examined(signal: string, reading: SignalReading, engines: readonly EngineFile[]): ExaminedSignal {
  const { engine } = reading;
  if (reading.kind === 'value') {
    const warned = reading.warnings === undefined ? '' : ` (${reading.warnings.join('; ')})`;
    return { signal, state: 'value', engine, says: `${valueText(signal, reading)}${warned}` };
  }
  if (reading.kind === 'empty' && reading.reason === 'no_traffic')
    return { signal, state: 'quiet', engine, says: reading.detail };
  if (reading.kind === 'empty' && reading.reason === 'unavailable')
    return { signal, state: 'none', engine, says: reading.detail };
  const flag = flagFor(signal, engine, engines);
  const says = reading.kind === 'stale' ? `stale: ${reading.detail}` : reading.detail;
  return { signal, state: 'blind', engine, says: flag === null ? says : `${says}; ${flag}` };
}

/** What an engine has to be started with before it exports the signal. */
function flagFor(signal: string, engine: string | null, engines: readonly EngineFile[]): string | null {
  const source = engines.find((one) => one.engine === engine)?.signals[signal];
  return source?.status === 'opt_in' ? (source.makes_it_lie ?? null) : null;
}

function valueText(signal: string, { samples }: Extract<SignalReading, { kind: 'value' }>): string {
  const unit = findSignal(signal)?.unit ?? 'count';
  const values = samples.map(({ value }) => value).filter((value) => !Number.isNaN(value));
  if (values.length === 0) return 'NaN';
  const low = formatValue(Math.min(...values), unit);
  const high = formatValue(Math.max(...values), unit);
  const range = low === high ? low : `${low} to ${high}`;
  if (!samples.some(({ worker }) => worker !== null)) return range;
  return `${range} on ${samples.length} ${samples.length === 1 ? 'worker' : 'workers'}`;
}

/** Steps that would be unknown for the signals of one scope: `none` counts, since the step cannot see either. */
export function blindSteps(
  entries: readonly PlaybookEntry[],
  signals: readonly ExaminedSignal[],
): BlindStep[] {
  const unseen = new Map(
    signals.filter(({ state }) => state === 'blind' || state === 'none').map((one) => [one.signal, one.says]),
  );
  return entries.flatMap((entry) =>
    entry.steps.flatMap((step): BlindStep[] => {
      const read = step.read.kind === 'signal' ? [step.read] : [];
      const needed = read.flatMap(({ signal, per }) => [signal, ...(per === null ? [] : [per])]);
      const missing = needed.find((signal) => unseen.has(signal));
      return missing === undefined
        ? []
        : [{ entry: entry.id, step: step.title, signal: missing, why: unseen.get(missing) ?? '' }];
    }),
  );
}
