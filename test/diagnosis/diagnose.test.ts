import { describe, expect, onTestFinished, test } from 'vitest';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { type DiagnoseOptions, type DiagnoseOutcome, diagnose } from '../../src/diagnosis/diagnose.js';
import type { MetricsSource } from '../../src/domain/metrics-source.js';
import { createManualClock } from '../support/manual-clock.js';
import { BUILT_IN, entryFor } from '../support/playbooks.js';
import { createScriptedSource } from '../support/scripted-source.js';

const NOW = Date.UTC(2026, 8, 1, 3, 12);

function optionsFor(source: MetricsSource, clock = createManualClock({ nowMs: NOW })): DiagnoseOptions {
  return {
    entries: BUILT_IN.entries,
    labels: { alertname: 'LLMHighTTFT' },
    alertName: 'LLMHighTTFT',
    alertExpression: null,
    scope: { cluster: 'prod-us', namespace: 'serving', model: 'llama-70b' },
    source,
    thresholds: DEFAULT_THRESHOLDS,
    atMs: NOW,
    deadlineMs: 4000,
    clock,
    timeScale: 1,
  };
}

/** Starts a diagnosis, moves time, and fails when it is not done by then. */
async function doneWithin(source: MetricsSource, ms: number): Promise<DiagnoseOutcome> {
  const clock = createManualClock({ nowMs: NOW });
  let outcome: DiagnoseOutcome | null = null;
  const run = diagnose(optionsFor(source, clock)).then((result) => {
    outcome = result;
  });
  await clock.advance(ms);
  expect(outcome, `not done after ${ms} ms`).not.toBeNull();
  await run;
  return outcome as unknown as DiagnoseOutcome;
}

test('many reads under one deadline are no leak in the eyes of Node', async () => {
  const warnings: Error[] = [];
  const listen = (warning: Error) => warnings.push(warning);
  process.on('warning', listen);
  onTestFinished(() => void process.off('warning', listen));

  await doneWithin(createScriptedSource({}, { fallback: 'hang', query: 'hang' }), 4000);
  // Node tells of it in its own time, but before the next turn.
  await new Promise((resolve) => setImmediate(resolve));

  expect(warnings).toEqual([]);
});

describe('the deadline', () => {
  test('a source that hangs for ever costs 4 s, and every check says why it knows nothing', async () => {
    const outcome = await doneWithin(createScriptedSource({}, { fallback: 'hang', query: 'hang' }), 4000);

    expect(outcome.finishedAtMs - outcome.startedAtMs).toBeLessThanOrEqual(4000);
    expect(
      outcome.findings.every((finding) => finding.status === 'unknown' && finding.reason === 'not_in_time'),
    ).toBe(true);
    expect(outcome.verdict).toMatchObject({
      cause: null,
      confidence: 'none',
      short: 'Not diagnosed: Prometheus timed out',
    });
    expect(outcome.verdict.unseen).toHaveLength(outcome.findings.length);
    expect(outcome.enrichment.health.every((figure) => figure.status === 'unknown')).toBe(true);
  });

  test('one hanging signal leaves the others their results', async () => {
    const outcome = await doneWithin(
      createScriptedSource({ kv_cache_utilization: 0.97, queue_depth: 'hang', preemption_rate: 2 }),
      4000,
    );

    const byId = new Map(outcome.findings.map((finding) => [finding.stepId, finding.status]));
    expect(byId.get('kv_cache')).toBe('fail');
    expect(byId.get('queue')).toBe('unknown');
    expect(outcome.verdict.cause).toBe('kv_cache_exhausted');
  });

  test('hanging trends hold up values that are there for a second at most where nothing rests on them', async () => {
    const base = createScriptedSource({ kv_cache_utilization: 0.5 }, { fallback: 1 });
    const source: MetricsSource = {
      ...base,
      readRange: (signal, ...rest) =>
        ['queue_depth', 'prompt_tokens_p99'].includes(signal)
          ? base.readRange(signal, ...rest)
          : new Promise(() => {}),
    };
    const clock = createManualClock({ nowMs: NOW });
    // It has no causes, and of its steps the context length alone looks back.
    const entry = BUILT_IN.entries.find((one) => one.id === 'upstream-silent');
    const { runSteps } = await import('../../src/diagnosis/run-steps.js');
    let done = false;
    if (entry === undefined) throw new Error('no entry');

    void runSteps({ ...optionsFor(source, clock), timeScale: 1, entry, deadlineMs: 4000 }).then(() => {
      done = true;
    });
    await clock.advance(1001);

    expect(done).toBe(true);
  });
});

describe('a source that misbehaves', () => {
  test.each([
    ['rejects', () => Promise.reject(new Error('boom'))],
    [
      'throws at once',
      () => {
        throw new Error('boom');
      },
    ],
    ['answers null', () => Promise.resolve(null)],
    ['answers a value without samples', () => Promise.resolve({ kind: 'value' })],
    ['answers an unknown kind', () => Promise.resolve({ kind: 'surprise' })],
  ])('that %s gives unknown findings and a verdict', async (_name, behave) => {
    const broken = behave as unknown as () => Promise<never>;
    const source: MetricsSource = {
      kind: 'prometheus',
      readSignal: broken,
      readRange: broken,
      query: broken,
    };

    const outcome = await doneWithin(source, 4000);

    expect(outcome.findings).toHaveLength(entryFor('LLMHighTTFT').steps.length);
    expect(outcome.findings.every((finding) => finding.status === 'unknown')).toBe(true);
    expect(outcome.verdict.confidence).toBe('none');
  });
});

describe('what is asked', () => {
  test('each signal is asked once, whatever the number of steps that read it', async () => {
    const asked: string[] = [];
    const scripted = createScriptedSource({}, { fallback: 1 });
    const source: MetricsSource = {
      ...scripted,
      readSignal: (signal, scope, read) => {
        asked.push(`${signal} at ${read.atMs}`);
        return scripted.readSignal(signal, scope, read);
      },
      readRange: (signal, scope, read) => {
        asked.push(`range of ${signal}`);
        return scripted.readRange(signal, scope, read);
      },
    };
    const { runSteps } = await import('../../src/diagnosis/run-steps.js');
    const entry = BUILT_IN.entries.find((one) => one.id === 'high-ttft');
    if (entry === undefined) throw new Error('no entry');

    await runSteps({ ...optionsFor(source), timeScale: 1, entry, deadlineMs: 4000 });

    expect(asked.length).toBeGreaterThan(entry.steps.length);
    expect(asked).toHaveLength(new Set(asked).size);
  });

  test('an alert without an entry runs the default one, and says so', async () => {
    const outcome = await diagnose({
      ...optionsFor(createScriptedSource({}, { fallback: 1 })),
      alertName: 'MyOwnAlert',
      labels: {},
    });

    expect(outcome).toMatchObject({ entryId: 'default', entryIsDefault: true });
    expect(outcome.findings.slice(0, 5).map((finding) => finding.stepId)).toEqual([
      'kv_cache',
      'queue',
      'queue_balance',
      'context_length',
      'gpu',
    ]);
  });
});
