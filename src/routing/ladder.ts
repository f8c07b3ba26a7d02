/** Whom an unanswered page goes to next: the ladder of the receiver that has it. */

import type { ReceiverKind } from './route-table.js';

export type LadderReceiver = {
  readonly name: string;
  readonly kind: ReceiverKind;
  /** As it is written in the configuration; every other pager in turn when absent. */
  readonly ladder?: readonly string[];
};

/** The next receiver, and whose ladder leads to it. */
export type Rung = { readonly receiver: string; readonly owner: string };

/**
 * Rungs that have no page of an episode yet, the next first. `routed` are the receivers that the routes asked for,
 * `paged` all that have a page.
 */
export function rungsLeft(
  receivers: readonly LadderReceiver[],
  routed: readonly string[],
  paged: ReadonlySet<string>,
): Rung[] {
  const rungs: Rung[] = [];
  const known = new Map(receivers.map((one) => [one.name, one]));
  const pagers = receivers.filter((one) => one.kind === 'pagerduty').map((one) => one.name);
  for (const owner of routed) {
    for (const receiver of known.get(owner)?.ladder ?? pagers) {
      if (!known.has(receiver) || paged.has(receiver)) continue;
      if (!rungs.some((one) => one.receiver === receiver)) rungs.push({ receiver, owner });
    }
  }
  return rungs;
}
