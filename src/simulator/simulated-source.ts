import { findSignal } from '../catalog/signals.js';
import { HOUR, MINUTE } from '../domain/clock.js';
import { labelsFrom } from '../domain/labels.js';
import type { MetricsSource } from '../domain/metrics-source.js';
import type { Scope } from '../domain/scope.js';
import type { EmptyReason } from '../domain/signal.js';
import type { FleetHistory } from './fleet-history.js';
import { SIMULATED_SIGNALS, type SignalValue } from './simulated-signals.js';

/** Without a newer snapshot than this, the fleet counts as no longer watched. */
const STALE_AFTER_MS = 15_000;

const ASKED = { engine: 'llm', query: null } as const;

/**
 * The simulated fleet as a metrics source: every catalog signal, computed from the history of snapshots.
 * A scope that names another cluster, namespace or model gives `empty` (no_series). PromQL is not spoken.
 * `place` defaults to where the newest snapshot says it is; `timeScale` shortens windows, 1 by default.
 */
export function createSimulatedSource(options: {
  readonly history: FleetHistory;
  readonly place?: Scope;
  readonly timeScale?: number;
}): MetricsSource {
  const { history } = options;
  const timeScale = options.timeScale ?? 1;

  type Values =
    | { readonly kind: 'values'; readonly values: readonly SignalValue[] }
    | { readonly kind: 'empty'; readonly reason: EmptyReason; readonly detail: string }
    | { readonly kind: 'stale'; readonly ageMs: number; readonly detail: string };

  function isHere(scope: Scope): boolean {
    const place: Scope | undefined = options.place ?? history.latest()?.snapshot.place;
    return place === undefined || Object.entries(scope).every(([name, value]) => place[name] === value);
  }

  function valuesAt(signal: string, atMs: number, windowMs: number | undefined): Values {
    const read = Object.hasOwn(SIMULATED_SIGNALS, signal) ? SIMULATED_SIGNALS[signal] : undefined;
    if (read === undefined) {
      return { kind: 'empty', reason: 'unavailable', detail: `the simulated fleet has no ${signal}` };
    }
    const newest = history.at(atMs);
    if (newest === undefined) {
      return { kind: 'empty', reason: 'no_series', detail: 'the fleet was not simulated then' };
    }
    const ageMs = atMs - newest.atMs;
    if (ageMs > STALE_AFTER_MS) {
      return { kind: 'stale', ageMs, detail: 'the simulation has stopped' };
    }
    // Restarts are counted over an hour whatever the window of rates is.
    const window = signal === 'worker_restarts' ? HOUR / timeScale : (windowMs ?? (5 * MINUTE) / timeScale);
    const values = read(history.between(atMs - window, atMs));
    return values === null
      ? { kind: 'empty', reason: 'no_traffic', detail: `nothing was observed for ${signal} in the window` }
      : { kind: 'values', values };
  }

  function elsewhere(scope: Scope) {
    const detail = `the simulated fleet does not serve ${JSON.stringify(scope)}`;
    return { ...ASKED, kind: 'empty', reason: 'no_series', detail } as const;
  }

  return {
    kind: 'simulated',
    async readSignal(signal, scope, { atMs, windowMs }) {
      if (!isHere(scope)) return elsewhere(scope);
      const reading = valuesAt(signal, atMs, windowMs);
      if (reading.kind !== 'values') return { ...ASKED, ...reading };
      const samples = reading.values.map(({ worker, labels, value }) => ({
        worker,
        labels: labelsFrom(Object.entries(labels)),
        value,
      }));
      return samples.length > 0
        ? { ...ASKED, kind: 'value', samples }
        : { ...ASKED, kind: 'empty', reason: 'no_series', detail: `no worker answers for ${signal}` };
    },
    async readRange(signal, scope, { atMs, windowMs, spanMs, maxPoints }) {
      if (!isHere(scope)) return elsewhere(scope);
      const now = valuesAt(signal, atMs, windowMs);
      if (now.kind === 'stale') return { ...ASKED, ...now };
      if (now.kind === 'empty' && now.reason === 'unavailable') return { ...ASKED, ...now };
      const points = Math.max(2, Math.floor(maxPoints));
      const series = new Map<string, { value: SignalValue; points: [number, number][] }>();
      for (let index = 0; index < points; index += 1) {
        const pointMs = atMs - spanMs + (spanMs * index) / (points - 1);
        const reading = valuesAt(signal, pointMs, windowMs);
        if (reading.kind !== 'values') continue;
        for (const value of reading.values) {
          const key = `${value.worker} ${JSON.stringify(value.labels)}`;
          const known = series.get(key);
          if (known === undefined) series.set(key, { value, points: [[pointMs, value.value]] });
          else known.points.push([pointMs, value.value]);
        }
      }
      if (series.size === 0) {
        const detail = `the simulated fleet has no ${findSignal(signal)?.description ?? signal} in that time`;
        return { ...ASKED, kind: 'empty', reason: 'no_series', detail };
      }
      return {
        ...ASKED,
        kind: 'series',
        series: [...series.values()].map(({ value, points: seriesPoints }) => ({
          worker: value.worker,
          labels: labelsFrom(Object.entries(value.labels)),
          points: seriesPoints,
        })),
      };
    },
    async query() {
      const detail = 'the simulated fleet answers signals, not PromQL';
      return { ...ASKED, kind: 'empty', reason: 'unavailable', detail };
    },
  };
}
