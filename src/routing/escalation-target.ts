/** Who is behind the name that an escalation goes to. */

import type { ReceiverRef } from './route-table.js';

/** By lower-case name: `infrastructure` → receivers. */
export type EscalationTargets = Readonly<Record<string, readonly string[]>>;

/** Its receivers: those of the target of that name, else the receiver that is called so. Empty where nobody is. */
export function receiversOf(
  to: string,
  targets: EscalationTargets,
  receivers: readonly ReceiverRef[],
): readonly ReceiverRef[] {
  const name = to.trim().toLowerCase();
  const named = Object.hasOwn(targets, name) ? (targets[name] ?? []) : [to.trim()];
  return receivers.filter((one) => named.includes(one.name));
}
