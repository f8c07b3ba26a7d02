/**
 * The key of a second page. A pager collapses a trigger on the open problem of its key and notifies nobody again
 * (PagerDuty Events API v2, "De-duplication and grouping"), so a reminder stands under a key of its own.
 */

const SUFFIX = '.2';

/** At most 255 characters at PagerDuty; episode keys have 64. */
export function secondPageKey(dedupKey: string): string {
  return `${dedupKey}${SUFFIX}`;
}

/** The episode's key behind either of its pager keys: what a pager's answer is about. */
export function episodeKeyOf(pagerKey: string): string {
  return pagerKey.endsWith(SUFFIX) ? pagerKey.slice(0, -SUFFIX.length) : pagerKey;
}
