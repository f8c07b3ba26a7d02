/** What one engine shows of the fleet, and what can be known from it. */

import type { Expectation } from './expectations.js';
import type { Labels } from './exposition.js';
import type { ErrorKind } from './truth.js';

export type Page = {
  /** What service discovery attaches, beside cluster and namespace. `pod` names the scraped process. */
  readonly labels: Labels;
  /** The page after `seconds`; `startedAt` is the fleet's start, seconds since 1970. */
  readonly render: (seconds: number, startedAt: number) => string;
};

export type Dialect = {
  readonly engine: string;
  readonly pages: readonly Page[];
  /** As usual for this exporter: true keeps the exporter's own labels where target labels collide. */
  readonly honorLabels: boolean;
  /** Bucket edges, by what they hold; absent where the engine has no such histogram. */
  readonly edges: {
    readonly ttft?: readonly number[];
    readonly tbt?: readonly number[];
    readonly duration?: readonly number[];
    readonly queueWait?: readonly number[];
    readonly promptTokens?: readonly number[];
  };
  /** Kinds of failure that its error figures count: most leave out what the caller did wrong. */
  readonly failures: readonly ErrorKind[];
  /** Error type as the signal names it → the kinds it stands for; `other` for what it does not tell apart. */
  readonly errorTypes: Readonly<Record<string, readonly (ErrorKind | 'abort')[]>>;
  /** What a signal has to read where the engine shows something near it, by signal. */
  readonly proxies?: Readonly<Record<string, Expectation>>;
};
