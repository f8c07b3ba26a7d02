/**
 * Text Generation Inference 3.3, DCGM and kube-state-metrics beside it: no model label (the target carries it), counters
 * without `_total`, durations on edges of 0.0001 * 1.5^k; no TTFT, no KV cache, no preemptions. Read in router/src of
 * huggingface/text-generation-inference at v3.3.7.
 */

import { companionPages } from './companions.js';
import { endingsOf } from './endings-of.js';
import type { SnapshotDialect } from './snapshot-dialect.js';
import { workerPages } from './worker-pages.js';

const DURATION = Array.from({ length: 35 }, (_, k) => 0.0001 * 1.5 ** (k + 1));
const INPUT_LENGTH = Array.from({ length: 100 }, (_, k) => (k + 1) * 1310.72);

export const tgi: SnapshotDialect = {
  engine: 'tgi',
  spelling: 'go',
  pages: (snapshot, clock) => [
    ...workerPages(
      'tgi',
      snapshot,
      clock,
      (page, worker) => {
        const { stop, abort, error } = worker.finishes;
        page.value('tgi_request_count', {}, stop + abort + error + worker.running + worker.waiting);
        const { input, failed, left } = endingsOf(worker);
        page.value('tgi_request_success', {}, stop + left);
        page.value('tgi_request_failure', { err: 'validation' }, input);
        page.value('tgi_request_failure', { err: 'overloaded' }, 0);
        page.value('tgi_request_failure', { err: 'generation' }, failed);
        page.value('tgi_request_failure', { err: 'incomplete' }, 0);
        page.value('tgi_queue_size', {}, worker.waiting);
        page.value('tgi_batch_current_size', {}, worker.running);
        page.histogram('tgi_request_duration', {}, worker.duration, DURATION);
        page.histogram('tgi_request_queue_duration', {}, worker.requestQueue, DURATION);
        page.histogram('tgi_batch_inference_duration', { method: 'decode' }, worker.interToken, DURATION);
        page.histogram('tgi_request_input_length', {}, worker.promptLength, INPUT_LENGTH);
        page.histogram('tgi_request_generated_tokens', {}, worker.outputLength, [1, 10, 100, 1000, 10_000]);
      },
      { target: ({ model }) => ({ model }), withoutProcess: true },
    ),
    ...companionPages(snapshot),
  ],
};
