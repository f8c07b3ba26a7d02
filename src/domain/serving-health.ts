/** How a served model is doing, by five checks. No data is `unknown`, never healthy. */

import type { Scope } from './scope.js';
import type { FailureReason } from './signal.js';

export type HealthStatus = 'healthy' | 'warning' | 'critical' | 'unknown';

export type HealthCheck = {
  readonly name: 'gpu' | 'kv_cache' | 'latency' | 'errors' | 'queue';
  readonly status: HealthStatus;
  /** The worst value with its unit; null when none was seen. */
  readonly value: string | null;
  /** One line; for `unknown`: what was not seen, and why. */
  readonly detail: string;
  /** What is wrong, a line a worker or GPU, worst first. */
  readonly issues: readonly string[];
};

export type ServingReport = {
  readonly scope: Scope;
  /** ms since 1970. */
  readonly atMs: number;
  /** The worst of the checks that are known; `unknown` where none is. */
  readonly overall: HealthStatus;
  readonly checks: readonly HealthCheck[];
};

/** A scope whose overall status is another than before. */
export type HealthTransition = {
  readonly scope: Scope;
  readonly atMs: number;
  readonly from: HealthStatus | null;
  readonly to: HealthStatus;
  /** The checks that are not healthy, in words. */
  readonly says: string;
};

/** Where models are served, and by which engines, as their own metrics say. */
export type ScopesFound =
  | {
      readonly kind: 'scopes';
      readonly scopes: readonly { readonly scope: Scope; readonly engines: readonly string[] }[];
      /** Sources that did not answer, each with why: what they serve is missing here. */
      readonly unseen?: readonly string[];
    }
  | { readonly kind: 'failed'; readonly reason: FailureReason; readonly detail: string };

export type FindScopes = (options: {
  readonly atMs: number;
  readonly signal?: AbortSignal;
}) => Promise<ScopesFound>;

const RANK: Readonly<Record<HealthStatus, number>> = { unknown: 0, healthy: 1, warning: 2, critical: 3 };

/** The worst known one; `unknown` only where nothing else is known. */
export function worstStatus(statuses: readonly HealthStatus[]): HealthStatus {
  return statuses.reduce<HealthStatus>((worst, one) => (RANK[one] > RANK[worst] ? one : worst), 'unknown');
}

/** Whether a status is at least as bad as `limit`; what is unknown is not fine, and counts as a warning. */
export function isAtLeast(status: HealthStatus, limit: 'warning' | 'critical'): boolean {
  return status === 'unknown' ? limit === 'warning' : RANK[status] >= RANK[limit];
}
