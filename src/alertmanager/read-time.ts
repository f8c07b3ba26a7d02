/** Times as Alertmanager, Grafana and Go write them. */

/** RFC 3339 with any number of fraction digits; a missing zone is read as UTC. */
const RFC3339 =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:[Zz]|([+-])(\d\d):?(\d\d))?$/;

/**
 * Milliseconds since 1970, or null for anything that says no moment: another type or format, an impossible
 * date, and everything up to 1970, which covers Go's zero time `0001-01-01T00:00:00Z`. A leap second is the
 * second after it. Never throws.
 */
export function readTime(value: unknown): number | null {
  if (typeof value !== 'string' || value.length > 64) return null;
  const match = RFC3339.exec(value);
  if (match === null) return null;
  const [, year, month, day, hour, minute, second, fraction, sign, zoneHours, zoneMinutes] = match;
  if (Number(year) < 1970) return null;
  if (Number(month) < 1 || Number(month) > 12 || Number(day) < 1 || Number(day) > 31) return null;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return null;
  const ms = fraction === undefined ? 0 : Number(fraction.slice(0, 3).padEnd(3, '0'));
  const local = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
    ms,
  );
  const offsetMinutes = sign === undefined ? 0 : Number(zoneHours) * 60 + Number(zoneMinutes);
  const time = local - (sign === '-' ? -offsetMinutes : offsetMinutes) * 60_000;
  return time > 0 ? time : null;
}
