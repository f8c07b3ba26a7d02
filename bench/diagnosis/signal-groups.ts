/**
 * Series by what they show, in every dialect's own names: what a blind twin leaves out. A name belongs to the group
 * without which nobody could work the quantity out.
 */

export const SIGNAL_GROUPS = {
  kv: /^(vllm:kv_cache_usage_perc|llm_kv_(cache_utilization|blocks_free|blocks_total)|sglang:(token_usage|num_used_tokens|max_total_num_tokens)|dynamo_component_(gpu_cache_usage_percent|total_blocks)|trtllm_kv_cache_(utilization|free_blocks|used_blocks|max_blocks))$/,
  queue:
    /^(vllm:num_requests_waiting|llm_queue_depth|llm_requests_in_progress|sglang:num_queue_reqs|tgi_queue_size|trtllm_num_requests_waiting|dynamo_component_inflight_requests)$/,
  prompt_length:
    /^(vllm:request_prompt_tokens|llm_prompt_tokens|sglang:prompt_tokens_histogram|tgi_request_input_length|dynamo_frontend_input_sequence_tokens)_(bucket|count|sum)$/,
  batch:
    /^(vllm:num_requests_running|llm_batch_size|llm_batch_size_max|sglang:num_running_reqs|tgi_batch_current_size|trtllm_num_requests_running|trtllm_max_batch_size_runtime)$/,
  gpu: /^(llm_gpu_utilization|DCGM_FI_DEV_GPU_UTIL)$/,
  gpu_memory:
    /^(llm_gpu_memory_(used|total)_bytes|DCGM_FI_DEV_FB_(USED|FREE|RESERVED)|trtllm_gpu_memory_usage_bytes)$/,
  tenant: /^llm_requests_total$/,
  progress:
    /^(vllm:generation_tokens_total|llm_generated_tokens_total|llm_tokens_per_second|sglang:(realtime_tokens_total|generation_tokens_total)|dynamo_frontend_output_tokens_total|trtllm_generation_tokens_total|tgi_request_generated_tokens_(sum|count))$/,
  restarts:
    /^(llm_worker_restarts_total|process_start_time_seconds|up|kube_pod_container_status_restarts_total|kube_pod_status_ready)$/,
  error_types:
    /^(llm_error_total|http_requests_total|vllm:request_success_total|sglang:http_responses_total|dynamo_frontend_requests_total|tgi_request_failure|trtllm_request_error_total)$/,
} as const satisfies Readonly<Record<string, RegExp>>;

export type SignalGroup = keyof typeof SIGNAL_GROUPS;

/** Steps of the playbooks that read a group: one of them has to be among what a verdict says it did not see. */
export const STEPS_OF: Readonly<Record<SignalGroup, RegExp>> = {
  kv: /kv|block|memory/i,
  queue: /queue|balance/i,
  prompt_length: /context|prompt/i,
  batch: /batch/i,
  gpu: /gpu util/i,
  gpu_memory: /memory/i,
  tenant: /tenant|request rate|requests/i,
  progress: /token|progress/i,
  restarts: /restart|worker/i,
  error_types: /error/i,
};
