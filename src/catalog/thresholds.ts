/**
 * Every limit the product judges by, in this one place: rules, health, playbooks and pages name them.
 * Source of the figures: a 70B model on 8 × H100, spec tables; an operator overrides any of them by name.
 */

export type Thresholds = Readonly<Record<string, number>>;

export const DEFAULT_THRESHOLDS: Thresholds = Object.freeze({
  // Lower wakes people for one slow start-up; higher than 5 s and chat users have left before the page.
  'ttft_p50_seconds.warning': 0.5,
  'ttft_p50_seconds.critical': 1,
  'ttft_p99_seconds.warning': 2,
  'ttft_p99_seconds.critical': 5,
  // 0.15 s between tokens is slower than people read.
  'tbt_p50_seconds.warning': 0.03,
  'tbt_p50_seconds.critical': 0.05,
  'tbt_p99_seconds.warning': 0.08,
  'tbt_p99_seconds.critical': 0.15,
  // Decided at 1 % / 5 % for alerts and health; the dashboard colours earlier, at 0.1 % / 1 %.
  'error_ratio.warning': 0.01,
  'error_ratio.critical': 0.05,
  // Preemptions start at about 0.95. `full` is where prefill starts to wait for blocks: a step that fails
  // only at 0.95 would miss a cache that oscillates around its watermark.
  'kv_cache_utilization.warning': 0.85,
  'kv_cache_utilization.full': 0.9,
  'kv_cache_utilization.critical': 0.95,
  'queue_depth.healthy': 20,
  'queue_depth.warning': 50,
  'queue_depth.critical': 200,
  'preemption_rate.healthy': 0.01,
  'preemption_rate.warning': 0.1,
  'preemption_rate.critical': 1,
  // Utilisation is never critical by itself; below `half` under load it points at scheduling, not compute.
  'gpu_utilization.idle': 0.1,
  'gpu_utilization.low': 0.3,
  'gpu_utilization.half': 0.5,
  'gpu_utilization.busy': 0.85,
  'gpu_utilization.high': 0.95,
  'gpu_utilization.saturated': 0.99,
  'gpu_memory_ratio.warning': 0.9,
  'gpu_memory_ratio.critical': 0.95,
  'gpu_memory_ratio.full': 0.99,
  // A prompt of 32k tokens takes several prefill rounds on every engine; 5 % of them already set the p99.
  'prompt_tokens.long': 32_768,
  'long_prompt_share.high': 0.02,
  'kv_blocks_free.none': 1,
  'kv_fragmentation_ratio.high': 0.5,
  'queue_wait_p99_seconds.warning': 2,
});

/** A threshold by its dotted name. Throws on an unknown name: names are checked when playbooks and configuration load. */
export function threshold(thresholds: Thresholds, name: string): number {
  const value = Object.hasOwn(thresholds, name) ? thresholds[name] : undefined;
  if (value === undefined)
    throw new Error(`no threshold is called "${name}"; known: ${Object.keys(thresholds).join(', ')}`);
  return value;
}
