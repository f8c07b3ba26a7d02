/** Durations as people write them: `500ms`, `5s`, `5m`, `1h30m`. A number without unit is refused: nobody agrees on which it is. */

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** The duration in ms, or null when the text is none. Units in falling order, each once; `0s` is allowed. */
export function parseDuration(text: string): number | null {
  const match =
    /^(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m(?!s))?(?:(\d{1,6}(?:\.\d{1,3})?)s)?(?:(\d{1,9})ms)?$/.exec(
      text.trim(),
    );
  if (match === null || text.trim() === '') return null;
  const [, days, hours, minutes, seconds, ms] = match;
  const parts: readonly (readonly [string | undefined, string])[] = [
    [days, 'd'],
    [hours, 'h'],
    [minutes, 'm'],
    [seconds, 's'],
    [ms, 'ms'],
  ];
  return Math.round(parts.reduce((sum, [count, unit]) => sum + Number(count ?? 0) * (UNIT_MS[unit] ?? 0), 0));
}
