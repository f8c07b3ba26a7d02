/** Creates a silence at one of the peers: they tell each other, so the first that takes it is enough. */

import type { Matcher } from '../domain/labels.js';
import type { AlertmanagerClient, NewSilence } from './alertmanager-client.js';
import type { HeldSilence } from './api-answers.js';

export type CreatedSilence =
  | { readonly kind: 'created'; readonly id: string }
  | { readonly kind: 'failed'; readonly detail: string };

/**
 * Tries each peer in turn. Where a request may have arrived without an answer, the silence is looked for before
 * another peer is asked, so that there are not two of it. Never throws.
 */
export async function createSilence(
  clients: readonly AlertmanagerClient[],
  silence: NewSilence,
): Promise<CreatedSilence> {
  const faults: string[] = [];
  let maybeSent = false;
  for (const client of clients) {
    if (maybeSent) {
      const known = await client.silences();
      const same = known.kind === 'ok' ? known.value.find((one) => isSame(one, silence)) : undefined;
      if (same !== undefined) return { kind: 'created', id: same.id };
    }
    const answer = await client.createSilence(silence);
    if (answer.kind === 'ok') return { kind: 'created', id: answer.value };
    faults.push(answer.detail);
    maybeSent ||= answer.sent;
  }
  return { kind: 'failed', detail: faults.join('; ') };
}

function isSame(held: HeldSilence, wanted: NewSilence): boolean {
  return (
    held.state !== 'expired' &&
    held.createdBy === wanted.createdBy &&
    held.comment === wanted.comment &&
    textOf(held.matchers) === textOf(wanted.matchers)
  );
}

function textOf(matchers: readonly Matcher[]): string {
  const texts = matchers.map(({ name, operator, value }) => JSON.stringify([name, operator, value]));
  return texts.sort().join();
}
