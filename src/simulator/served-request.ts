/** What a worker serves and how it ends. */

export type ServedRequest = {
  readonly id: number;
  readonly arrivedMs: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly endpoint: string;
  readonly priority: string;
};

export type ServedOutcome =
  | { readonly kind: 'ok' }
  /** The caller gave up waiting for its first token. */
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'error'; readonly errorType: string };
