/** What was not seen, said once a reason: a source that hangs gives one reason for sixteen checks. */

import type { Finding } from '../domain/verdict.js';

export type UnseenGroup = { readonly titles: readonly string[]; readonly because: string };

/**
 * Groups the sentences of a verdict (`title: reason`) by their reason, in the order of their first check. A sentence
 * that belongs to no finding stands alone, without a title.
 */
export function groupUnseen(unseen: readonly string[], findings: readonly Finding[]): UnseenGroup[] {
  const groups = new Map<string, string[]>();
  for (const sentence of unseen) {
    const title = findings.find((finding) => sentence.startsWith(`${finding.title}: `))?.title;
    const because = title === undefined ? sentence : sentence.slice(title.length + 2);
    const titles = groups.get(because) ?? [];
    if (title !== undefined) titles.push(title);
    groups.set(because, titles);
  }
  return [...groups].map(([because, titles]) => ({ titles, because }));
}

/** "KV cache utilization · Queue depth: no answer within 3 s". Titles have commas of their own. */
export function unseenInWords({ titles, because }: UnseenGroup): string {
  return titles.length === 0 ? because : `${titles.join(' · ')}: ${because}`;
}
