import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SIGNALS } from '../../src/catalog/signals.js';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { runSteps } from '../../src/diagnosis/run-steps.js';
import { decideVerdict } from '../../src/diagnosis/verdict.js';
import { EMPTY_REASONS, FAILURE_REASONS } from '../../src/domain/signal.js';
import { CONFIDENCES } from '../../src/domain/verdict.js';
import { createManualClock } from '../support/manual-clock.js';
import { BUILT_IN } from '../support/playbooks.js';
import { createScriptedSource, type Script } from '../support/scripted-source.js';

const NOW = Date.UTC(2026, 8, 1, 3, 12);

const value = fc.oneof(fc.double({ noNaN: false }), fc.constantFrom(0, 0.5, 0.97, 1, 80, 40_000));
const asked = { engine: fc.constantFrom('llm', 'vllm', null), query: fc.constantFrom('q', null) };
const script: fc.Arbitrary<Script> = fc.oneof(
  value,
  fc.array(value, { maxLength: 9 }),
  fc.dictionary(fc.string({ maxLength: 12 }), value, { maxKeys: 5 }).map((byWorker) => ({ byWorker })),
  fc
    .dictionary(fc.constantFrom('oom', 'crash', 'timeout', '__proto__', ''), value, { maxKeys: 4 })
    .map((byLabel) => ({ byLabel })),
  fc.record({
    kind: fc.constant('empty' as const),
    reason: fc.constantFrom(...EMPTY_REASONS),
    detail: fc.string(),
    ...asked,
  }),
  fc.record({
    kind: fc.constant('failed' as const),
    reason: fc.constantFrom(...FAILURE_REASONS),
    detail: fc.string(),
    ...asked,
  }),
  fc.constant(new Error('boom')),
);
const table = fc.dictionary(fc.constantFrom(...SIGNALS.map((signal) => signal.name)), script, {
  maxKeys: SIGNALS.length,
});

test('any evidence gives one finding a step in order, and the same verdict each time', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...BUILT_IN.entries.map((one) => one.id)),
      table,
      fc.subarray(SIGNALS.map((signal) => signal.name)),
      async (id, readings, rising) => {
        const entry = BUILT_IN.entries.find((one) => one.id === id);
        if (entry === undefined) throw new Error(`no entry ${id}`);
        const run = () =>
          runSteps({
            entry,
            scope: { model: 'm' },
            source: createScriptedSource(readings, { rising }),
            thresholds: DEFAULT_THRESHOLDS,
            atMs: NOW,
            timeScale: 1,
            deadlineMs: 4000,
            clock: createManualClock({ nowMs: NOW }),
          });

        const findings = await run();
        const verdict = decideVerdict(entry, findings);

        expect(findings.map((finding) => finding.stepId)).toEqual(entry.steps.map((step) => step.id));
        expect(decideVerdict(entry, await run())).toEqual(verdict);
        expect(CONFIDENCES).toContain(verdict.confidence);
        expect(verdict.cause === null).toBe(verdict.confidence === 'none');
        expect(verdict.short.length).toBeLessThanOrEqual(40);
        expect(findings.some((finding) => finding.reason === 'check_failed')).toBe(false);
        // Whatever is stored as JSON must come back as it was.
        expect(JSON.parse(JSON.stringify({ findings, verdict }))).toEqual({ findings, verdict });
        for (const finding of findings) {
          if (finding.status === 'ok')
            expect(finding.value, `${finding.stepId} is ok without a number`).not.toBeNull();
        }
        // One signal alone is never high confidence.
        if (verdict.confidence === 'high') expect(verdict.evidence.length).toBeGreaterThan(1);
      },
    ),
    { numRuns: 200 },
  );
});
