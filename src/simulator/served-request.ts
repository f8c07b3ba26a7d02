/** What a worker serves and how it ends. */

export type ServedRequest = {
  readonly id: number;
  readonly arrivedMs: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly endpoint: string;
  readonly priority: string;
  /** The gateway's series this request counts in. */
  readonly classIndex: number;
  /** Requests of one id begin with the same `prefixTokens` tokens; negative for none. */
  readonly prefixId: number;
  readonly prefixTokens: number;
  /** The gateway gives up on it after this long, whatever it has received. */
  readonly deadlineMs: number;
  /** Malformed: the tokeniser refuses it. */
  readonly isInvalid: boolean;
};

export type ServedOutcome =
  | { readonly kind: 'ok' }
  /** The caller gave up waiting for its first token. */
  | { readonly kind: 'cancelled' }
  /** Turned away on purpose, before any work: a limit, a cap, a block. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'error'; readonly errorType: string };
