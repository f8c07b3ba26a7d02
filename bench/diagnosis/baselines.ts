/** Two ways to name a cause without weighing evidence, on the same findings. */

import { decideVerdict } from '../../src/diagnosis/verdict.js';
import type { Finding } from '../../src/domain/verdict.js';
import type { PlaybookEntry } from '../../src/playbook/schema.js';

/** What a runbook says of each check that fails; the symptom's own checks say nothing. */
const TEXTBOOK: Readonly<Record<string, string>> = {
  kv_cache: 'kv_cache_exhausted',
  queue: 'capacity_short',
  queue_balance: 'hot_worker',
  context_length: 'long_context',
  gpu: 'gpu_starved',
  progress: 'engine_stalled',
  preemptions: 'kv_cache_exhausted',
  preemption_reasons: 'kv_cache_exhausted',
  free_blocks: 'kv_cache_exhausted',
  held_blocks: 'kv_leak',
  batch: 'decode_batch_large',
  gpu_memory: 'gpu_oom',
  fragmentation: 'fragmentation',
  memory_trend: 'memory_leak',
  restarts: 'worker_crash',
  workers_up: 'worker_crash',
};

const OF_ERRORS: Readonly<Record<string, string>> = {
  oom: 'gpu_oom',
  crash: 'worker_crash',
  timeout: 'deadline_timeout',
  input: 'bad_input',
};

/** The static checklist: from the top, the first check that fails names its textbook cause. */
export function checklistCause(findings: readonly Finding[]): string | null {
  for (const finding of findings) {
    if (finding.status !== 'fail') continue;
    const cause = finding.stepId === 'error_types' ? worstError(finding) : TEXTBOOK[finding.stepId];
    if (cause !== undefined) return cause;
  }
  return null;
}

function worstError({ numbers }: Finding): string | undefined {
  const shares = Object.entries(OF_ERRORS).map(
    ([type, cause]) => [numbers[`share.${type}`] ?? 0, cause] as const,
  );
  const [worst] = shares.sort(([a], [b]) => b - a);
  return worst !== undefined && worst[0] > 0 ? worst[1] : undefined;
}

/** Plain thresholds: the cause with most failing checks for it; nothing refutes, nothing beats, nothing must be absent. */
export function thresholdsCause(entry: PlaybookEntry, findings: readonly Finding[]): string | null {
  const causes = entry.causes.map((cause) => ({
    ...cause,
    beats: [],
    refutedBy: [],
    requires: cause.requires.flatMap(({ anyOf, ...requirement }) => {
      const plain = anyOf.filter(({ is }) => is.kind !== 'status' || is.status === 'fail');
      return plain.length === 0 ? [] : [{ ...requirement, anyOf: plain }];
    }),
  }));
  return decideVerdict({ ...entry, causes }, findings).cause;
}
