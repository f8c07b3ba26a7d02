/** What an alert of ours is: one definition, from which the PromQL rule and the in-process evaluator are made. */

import type { Severity } from '../domain/severity.js';

/**
 * `scope`: the signal's one value. `max`: the worst worker's, which is the lowest where low is bad; `sum`, `median`: over
 * the workers. `workers`: how many workers are beyond the threshold; it holds with one.
 */
export type Aggregate = 'scope' | 'max' | 'sum' | 'median' | 'workers';

type Comparison = {
  readonly signal: string;
  readonly over: '>' | '<';
  /** Name of a catalog threshold. */
  readonly threshold: string;
};

/** What is compared in place of the present value. Spans are ms at time scale 1. */
export type Past = {
  readonly agoMs: number;
  /** The mean over so long around that time: one sample is no baseline. */
  readonly overMs: number;
  /**
   * `value`: what it was then. `fall`: then less now. `times`: now over then, +Inf where it was 0; the alert still shows
   * the present value.
   */
  readonly as: 'value' | 'fall' | 'times';
};

export type SideCondition = Comparison & {
  readonly aggregate: Aggregate;
  /** Only the part of a split signal with this value of its label, such as error_type = oom. */
  readonly where?: { readonly label: string; readonly value: string };
  /**
   * Compares the rise over `overMs` in place of the value: each worker's for `max`, the total's for `sum`. `from`
   * names the threshold that it must have been above by then, so that a start is not taken for growth.
   */
  readonly rise?: { readonly overMs: number; readonly from?: string };
  readonly past?: Past;
  /** Holds while there is no value, but was one so long ago or less. Nothing is compared. */
  readonly gone?: { readonly withinMs: number };
  /** With `workers`: on the same worker one of these must hold as well. */
  readonly while?: readonly Comparison[];
  /** Does not hold while this does. What cannot be seen excuses nothing. */
  readonly unless?: SideCondition;
};

export type AlertCondition = SideCondition & {
  /** Any of these in place of the main one. */
  readonly or?: readonly SideCondition[];
  /** At least one of these must hold as well. */
  readonly and?: { readonly anyOf: readonly SideCondition[] };
  /**
   * Also fires, with the value +Inf, when requests are held and no token comes out: a latency histogram counts
   * only what came out, so it falls silent in a stall, which is the worst latency of all.
   */
  readonly orStalled?: true;
};

export type AlertDefinition = {
  readonly name: string;
  readonly severity: Severity;
  readonly forMs: number;
  /** Window of rates and quantiles in ms. */
  readonly windowMs: number;
  readonly condition: AlertCondition;
  /** Graver alerts that say the same: while one of them fires at the same place, this one is not sent. */
  readonly inhibitedBy?: readonly string[];
  readonly title: string;
  /** Prometheus template: `{{ $value }}` is the present value, which may be +Inf. */
  readonly summary: string;
};

/** Every condition that an alert's definition is made of, the main one first. */
export function conditionsOf({ condition }: AlertDefinition): SideCondition[] {
  const all = [condition, ...(condition.or ?? []), ...(condition.and?.anyOf ?? [])];
  return all.flatMap((one) => (one.unless === undefined ? [one] : [one, one.unless]));
}
