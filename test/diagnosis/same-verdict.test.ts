/** Same evidence, same verdict: repeated, in any order, and whatever else the source knows. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SIGNALS } from '../../src/catalog/signals.js';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { runSteps } from '../../src/diagnosis/run-steps.js';
import { decideVerdict } from '../../src/diagnosis/verdict.js';
import type { MetricsSource } from '../../src/domain/metrics-source.js';
import type { Sample, SampleSeries, SignalReading } from '../../src/domain/signal.js';
import { createManualClock } from '../support/manual-clock.js';
import { BUILT_IN, entryFor } from '../support/playbooks.js';
import { createScriptedSource, type Script } from '../support/scripted-source.js';

const NOW = Date.UTC(2026, 8, 1, 3, 12);
const SCOPE = { cluster: 'prod-us', namespace: 'serving', model: 'llama-70b' };

/** Numbers whose sums depend on their order. */
const value = fc.constantFrom(0, 0.1, 0.2, 0.3, 0.7, 0.97, 0.99, 1, 2.3, 3, 17, 64, 129.4, 40_000, 1e9);
const workers = fc.array(value, { minLength: 8, maxLength: 8 });
const table: fc.Arbitrary<Record<string, Script>> = fc
  .tuple(
    ...SIGNALS.map(({ name, level, splitBy }) =>
      (level === 'worker'
        ? workers
        : splitBy === undefined
          ? value
          : fc
              .dictionary(fc.constantFrom('oom', 'crash', 'timeout', 'input', 'acme', 'globex'), value, {
                minKeys: 1,
                maxKeys: 4,
              })
              .map((byLabel) => ({ byLabel }))
      ).map((script): [string, Script] => [name, script]),
    ),
  )
  .map((pairs) => Object.fromEntries(pairs));
const entries = fc.constantFrom(...BUILT_IN.entries);

async function diagnosed(entry: (typeof BUILT_IN.entries)[number], source: MetricsSource) {
  const findings = await runSteps({
    entry,
    scope: SCOPE,
    source,
    thresholds: DEFAULT_THRESHOLDS,
    atMs: NOW,
    timeScale: 1,
    deadlineMs: 4000,
    clock: createManualClock({ nowMs: NOW }),
  });
  return { findings, verdict: decideVerdict(entry, findings, { scope: SCOPE }) };
}

/** The same readings, with samples, series, labels and answers in another order. */
function shuffled(source: MetricsSource, seed: number): MetricsSource {
  let state = seed;
  const next = () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
  const mixed = <T>(list: readonly T[]) =>
    list
      .map((one) => [next(), one] as const)
      .sort((a, b) => a[0] - b[0])
      .map(([, one]) => one);
  const relabelled = <T extends Sample | SampleSeries>(list: readonly T[]): T[] =>
    mixed(list).map((one) => ({ ...one, labels: Object.fromEntries(mixed(Object.entries(one.labels))) }));
  /** Answers come after a number of turns of the loop that has nothing to do with the order of asking. */
  const late = async <T>(answer: T): Promise<T> => {
    for (let turns = Math.floor(next() * 20); turns > 0; turns -= 1) await Promise.resolve();
    return answer;
  };
  return {
    ...source,
    async readSignal(signal, scope, options) {
      const reading: SignalReading = await source.readSignal(signal, scope, options);
      return late(reading.kind === 'value' ? { ...reading, samples: relabelled(reading.samples) } : reading);
    },
    async readRange(signal, scope, options) {
      const reading = await source.readRange(signal, scope, options);
      return late(reading.kind === 'series' ? { ...reading, series: relabelled(reading.series) } : reading);
    },
  };
}

test('10,000 decisions over the same findings, in any order of them, are one verdict', async () => {
  const { findings, verdict } = await diagnosed(
    entryFor('LLMHighTTFT'),
    createScriptedSource(
      { kv_cache_utilization: 0.97, queue_depth: 70, preemption_rate: 1.4 },
      { fallback: 1 },
    ),
  );
  const said = JSON.stringify(verdict);
  const entry = entryFor('LLMHighTTFT');

  expect(verdict.cause).not.toBeNull();
  for (let round = 0; round < 10_000; round += 1) {
    const at = round % findings.length;
    const turned = [...findings.slice(at), ...findings.slice(0, at)];
    const again = JSON.stringify(decideVerdict(entry, turned, { scope: SCOPE }));
    if (again !== said) expect(again).toBe(said);
  }
});

test('the order of samples, series, labels and answers changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(entries, table, fc.nat(), async (entry, readings, seed) => {
      const source = createScriptedSource(readings, { rising: ['queue_depth', 'prompt_tokens_p99'] });

      expect(await diagnosed(entry, shuffled(source, seed))).toEqual(await diagnosed(entry, source));
    }),
    { numRuns: 60 },
  );
});

test('signals that no check reads, and what other scopes do, change nothing', async () => {
  await fc.assert(
    fc.asyncProperty(entries, table, table, async (entry, readings, noise) => {
      const read = new Set(
        entry.steps.flatMap((step) =>
          [step.read, ...step.with].flatMap((one) =>
            'signal' in one ? [one.signal, ...(one.per === null ? [] : [one.per])] : [],
          ),
        ),
      );
      const unread = Object.fromEntries(Object.entries(noise).filter(([signal]) => !read.has(signal)));
      const source = createScriptedSource(readings);
      const elsewhere = createScriptedSource(noise);
      const both: MetricsSource = {
        ...createScriptedSource({ ...readings, ...unread }),
        readSignal: (signal, scope, options) =>
          (scope === SCOPE ? createScriptedSource({ ...readings, ...unread }) : elsewhere).readSignal(
            signal,
            scope,
            options,
          ),
      };

      expect(await diagnosed(entry, both)).toEqual(await diagnosed(entry, source));
    }),
    { numRuns: 40 },
  );
});
