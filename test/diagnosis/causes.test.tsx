/**
 * What the on-call reads for each cause: the lock-screen line, the card and the incident's page, from hand-written
 * readings. UPDATE_GOLDEN=1 npx vitest run test/diagnosis/causes.test.tsx writes them anew; then read the diff.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { renderToString } from 'preact-render-to-string';
import { expect, test } from 'vitest';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { runSteps } from '../../src/diagnosis/run-steps.js';
import { decideVerdict } from '../../src/diagnosis/verdict.js';
import { headline, MAX_HEADLINE } from '../../src/render/headline.js';
import { renderPlainText } from '../../src/render/plain-text.js';
import { DoNotCard, FixesCard, VerdictCard } from '../../src/ui/verdict-card.js';
import { aDiagnosis, anIncidentView } from '../support/build.js';
import { createManualClock } from '../support/manual-clock.js';
import { entryFor } from '../support/playbooks.js';
import { createScriptedSource, type Script } from '../support/scripted-source.js';

const NOW = Date.UTC(2026, 8, 1, 3, 12);
const SCOPE = { cluster: 'prod-us', namespace: 'serving', model: 'llama-70b' };

/** Eight workers, nothing wrong. */
const HEALTHY: Readonly<Record<string, Script>> = {
  kv_cache_utilization: 0.62,
  queue_depth: 1,
  requests_running: 60,
  batch_size_max: 128,
  kv_blocks_free: 9000,
  preemption_rate: 0,
  gpu_utilization: 0.78,
  gpu_memory_ratio: 0.9,
  generation_tokens_rate: 900,
  prompt_tokens_rate: 3000,
  worker_restarts: 0,
  worker_up: 1,
  ttft_p50_seconds: 0.2,
  ttft_p99_seconds: 1.1,
  tbt_p50_seconds: 0.02,
  tbt_p99_seconds: 0.05,
  prompt_tokens_p50: 900,
  prompt_tokens_p99: 6000,
  long_prompt_share: 0.001,
  request_rate: 24,
  replicas_available: 8,
  error_ratio: 0.0005,
  error_rate_by_type: { byLabel: { timeout: 0.001 } },
  request_rate_by_tenant: { byLabel: { acme: 13, globex: 11 } },
  prompt_tokens_rate_by_tenant: { byLabel: { acme: 13_000, globex: 11_000 } },
};
const SLOW = { ttft_p50_seconds: 4, ttft_p99_seconds: 11.8 };
const FAILING = { error_ratio: 0.08 };
const one = (value: number, others: number) => [value, ...Array<number>(7).fill(others)];
const FULL = {
  ...SLOW,
  kv_cache_utilization: 0.97,
  queue_depth: 70,
  preemption_rate: 1.4,
  gpu_utilization: 0.93,
};

type Case = { readonly changes: Readonly<Record<string, Script>>; readonly rising?: readonly string[] };
const CASES: Readonly<Record<string, Case>> = {
  kv_cache_exhausted: { changes: FULL },
  long_context_kv: {
    changes: { ...FULL, prompt_tokens_p99: 90_000, long_prompt_share: 0.06 },
    rising: ['prompt_tokens_p99'],
  },
  kv_leak: { changes: { ...FULL, requests_running: 2, kv_blocks_free: 0, queue_depth: 60 } },
  hot_worker: {
    changes: {
      ...SLOW,
      kv_cache_utilization: one(0.98, 0.55),
      queue_depth: one(64, 2),
      preemption_rate: one(1.2, 0),
    },
  },
  long_context: {
    changes: {
      ttft_p50_seconds: 0.3,
      ttft_p99_seconds: 9,
      prompt_tokens_p99: 128_000,
      long_prompt_share: 0.05,
    },
  },
  gpu_starved: { changes: { ...SLOW, gpu_utilization: 0.12, queue_depth: 80, requests_running: 4 } },
  capacity_short: { changes: { ...SLOW, gpu_utilization: 0.97, queue_depth: 90, kv_cache_utilization: 0.8 } },
  decode_batch_large: {
    changes: { requests_running: 128, tbt_p50_seconds: 0.12, tbt_p99_seconds: 0.2, gpu_utilization: 0.9 },
  },
  engine_stalled: {
    changes: {
      generation_tokens_rate: one(0, 900),
      prompt_tokens_rate: one(0, 3000),
      queue_depth: one(40, 1),
    },
  },
  worker_lost: { changes: { ...SLOW, worker_up: one(0, 1), replicas_available: 7, queue_depth: 30 } },
  worker_crash: {
    changes: {
      ...FAILING,
      error_rate_by_type: { byLabel: { crash: 2, timeout: 1 } },
      worker_restarts: one(3, 0),
    },
  },
  gpu_oom: {
    changes: {
      ...FAILING,
      error_rate_by_type: { byLabel: { oom: 3, timeout: 0.5 } },
      gpu_memory_ratio: one(0.99, 0.92),
    },
  },
  bad_input: { changes: { ...FAILING, error_rate_by_type: { byLabel: { input: 4, timeout: 0.1 } } } },
  deadline_timeout: { changes: { ...FAILING, ...SLOW, error_rate_by_type: { byLabel: { timeout: 4 } } } },
  noisy_tenant: {
    changes: {
      ...SLOW,
      queue_depth: 70,
      gpu_utilization: 0.96,
      request_rate: 60,
      request_rate_by_tenant: { byLabel: { acme: 45, globex: 15 } },
    },
    rising: ['request_rate'],
  },
};

/** Words of a page, a line each. */
const words = (html: string) =>
  html
    .replace(/<[^>]+>/g, '\n')
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&gt;/g, '>')
    .replace(/&lt;/g, '<')
    .replace(/&amp;/g, '&')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('\n');

test.each(Object.keys(CASES))('%s reads as it should at night', async (cause) => {
  const { changes, rising = [] } = CASES[cause] as Case;
  const entry = entryFor('LLMHighTTFT');
  const table = { ...HEALTHY, ...changes };
  const scripted = createScriptedSource(table, { rising });
  // A tenant that was small before: its part of the past is the others'.
  const source =
    cause === 'noisy_tenant'
      ? {
          ...scripted,
          readRange: (...asked: Parameters<typeof scripted.readRange>) =>
            (asked[0] === 'request_rate_by_tenant' ? createScriptedSource(HEALTHY) : scripted).readRange(
              ...asked,
            ),
        }
      : scripted;
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
  const verdict = decideVerdict(entry, findings, { scope: SCOPE });
  const diagnosis = aDiagnosis({ findings, verdict });
  const view = anIncidentView({ diagnosis });
  const line = headline(view);
  const page = [
    <VerdictCard diagnosis={diagnosis} notDiagnosed={null} key="v" />,
    <FixesCard verdict={verdict} incidentId={412} done={[]} key="f" />,
    <DoNotCard verdict={verdict} key="d" />,
  ].map((part) => words(renderToString(part)));
  const text = [
    '== lock screen',
    line,
    '',
    '== card',
    renderPlainText(view),
    '',
    '== page',
    ...page,
    '',
  ].join('\n');

  expect(verdict.cause).toBe(cause);
  expect(line.length).toBeLessThanOrEqual(MAX_HEADLINE);
  expect(text).not.toContain('not seen on');
  const file = new URL(`../fixtures/causes/${cause}.txt`, import.meta.url);
  if (process.env.UPDATE_GOLDEN === '1' || !existsSync(file)) {
    if (process.env.CI === 'true') throw new Error(`${file.pathname} is missing`);
    writeFileSync(file, text);
  }
  expect(text).toBe(readFileSync(file, 'utf8'));
});
