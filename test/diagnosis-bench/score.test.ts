import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { interventionOf } from '../../bench/diagnosis/interventions-of.js';
import { leverOf } from '../../bench/diagnosis/lever-of.js';
import { keepResults } from '../../bench/diagnosis/result-file.js';
import { type RunResult, scoreRuns } from '../../bench/diagnosis/score.js';
import { minutesToSlo } from '../../bench/diagnosis/slo.js';
import type { Confidence } from '../../src/domain/verdict.js';
import type { RunSnapshot } from '../../src/simulator/simulate-run.js';
import { BUILT_IN } from '../support/playbooks.js';
import { aPlan } from './a-plan.js';

const MINUTE = 60_000;

/** A run in which the product named `cause` and advised `lever` first. */
function aResult(
  mechanisms: readonly string[],
  cause: string | null,
  own: { lever?: string; confidence?: Confidence; contributing?: string[]; blind?: RunResult['blind'] } = {},
): RunResult {
  const confidence = own.confidence ?? (cause === null ? 'none' : 'high');
  const diagnosis: NonNullable<RunResult['diagnosis']> = {
    alertName: 'LLMHighTTFT',
    verdict: {
      cause,
      says: '',
      short: '',
      confidence,
      why: '',
      contributing: own.contributing ?? [],
      evidence: [],
      ruledOut: [],
      unseen: [],
      fixes: [],
      wrongFixes: [],
      explains: [],
    },
    lever: own.lever ?? null,
    fixes: [],
    checklist: null,
    thresholds: null,
  };
  const alert = { name: 'LLMHighTTFT', severity: 'critical', afterMs: 6 * MINUTE };
  return { plan: aPlan({ mechanisms }), alert, diagnosis, blind: own.blind ?? null, loop: null };
}

describe('the score', () => {
  test('is the mean of the causes, not of the runs', () => {
    const runs = [
      ...Array.from({ length: 9 }, () => aResult(['kv_load'], 'kv_cache_exhausted')),
      aResult(['wedged'], null),
    ];

    expect(scoreRuns(runs)).toMatchObject({ runs: 10, top1: 0.5, worst_cause_top1: 0 });
  });

  test('takes either of two mechanisms, and the next cause for top2 only', () => {
    const either = scoreRuns([aResult(['kv_load', 'wedged'], 'engine_stalled')]);
    const next = scoreRuns([
      aResult(['kv_load'], 'capacity_short', { contributing: ['kv_cache_exhausted'] }),
    ]);

    expect(either).toMatchObject({ top1: 1, top2: 1 });
    expect(next).toMatchObject({ top1: 0, top2: 1 });
  });

  test('calls a first fix harmful only where it treats none of what is wrong', () => {
    const harmful = (mechanisms: string[]) =>
      scoreRuns([aResult(mechanisms, 'decode_batch_large', { lever: 'batch_size' })]).wrong_first_fix;

    expect(harmful(['kv_load'])).toBe(1);
    expect(harmful(['kv_load', 'decode_batch'])).toBe(0);
  });

  test('counts a false cause only where it is meant, and "it is over" never', () => {
    const quiet = (cause: string | null, confidence?: Confidence) =>
      scoreRuns([aResult(['healthy'], cause, confidence === undefined ? {} : { confidence })])
        .false_cause_when_healthy;

    expect(quiet('capacity_short', 'medium')).toBe(1);
    expect(quiet('capacity_short', 'low')).toBe(0);
    expect(quiet('recovered', 'high')).toBe(0);
    expect(quiet(null)).toBe(0);
  });

  test('asks of a blind verdict not to be sure of something else', () => {
    const blind = (cause: string, confidence: Confidence) =>
      scoreRuns([
        aResult(['wedged'], 'engine_stalled', { blind: aResult([], cause, { confidence }).diagnosis }),
      ]);

    expect(blind('gpu_starved', 'medium')).toMatchObject({ blind_runs: 1, blind_confidently_wrong: 1 });
    expect(blind('gpu_starved', 'low').blind_confidently_wrong).toBe(0);
    expect(blind('engine_stalled', 'medium').blind_confidently_wrong).toBe(0);
  });

  test('of two parts is that of one run', () => {
    const directory = mkdtempSync(join(tmpdir(), 'wakewell-results-'));
    try {
      const file = join(directory, 'results.jsonl');
      const parts = [[aResult(['kv_load'], 'kv_cache_exhausted')], [aResult(['wedged'], null)]];

      const [, kept] = parts.map((part) => keepResults(file, part));

      expect(scoreRuns(kept ?? [])).toEqual(scoreRuns(parts.flat()));
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

describe('the lever of a fix', () => {
  test('is known for every fix of every cause, whatever was filled in or left out', () => {
    const filled = (text: string, optional: boolean) =>
      text.replace(/\[\[(.*?)\]\]/g, optional ? '$1' : '').replace(/\{[^}]*\}/g, 'worker-3 (97%)');
    const unknown = BUILT_IN.entries.flatMap((entry) =>
      entry.causes.flatMap((cause) =>
        cause.fixes.flatMap((fix) =>
          [true, false]
            .map((optional) => leverOf(entry, cause.id, { ...A_FIX, do: filled(fix.do, optional) }))
            .filter((lever) => lever !== fix.lever)
            .map((lever) => `${cause.id}: ${fix.do} → ${lever}`),
        ),
      ),
    );

    expect(unknown).toEqual([]);
  });
});

const A_FIX = { do: '', command: null, expect: null, protects: null, needs: 'none', risk: null } as const;

describe('the closed loop', () => {
  test('does to the worker that the advice names what the advice says', () => {
    const advice = { lever: 'restart_worker', text: 'Restart worker-12 first', cause: 'kv_leak', workers: 4 };

    expect(interventionOf(advice)).toEqual({ kind: 'restart_worker', worker: 12 });
    expect(interventionOf({ ...advice, lever: 'inspect' })).toBeNull();
  });

  test('counts the minutes until the SLO is met and stays so', () => {
    const ttft = [9, 9, 1, 9, 1, 1, 1, 1];
    const snapshots = ttft.map(
      (ttftP99Seconds, minute) =>
        ({
          simulatedMs: minute * MINUTE,
          slo: { ttftP99Seconds, tbtP99Seconds: 0.02, errorRatio: 0 },
        }) as RunSnapshot,
    );

    expect(minutesToSlo(snapshots, MINUTE)).toBe(3);
    expect(minutesToSlo(snapshots.slice(0, 7), MINUTE)).toBeNull();
  });
});
