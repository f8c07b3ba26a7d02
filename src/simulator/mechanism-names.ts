/** Every mechanism a run can inject: the label that a diagnosis is measured against. */
export const MECHANISMS = [
  'healthy',
  'kv_load',
  'kv_long_prompts',
  'kv_leak',
  'long_prefill',
  'hot_worker',
  'decode_batch',
  'gpu_starved',
  'wedged',
  'worker_lost',
  'worker_restarting',
  'gpu_oom',
  'errors_input',
  'errors_timeout',
  'errors_crash',
  'over_capacity',
  'noisy_tenant',
  'recovered',
  'traffic_peak',
  'kv_high_fine',
  'rolling_deploy',
] as const;

export type Mechanism = (typeof MECHANISMS)[number];

/** Those that are no fault: an alert about them, or a cause named for them, is a false one. */
export const BENIGN_MECHANISMS: readonly Mechanism[] = [
  'healthy',
  'traffic_peak',
  'kv_high_fine',
  'rolling_deploy',
];
