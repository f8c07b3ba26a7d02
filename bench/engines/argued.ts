/**
 * Where an engine file says "unavailable" though upstream exports something near: the argument. What a reader would
 * take for the signal, and act on, is worse than a gap that is said.
 */

export const ARGUED: Readonly<Record<string, string>> = {
  'vllm kv_blocks_total': 'the number of blocks is the text of a label (vllm:cache_config_info), no value',
  'ray kv_blocks_total': 'the number of blocks is the text of a label (cache_config_info), no value',
  'vllm kv_blocks_free': 'the number of blocks is the text of a label (vllm:cache_config_info), no value',
  'dynamo queue_depth':
    'worker_active_prefill_tokens counts tokens: a threshold in requests would lie by a thousand',
  'trtllm preemption_rate': 'num_paused_requests is a gauge of what is paused now, of which there is no rate',
  'triton preemption_rate': 'paused_requests is a gauge of what is paused now, of which there is no rate',
  'trtllm gpu_memory_ratio': 'the engine reports the bytes it holds, and no capacity to divide them by',
  'dcgm worker_up': 'that the GPU exporter answers scrapes says nothing of the worker on the GPU',
  'triton prefix_cache_hit_ratio': 'reused is a count of blocks, no share of prompts',
  'triton long_prompt_share': 'the last bucket ends at 1000 tokens, so that every usual prompt would be long',
  'triton prompt_tokens_p50': 'the last bucket ends at 1000 tokens, so that no prompt would ever be long',
  'triton prompt_tokens_p99': 'the last bucket ends at 1000 tokens, so that no prompt would ever be long',
  'llm-d requests_running': 'a mean over the pool is no worker, and hides the one that is full',
  'llm-d worker_up': 'that the router answers scrapes says nothing of its workers',
};
