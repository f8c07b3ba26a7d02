/** Text that every database stores and compares alike: no NUL, no half surrogate pairs, bounded. */
export function storable(text: string, maxChars: number): string {
  const short = text.length > maxChars ? `${text.slice(0, maxChars - 1)}…` : text;
  return short.toWellFormed().replaceAll('\0', '\uFFFD');
}
