/**
 * Text Generation Inference 3.3: no model label (the target has to carry one), counters without `_total`, durations on
 * edges of 0.0001 * 1.5^k up to 145.6 s, no TTFT, no KV cache, no preemptions. `tgi_request_count` counts arrivals.
 * Read in router/src of huggingface/text-generation-inference at v3.3.7.
 */

import type { Dialect } from '../dialect.js';
import { finishedPerSecond, generatedTokensPerSecond, MODEL, type Samples } from '../truth.js';
import { growing, workerPages } from './pages.js';

const DURATION = Array.from({ length: 35 }, (_, k) => 0.0001 * 1.5 ** (k + 1));
const INPUT_LENGTH = Array.from({ length: 100 }, (_, k) => (k + 1) * 1310.72);

export const tgi: Dialect = {
  engine: 'tgi',
  honorLabels: false,
  pages: workerPages(
    'tgi',
    'go',
    (page, worker, seconds) => {
      const count = (perSecond: number, labels = {}) => growing(worker, seconds, perSecond, labels);
      const { oom, crash, timeout, overload, input } = worker.errorsPerSecond;
      page.counter('tgi_request_count', count(finishedPerSecond(worker)));
      page.counter('tgi_request_success', count(worker.servedPerSecond + worker.abortedPerSecond));
      page.counter(
        'tgi_request_failure',
        count(input, { err: 'validation' }),
        count(overload, { err: 'overloaded' }),
        count(oom + crash, { err: 'generation' }),
        count(timeout, { err: 'incomplete' }),
      );
      page.gauge('tgi_queue_size', { labels: {}, value: worker.waiting });
      page.gauge('tgi_batch_current_size', { labels: {}, value: worker.running });
      page.gauge('tgi_batch_current_max_tokens', { labels: {}, value: worker.running * 2048 });
      const histogram = (
        name: string,
        edges: readonly number[],
        samples: Samples,
        perSecond = finishedPerSecond(worker),
        labels = {},
      ) => page.histogram(`tgi_${name}`, { labels, edges, samples, observed: count(perSecond).value });
      histogram('request_duration', DURATION, worker.duration);
      histogram('request_queue_duration', DURATION, worker.queueWait);
      histogram('request_mean_time_per_token_duration', DURATION, worker.interToken);
      histogram('batch_inference_duration', DURATION, worker.interToken, generatedTokensPerSecond(worker), {
        method: 'decode',
      });
      histogram('request_input_length', INPUT_LENGTH, worker.promptTokens);
      histogram('request_generated_tokens', [1, 10, 100, 1000, 10_000], worker.outputTokens);
    },
    { labels: { model: MODEL }, withoutProcess: true },
  ),
  edges: { tbt: DURATION, duration: DURATION, queueWait: DURATION, promptTokens: INPUT_LENGTH },
  failures: ['oom', 'crash', 'timeout', 'overload'],
  errorTypes: {
    validation: ['input'],
    overloaded: ['overload'],
    generation: ['oom', 'crash'],
    incomplete: ['timeout'],
  },
};
