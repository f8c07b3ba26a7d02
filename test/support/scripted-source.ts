/** A metrics source that answers from a table of readings, and keeps a list of what it was asked. */

import { findSignal } from '../../src/catalog/signals.js';
import type { MetricsSource, ReadOptions } from '../../src/domain/metrics-source.js';
import type { RangeReading, Sample, SampleSeries, SignalReading } from '../../src/domain/signal.js';

/**
 * A number: the scope's value, or the same for all eight workers. A list: one value a worker
 * (`worker-0` …). `byLabel`: one value for each value of the label that splits the signal. `hang`: never
 * answers. An Error is thrown. A reading is given as it is.
 */
export type Script =
  | number
  | readonly number[]
  | { readonly byLabel: Readonly<Record<string, number>> }
  | { readonly byWorker: Readonly<Record<string, number>> }
  | 'hang'
  | Error
  | SignalReading;

export type ScriptedSource = MetricsSource & { readonly asked: readonly string[] };

const ASKED = { engine: 'llm', query: 'scripted' } as const;

/**
 * Signals that the table lacks are empty (`no_series`). Ranges are flat at the present value unless
 * `rising` names the signal: then they come from 0.
 */
export function createScriptedSource(
  table: Readonly<Record<string, Script>>,
  options: {
    readonly workers?: number;
    readonly rising?: readonly string[];
    readonly fallback?: Script;
    readonly query?: Script;
  } = {},
): ScriptedSource {
  const asked: string[] = [];

  async function answer(name: string, script: Script | undefined): Promise<SignalReading> {
    asked.push(name);
    if (script === 'hang') return new Promise<SignalReading>(() => {});
    if (script instanceof Error) throw script;
    if (script === undefined) {
      return { ...ASKED, kind: 'empty', reason: 'no_series', detail: `no series for ${name}` };
    }
    if (typeof script === 'object' && 'kind' in script) return script;
    const signal = name.replace(/^range /, '');
    return { ...ASKED, kind: 'value', samples: samplesOf(signal, script, options.workers ?? 8) };
  }

  const scriptOf = (signal: string) => table[signal] ?? options.fallback;

  return {
    kind: 'simulated',
    asked,
    readSignal: (signal) => answer(signal, scriptOf(signal)),
    query: (expression) => answer(expression, options.query),
    async readRange(signal, _scope, range): Promise<RangeReading> {
      const reading = await answer(`range ${signal}`, scriptOf(signal));
      if (reading.kind !== 'value') return reading;
      const rising = options.rising?.includes(signal) ?? false;
      return {
        ...ASKED,
        kind: 'series',
        series: reading.samples.map((sample) => history(sample, range, rising)),
      };
    },
  };
}

function samplesOf(name: string, script: Script, workers: number): Sample[] {
  const perWorker = findSignal(name)?.level === 'worker';
  if (typeof script === 'number') {
    if (!perWorker) return [sample(null, script)];
    return Array.from({ length: workers }, (_, index) => sample(`worker-${index}`, script));
  }
  if (Array.isArray(script)) return script.map((value: number, index) => sample(`worker-${index}`, value));
  if (typeof script === 'object' && 'byWorker' in script) {
    return Object.entries(script.byWorker).map(([worker, value]) => sample(worker, value));
  }
  if (typeof script === 'object' && 'byLabel' in script) {
    const label = findSignal(name)?.splitBy ?? 'type';
    return Object.entries(script.byLabel).map(([text, value]) => ({
      worker: null,
      labels: { [label]: text },
      value,
    }));
  }
  return [];
}

function sample(worker: string | null, value: number): Sample {
  return { worker, labels: worker === null ? {} : { worker_id: worker }, value };
}

function history(
  { worker, labels, value }: Sample,
  range: ReadOptions & { readonly spanMs: number; readonly maxPoints: number },
  rising: boolean,
): SampleSeries {
  const last = range.maxPoints - 1;
  const points = Array.from({ length: range.maxPoints }, (_, index) => {
    const at = range.atMs - range.spanMs + (index * range.spanMs) / last;
    return [Math.round(at), rising ? (value * index) / last : value] as const;
  });
  return { worker, labels, points };
}
