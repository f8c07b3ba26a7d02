/** Names that texts may quote besides the numbers of steps: what is worked out from several of them. */

/** By what they are about. Whoever has no such figure leaves the sentence out: write it in `[[ ]]`. */
export const COMPUTED: Readonly<Record<string, readonly string[]>> = {
  /** Minutes until the KV cache is full at the present slope. */
  kv_cache: ['minutes_to_full', 'filling'],
  /** Workers that the present rate needs. */
  replicas: ['needed', 'assumes'],
  /** What refusing long prompts takes off. */
  context_cap: ['freed', 'assumes'],
};

/** Whether `{about.name}` is worked out rather than read. */
export function isComputed(about: string, name: string): boolean {
  return Object.hasOwn(COMPUTED, about) && (COMPUTED[about] ?? []).includes(name);
}
