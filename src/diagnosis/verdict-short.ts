/** What fits on a lock screen. */

export const MAX_SHORT_CHARS = 40;

/** At most 40 characters, cut at a word where there is one. */
export function shorten(text: string): string {
  if (text.length <= MAX_SHORT_CHARS) return text;
  const cut = text.slice(0, MAX_SHORT_CHARS - 1);
  const space = cut.lastIndexOf(' ');
  const kept = space > MAX_SHORT_CHARS / 2 ? cut.slice(0, space) : cut;
  return `${kept.toWellFormed().replace(/[\s,:;.]+$/, '')}…`;
}
