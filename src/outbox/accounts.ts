/** Receivers by what their provider counts by: those with one key or channel share an account and its budget. */

import type { Budget, Receiver } from '../receivers/receiver.js';

export type Account = {
  readonly name: string;
  readonly receivers: readonly string[];
  /** Null where nothing is counted. */
  readonly budget: Budget | null;
};

/** The accounts of these receivers, in their order. */
export function accountsOf(receivers: Iterable<Receiver>): Account[] {
  const accounts = new Map<string, { name: string; receivers: string[]; budget: Budget | null }>();
  for (const receiver of receivers) {
    const name = receiver.account ?? receiver.name;
    const account = accounts.get(name);
    if (account === undefined) {
      accounts.set(name, { name, receivers: [receiver.name], budget: receiver.budget ?? null });
    } else account.receivers.push(receiver.name);
  }
  return [...accounts.values()];
}
