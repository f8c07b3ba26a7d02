/**
 * Every limit the product judges by, in this one place: rules, health, playbooks and pages name them.
 * The figures are for a 70B model on 8 × H100; an operator overrides any of them by name in the configuration.
 */

export type Thresholds = Readonly<Record<string, number>>;

/** A figure and its argument: what goes wrong when it is lower, and when it is higher. */
export type ThresholdDefinition = { readonly value: number; readonly why: string };

/** By dotted name: the signal, then what reaching it means. Units are those of the signal. */
export const THRESHOLD_DEFINITIONS: Readonly<Record<string, ThresholdDefinition>> = Object.freeze({
  'ttft_p50_seconds.warning': because(
    0.5,
    'twice the healthy median of 0.1 to 0.3 s; lower trips on one cold prefix cache',
  ),
  'ttft_p50_seconds.critical': because(
    1,
    'half of all users wait a second for anything to appear; higher and they have left',
  ),
  'ttft_p99_seconds.warning': because(
    2,
    'above the healthy 0.5 to 1.5 s; lower fires on every burst of long prompts',
  ),
  'ttft_p99_seconds.critical': because(
    5,
    'chat users give up at about 5 s; lower pages for one slow start, higher after they left',
  ),
  'tbt_p50_seconds.warning': because(0.03, 'above the healthy 15 to 25 ms; lower fires on ordinary batches'),
  'tbt_p50_seconds.critical': because(
    0.05,
    '20 tokens/s, near reading speed; higher and text visibly crawls',
  ),
  'tbt_p99_seconds.warning': because(
    0.08,
    'one gap in a hundred is noticed; lower fires on every chunk of prefill',
  ),
  'tbt_p99_seconds.critical': because(
    0.15,
    'slower than people read, and an edge of the histogram, so the quantile is exact there',
  ),
  'error_ratio.warning': because(
    0.01,
    'decided: alerts and health at 1 %; the dashboard colours earlier, at 0.1 %',
  ),
  'error_ratio.critical': because(
    0.05,
    'decided: 5 %; lower pages for one bad client, higher hides a dead worker of sixteen',
  ),
  'error_ratio.visible': because(
    0.001,
    'where the dashboard turns yellow: ten times the healthy figure of 0.01 %',
  ),
  'ttft_p99_seconds.noticed': because(
    0.5,
    'the bottom of the healthy 0.5 to 1.5 s: below it twice of yesterday is still fast',
  ),
  'tbt_p99_seconds.noticed': because(0.04, 'half of what warns: below it nobody sees a difference'),
  'ttft_p99_seconds.deviation': because(
    2,
    'times the same hour yesterday; days differ by less, regressions by more',
  ),
  'tbt_p99_seconds.deviation': because(2, 'times the same hour yesterday, as for the first token'),
  'error_ratio.deviation': because(
    3,
    'times the same hour yesterday; a ratio of rare events doubles by chance',
  ),
  'request_rate.surge': because(2, 'times the same hour yesterday; weekdays differ by less'),
  'request_rate.drop': because(0.5, 'of the same hour yesterday; lower misses one lost caller of two'),
  'request_rate.none': because(0.001, 'less than one request in a quarter of an hour'),
  'request_rate.some': because(0.1, 'six a minute; less is a probe, whose absence means nothing'),
  'generation_tokens_rate.none': because(
    0.01,
    'less than a token in 100 s; a prefill worker gives one a request, so 1/s would call it hung',
  ),
  'worker_up.down': because(1, 'a worker answers scrapes or does not'),
  'replicas_available.fall': because(0.5, 'half a worker: the figure an hour ago is a mean'),
  'error_rate_by_type.any': because(0, 'one out-of-memory error is evidence: a healthy pool has none at all'),
  'kv_cache_utilization.warning': because(
    0.85,
    'the top of the healthy 50 to 85 %; lower calls good use of memory a problem',
  ),
  'kv_cache_utilization.full': because(
    0.9,
    'prefill starts to wait for blocks; at 0.95 a cache swinging around its watermark is missed',
  ),
  'kv_cache_utilization.critical': because(
    0.95,
    'preemptions start at about here; higher and throughput has collapsed before the alert',
  ),
  'queue_depth.none': because(0, 'one request held is enough to call for progress'),
  'queue_depth.healthy': because(
    20,
    'a burst drained within a second or two; lower calls every burst a queue',
  ),
  'queue_depth.warning': because(
    50,
    'several seconds of work wait; lower fires on bursts that drain by themselves',
  ),
  'queue_depth.critical': because(
    200,
    'a whole batch of the largest size waits; decided: warning as an alert, critical in health',
  ),
  'queue_depth.growth': because(10, 'requests gained over five minutes; fewer is the noise of arrivals'),
  'preemption_rate.healthy': because(0.01, 'one in 100 s; vLLM itself calls rare preemption normal'),
  'preemption_rate.warning': because(
    0.1,
    'one in 10 s wastes visible prefill; lower fires on one long request',
  ),
  'preemption_rate.critical': because(1, 'each second a request starts over; higher and nothing finishes'),
  'gpu_utilization.idle': because(
    0.1,
    'nothing runs; never critical by itself, since no traffic looks the same',
  ),
  'gpu_utilization.low': because(0.3, 'half of the healthy 60 %; lower misses a worker starved of work'),
  'gpu_utilization.half': because(0.5, 'below it under load the bottleneck is scheduling, not compute'),
  'gpu_utilization.busy': because(0.85, 'near the top of the healthy 60 to 90 %: compute is in use'),
  'gpu_utilization.high': because(
    0.95,
    'no headroom for a burst; lower calls full use of the hardware a problem',
  ),
  'gpu_utilization.saturated': because(
    0.99,
    'every sample busy: a hang in a collective looks the same, so progress is checked beside it',
  ),
  'gpu_memory_ratio.warning': because(
    0.9,
    'where engines with a pool stand for ever: a warning in health, no alert by itself',
  ),
  'gpu_memory_ratio.critical': because(
    0.95,
    'activations of one large batch no longer fit; lower is a standing alarm on every pool',
  ),
  'gpu_memory_ratio.full': because(0.99, 'the next allocation of any size fails'),
  'gpu_memory_ratio.growth': because(
    0.02,
    '1.6 GB of 80 beyond the pool in ten minutes; less is what fragmentation of activations moves',
  ),
  'gpu_memory_ratio.loaded': because(
    0.5,
    'weights are in by then: what came before is the start, not a leak',
  ),
  'prompt_tokens.long': because(
    32_768,
    'several prefill rounds on every engine, and an edge of the canonical histogram',
  ),
  'long_prompt_share.high': because(0.02, 'one prompt in fifty already sets the p99; 5 % would miss it'),
  'kv_blocks_free.none': because(1, 'fewer than one whole block: nothing can be admitted'),
  'kv_fragmentation_ratio.high': because(
    0.5,
    'half of what is free cannot be used; paged caches stay near zero',
  ),
  'queue_wait_p99_seconds.warning': because(
    2,
    'the whole of the warning budget for the first token is spent waiting',
  ),
  'request_rate.grown': because(
    1.4,
    'times the rate before: within the headroom of a fleet at 75 %; lower is the swing of an ordinary hour',
  ),
  'request_rate_by_tenant.dominant': because(
    0.4,
    'two requests in five come from one tenant; an ordinary large customer stays below, or was above before',
  ),
  'request_rate_by_tenant.grown': because(
    1.3,
    'times its share before: a tenant that was always this large is not what changed',
  ),
  'requests_running.surge': because(
    1.25,
    'times the batch before: more decode in every step; lower is the noise of lengths',
  ),
  'generation_tokens_rate.stuck': because(
    1,
    'tokens/s of a worker that holds requests; one request alone makes 40',
  ),
  'generation_tokens_rate.collapsed': because(
    0.7,
    'times the tokens before, while requests wait; higher is what longer prompts cost',
  ),
  'kv_cache_utilization.held': because(
    0.8,
    'times the requests that a full cache held before; preemption and mixture move it by a tenth',
  ),
  'kv_cache_utilization.uneven': because(
    0.6,
    'times the requests that a full cache of the median worker holds; one long prompt among forty stays above',
  ),
  'prompt_tokens.sizeable': because(
    10_000,
    'five rounds of chunked prefill, and an edge of every 1-2-5 histogram; lower is a long chat',
  ),
  'prompt_tokens.multiple': because(
    1.5,
    'times the p99 before: huge prompts came in; lower is the noise of a small fleet',
  ),
  'prompt_tokens.grown': because(
    1.25,
    'times the p99 before: a mixture that stays moves it by a tenth, in a coarse histogram as well',
  ),
  'tbt_p99_seconds.grown': because(
    1.8,
    'times the p99 before: steps took a multiple; a busy hour within capacity moves it by half',
  ),
  'replicas_available.lost': because(0.97, 'times the workers before: one of thirty-two is missing'),
  'error_rate_by_type.share': because(
    0.3,
    'of the errors have one type; lower names a cause that explains too little of them',
  ),
});

/** The figures alone, by name. */
export const DEFAULT_THRESHOLDS: Thresholds = Object.freeze(
  Object.fromEntries(Object.entries(THRESHOLD_DEFINITIONS).map(([name, { value }]) => [name, value])),
);

/**
 * The defaults with an operator's own figures in their place. Unknown names and values that are no finite
 * numbers are all reported at once; none is silently dropped.
 */
export function overrideThresholds(
  overrides: Readonly<Record<string, number>>,
):
  | { readonly kind: 'ok'; readonly thresholds: Thresholds }
  | { readonly kind: 'faulty'; readonly faults: string[] } {
  const faults = Object.entries(overrides).flatMap(([name, value]) => {
    if (!Object.hasOwn(DEFAULT_THRESHOLDS, name))
      return [`thresholds.${name}: no threshold is called "${name}"`];
    return Number.isFinite(value) ? [] : [`thresholds.${name}: found ${String(value)}, expected a number`];
  });
  return faults.length > 0
    ? { kind: 'faulty', faults }
    : { kind: 'ok', thresholds: Object.freeze({ ...DEFAULT_THRESHOLDS, ...overrides }) };
}

/** A threshold by its dotted name. Throws on an unknown name: names are checked when playbooks and configuration load. */
export function threshold(thresholds: Thresholds, name: string): number {
  const value = Object.hasOwn(thresholds, name) ? thresholds[name] : undefined;
  if (value === undefined)
    throw new Error(`no threshold is called "${name}"; known: ${Object.keys(thresholds).join(', ')}`);
  return value;
}

function because(value: number, why: string): ThresholdDefinition {
  return { value, why };
}
