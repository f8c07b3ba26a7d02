import { describe, expect, test } from 'vitest';
import { ALERTS } from '../../src/catalog/alerts.js';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { MINUTE } from '../../src/domain/clock.js';
import { labelsFrom } from '../../src/domain/labels.js';
import type { MetricsSource } from '../../src/domain/metrics-source.js';
import type { SignalReading } from '../../src/domain/signal.js';
import { conditionValue } from '../../src/simulator/alert-condition.js';
import { type AlertCase, CASES, DAY_CASES } from '../generate/alert-cases/cases.js';
import { at, type OverTime } from '../generate/alert-cases/series.js';
import { CHANGES_AT, HEALTHY, type State } from '../generate/alert-cases/state.js';

/** The states of the promtool cases as a metrics source: the same definitions have to come to the same there and here. */
function sourceOf(state: State): MetricsSource {
  const workers = [
    { name: 'a', ...state },
    { name: 'b', ...state, ...state.b },
  ];
  const scope = (value: number | null, labels: Record<string, string> = {}) =>
    value === null ? [] : [{ worker: null, labels: labelsFrom(Object.entries(labels)), value }];

  function samples(signal: string, minute: number) {
    const shown = workers.filter(({ up }) => (at(up, minute) ?? 0) > 0);
    const each = (read: (worker: (typeof workers)[number]) => OverTime) =>
      shown.flatMap((worker) =>
        scope(at(read(worker), minute)).map((one) => ({ ...one, worker: worker.name })),
      );
    const requests = at(state.requests, minute) ?? 0;
    const errors = at(state.errors, minute) ?? 0;
    switch (signal) {
      case 'ttft_p99_seconds':
        return scope(requests > 0 ? at(state.ttft, minute) : null);
      case 'tbt_p99_seconds':
        return scope(requests > 0 ? at(state.tbt, minute) : null);
      case 'error_ratio':
        return scope(requests > 0 ? errors / requests : null);
      case 'error_rate_by_type':
        return scope(errors, { error_type: state.errorType });
      case 'request_rate':
        return scope(requests);
      case 'requests_in_progress':
        return scope(
          shown.reduce((sum, one) => sum + (at(one.queue, minute) ?? 0) + (at(one.running, minute) ?? 0), 0),
        );
      case 'kv_cache_utilization':
        return each(({ kv }) => kv);
      case 'queue_depth':
        return each(({ queue }) => queue);
      case 'requests_running':
        return each(({ running }) => running);
      case 'generation_tokens_rate':
        return each(({ tokens }) => tokens);
      case 'preemption_rate':
        return each(({ preemptions }) => preemptions);
      case 'gpu_utilization':
        return each(({ gpuUtilization }) => gpuUtilization);
      case 'gpu_memory_ratio':
        return each(({ gpuMemoryGib, gpuCapacityGib }) => (now) => {
          const capacity = at(gpuCapacityGib, now) ?? 0;
          return capacity > 0 ? (at(gpuMemoryGib, now) ?? 0) / capacity : null;
        });
      case 'worker_up':
        return workers.flatMap(({ name, up }) =>
          scope(at(up, minute)).map((one) => ({ ...one, worker: name })),
        );
      case 'replicas_available':
        return scope(shown.length === 0 ? null : shown.length);
      case 'replicas_wanted':
        return scope(state.replicasWanted === null ? null : at(state.replicasWanted, minute));
      default:
        throw new Error(`the cases do not say what ${signal} is`);
    }
  }

  const asked = { engine: 'llm', query: null } as const;
  const read = (signal: string, atMs: number): SignalReading => {
    const found = atMs < 0 ? [] : samples(signal, atMs / MINUTE);
    return found.length > 0
      ? { ...asked, kind: 'value', samples: found }
      : { ...asked, kind: 'empty', reason: 'no_series', detail: 'not in this state' };
  };
  return {
    kind: 'simulated',
    readSignal: async (signal, _scope, { atMs }) => read(signal, atMs),
    async readRange(signal, _scope, { atMs, spanMs, maxPoints }) {
      const points = Array.from({ length: maxPoints }, (_, index): [number, number][] => {
        const pointMs = atMs - spanMs + (spanMs * index) / (maxPoints - 1);
        const reading = read(signal, pointMs);
        return reading.kind === 'value' ? [[pointMs, reading.samples[0]?.value ?? 0]] : [];
      }).flat();
      return points.length === 0
        ? { ...asked, kind: 'empty', reason: 'no_series', detail: 'never' }
        : { ...asked, kind: 'series', series: [{ worker: null, labels: labelsFrom([]), points }] };
    },
    query: async () => ({ ...asked, kind: 'empty', reason: 'unavailable', detail: 'no PromQL' }),
  };
}

const evaluate = async ({ alert, severity }: AlertCase, state: Partial<State>, minute: number) => {
  const definition = ALERTS.find((one) => one.name === alert && one.severity === severity);
  if (definition === undefined) throw new Error(`no such alert: ${alert}`);
  return conditionValue(definition.condition, {
    source: sourceOf({ ...HEALTHY, ...state }),
    scope: {},
    thresholds: DEFAULT_THRESHOLDS,
    atMs: minute * MINUTE,
    windowMs: definition.windowMs,
    timeScale: 1,
  });
};

describe.each([
  ['', CASES, CHANGES_AT + 20],
  [' after a day', DAY_CASES, 25 * 60],
] as const)('the evaluator of the demo comes to what PromQL comes to%s:', (_title, cases, minute) => {
  test.each(cases.map((one) => [`${one.alert} ${one.severity}`, one] as const))('%s', async (_name, one) => {
    for (const [what, state] of Object.entries({ plainly: one.fires, ...one.alsoFires }))
      expect(await evaluate(one, state, minute), `fires ${what}`).not.toBeNull();
    for (const [what, state] of Object.entries({ 'just short of it': one.quiet, ...one.alsoQuiet }))
      expect(await evaluate(one, state, minute), what).toBeNull();
  });
});
