/** A recording gives the verdict of the day again, byte for byte, and tells an edit of the playbook by file and line. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { canonicalDiagnosis } from '../../src/diagnosis/compare-diagnoses.js';
import { diagnose } from '../../src/diagnosis/diagnose.js';
import { freezeSignals } from '../../src/diagnosis/freeze.js';
import { judgeReplay } from '../../src/diagnosis/judge-replay.js';
import { decodeRecording, encodeRecording, type Recording } from '../../src/diagnosis/recording.js';
import { replay, replayAsRecorded } from '../../src/diagnosis/replay.js';
import { createWitness } from '../../src/diagnosis/witness.js';
import type { MetricsSource } from '../../src/domain/metrics-source.js';
import { diagnosedOf } from '../../src/incidents/freeze-evidence.js';
import { loadPlaybookTexts } from '../../src/playbook/load.js';
import { createManualClock } from '../support/manual-clock.js';
import { ALERT_NAMES, BUILT_IN, SIGNAL_NAMES } from '../support/playbooks.js';
import { createScriptedSource, type Script } from '../support/scripted-source.js';

const NOW = Date.UTC(2026, 8, 1, 3, 12);
const SCOPE = { cluster: 'prod-us', namespace: 'serving', model: 'llama-70b' };
const ALERT = {
  name: 'LLMHighTTFT',
  labels: { ...SCOPE, alertname: 'LLMHighTTFT' },
  expression: 'x > 5',
};
const NOW_IN_FORCE = {
  entries: BUILT_IN.entries,
  texts: BUILT_IN.texts,
  thresholds: DEFAULT_THRESHOLDS,
};

/** Diagnoses live and records it as the service does; the file has been through its bytes. */
async function record(source: MetricsSource, advanceMs = 0) {
  const clock = createManualClock({ nowMs: NOW });
  const witness = createWitness(source);
  const running = diagnose({
    entries: BUILT_IN.entries,
    labels: ALERT.labels,
    alertName: ALERT.name,
    alertExpression: ALERT.expression,
    scope: SCOPE,
    source: witness.source,
    thresholds: DEFAULT_THRESHOLDS,
    atMs: NOW,
    clock,
  });
  if (advanceMs > 0) await clock.advance(advanceMs);
  const live = await running;
  const testimony = witness.testimony();
  const written = await freezeSignals({
    scope: SCOPE,
    source,
    atMs: NOW,
    timeScale: 1,
    testimony,
    signal: AbortSignal.timeout(50),
    diagnosed: diagnosedOf({
      incident: 'INC-412',
      alert: ALERT,
      webhook: { body: '{"alerts":[]}', note: null },
      outcome: { ...live, evidence: { atMs: NOW, testimony } },
      texts: BUILT_IN.texts,
      thresholds: DEFAULT_THRESHOLDS,
      deadlineMs: 4000,
    }),
  });
  return { live, recording: reread(written) };
}

function reread(recording: Recording): Recording {
  const decoded = decodeRecording(encodeRecording(recording));
  if (decoded.kind !== 'ok') throw new Error(decoded.reason);
  return decoded.recording;
}

const EVIDENCE: Readonly<Record<string, Readonly<Record<string, Script>>>> = {
  exhausted: {
    kv_cache_utilization: [0.97, 0.97, 0.96, 0.97, 0.95, 0.96, 0.97, 0.6],
    queue_depth: 30,
    gpu_utilization: 0.93,
    ttft_p99_seconds: 11.8,
    ttft_p50_seconds: 4,
  },
  'with a question that is never answered': {
    kv_cache_utilization: 0.97,
    queue_depth: 'hang',
    gpu_utilization: 0.93,
  },
  'from a source that breaks': { kv_cache_utilization: 0.4, queue_depth: new Error('socket hang up') },
  'of nothing': {},
};

describe('a recorded diagnosis', () => {
  test.each(Object.keys(EVIDENCE))('%s is given again byte for byte', async (name) => {
    const source = createScriptedSource(EVIDENCE[name] ?? {}, { rising: ['queue_depth'], query: 7 });
    const { live, recording } = await record(source, 4000);

    const again = await replay(recording, NOW_IN_FORCE);
    const byItsOwnEntry = await replayAsRecorded(recording);

    expect(canonicalDiagnosis(again)).toBe(canonicalDiagnosis(live));
    expect(byItsOwnEntry && canonicalDiagnosis(byItsOwnEntry)).toBe(canonicalDiagnosis(live));
    expect(again.enrichment).toEqual(live.enrichment);
    expect((await judgeReplay(recording, NOW_IN_FORCE)).comparison?.kind).toBe('same');
  });

  test('rests on what was answered then, not on what the source says when it is frozen', async () => {
    let asked = 0;
    const source = createScriptedSource({ kv_cache_utilization: 0.97, queue_depth: 300 });
    const forgetful: MetricsSource = {
      ...source,
      readSignal(signal, scope, options) {
        asked += signal === 'kv_cache_utilization' ? 1 : 0;
        return asked > 6 ? Promise.reject(new Error('gone')) : source.readSignal(signal, scope, options);
      },
    };
    const { live, recording } = await record(forgetful);

    expect(canonicalDiagnosis(await replay(recording, NOW_IN_FORCE))).toBe(canonicalDiagnosis(live));
  });

  test('holds the call, the entry with its version, the thresholds, the clock and the engines', async () => {
    const { live, recording } = await record(createScriptedSource(EVIDENCE.exhausted ?? {}));

    expect(recording.diagnosed).toMatchObject({
      incident: 'INC-412',
      webhook: { body: '{"alerts":[]}' },
      startedAtMs: NOW,
      deadlineMs: 4000,
      sameEvidence: true,
      entry: { id: 'high-ttft', hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
      thresholds: { 'kv_cache_utilization.full': 0.9 },
      verdict: { cause: live.verdict.cause },
    });
    expect(recording.diagnosed?.entry.texts.map(({ file }) => file)).toEqual([
      'playbooks/common.yaml',
      'playbooks/high-ttft.yaml',
    ]);
    expect(recording.signals.kv_cache_utilization?.instant.engine).toBe('llm');
  });
});

describe('an edited playbook', () => {
  const edited = (id: string, from: string, to: string) => {
    const texts = BUILT_IN.texts.map((one) =>
      one.id === id ? { ...one, text: one.text.replace(from, to) } : one,
    );
    expect(texts).not.toEqual(BUILT_IN.texts);
    const { entries, faults } = loadPlaybookTexts(texts, {
      signals: SIGNAL_NAMES,
      thresholds: DEFAULT_THRESHOLDS,
      alertNames: ALERT_NAMES,
    });
    expect(faults).toEqual([]);
    return { entries, texts, thresholds: DEFAULT_THRESHOLDS };
  };
  const lineOf = (id: string, text: string) =>
    1 +
    (BUILT_IN.texts
      .find((one) => one.id === id)
      ?.text.split('\n')
      .findIndex((line) => line.includes(text)) ?? -2);
  const FULL = 'fail: { any_worker: "> kv_cache_utilization.full" }';

  test('that changes the verdict is named with file, line, and what stood there', async () => {
    const { recording } = await record(createScriptedSource(EVIDENCE.exhausted ?? {}));

    const judged = await judgeReplay(recording, edited('common', FULL, 'fail: { any_worker: "> 0.99" }'));

    expect(judged.comparison).toMatchObject({ kind: 'verdict' });
    expect(judged.changes).toEqual([
      {
        what: 'step',
        id: 'kv_cache',
        path: 'fail.any_worker',
        was: '> kv_cache_utilization.full',
        is: '> 0.99',
        file: expect.stringMatching(/playbooks\/common\.yaml$/),
        line: lineOf('common', FULL),
      },
    ]);
    expect(judged.asRecorded).toBe('yes');
  });

  test('of another entry changes nothing', async () => {
    const { recording } = await record(createScriptedSource(EVIDENCE.exhausted ?? {}));

    const judged = await judgeReplay(recording, edited('high-tbt', 'title: ', 'title: Now '));

    expect(judged.comparison?.kind).toBe('same');
  });

  test('a threshold of the configuration is named with its values and where the entry uses it', async () => {
    const { recording } = await record(createScriptedSource(EVIDENCE.exhausted ?? {}));

    const judged = await judgeReplay(recording, {
      ...NOW_IN_FORCE,
      thresholds: { ...DEFAULT_THRESHOLDS, 'kv_cache_utilization.full': 0.99, 'tbt_p50_seconds.critical': 9 },
    });

    expect(judged.comparison).toMatchObject({ kind: 'verdict' });
    expect(judged.changes).toEqual([]);
    expect(judged.thresholds).toMatchObject([
      {
        name: 'kv_cache_utilization.full',
        was: 0.9,
        is: 0.99,
        usedAt: expect.arrayContaining([
          expect.objectContaining({ id: 'kv_cache', line: lineOf('common', FULL) }),
        ]),
      },
    ]);
  });
});

describe('a file that is none of ours', () => {
  test('of the first format holds evidence, and is diagnosed for a given alert', async () => {
    const { live, recording } = await record(createScriptedSource(EVIDENCE.exhausted ?? {}));
    const { further: _further, diagnosed: _diagnosed, ...evidence } = recording;
    const old = reread({ ...evidence, formatVersion: 1 } as Recording);

    const again = await replay(old, { ...NOW_IN_FORCE, alert: ALERT });

    expect(old).toMatchObject({ formatVersion: 1, diagnosed: null, further: [] });
    expect(again.verdict.cause).toBe(live.verdict.cause);
    await expect(replay(old, NOW_IN_FORCE)).rejects.toThrow('does not say which alert fired');
  });

  test('never crashes the reader or the replay, whatever was put in it', async () => {
    const { recording } = await record(createScriptedSource(EVIDENCE.exhausted ?? {}));
    const whole = JSON.parse(JSON.stringify(recording)) as Record<string, unknown>;
    const places = pathsOf(whole, 6);

    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...places),
        fc.oneof(fc.jsonValue(), fc.constant(undefined), fc.constant('= ~(a+)+$')),
        async (path, value) => {
          const body = Buffer.from(JSON.stringify(put(whole, path, value)));

          const decoded = decodeRecording(body);

          if (decoded.kind === 'unreadable') expect(decoded.reason.length).toBeGreaterThan(5);
          else if (decoded.recording.diagnosed !== null) await judgeReplay(decoded.recording, NOW_IN_FORCE);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('nested without end is refused', () => {
    const body = Buffer.from(`{"formatVersion":2,"scope":${'['.repeat(200_000)}${']'.repeat(200_000)}}`);

    expect(decodeRecording(body)).toMatchObject({ kind: 'unreadable' });
  });
});

type Path = readonly (string | number)[];

function pathsOf(value: unknown, depth: number, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null || depth === 0) return [path];
  return [
    path,
    ...Object.entries(value)
      .slice(0, 12)
      .flatMap(([key, inner]) => pathsOf(inner, depth - 1, [...path, key])),
  ].slice(1);
}

function put(value: unknown, path: Path, replacement: unknown): unknown {
  const [head, ...rest] = path;
  if (head === undefined) return replacement;
  const copy = Array.isArray(value) ? [...value] : { ...(value as object) };
  (copy as Record<string | number, unknown>)[head] = put(
    (value as Record<string | number, unknown>)[head],
    rest,
    replacement,
  );
  return copy;
}
