/** The kinds of value our configuration knows. Each says itself what it found and what it expected. */

import { validate as isCron } from 'node-cron';
import { z } from 'zod';
import { parseDuration } from './duration.js';
import { createSecret, type Secret } from './secret.js';

/** Text or a plain scalar as a reader wrote it, shortened; never used for secrets. */
export function describeValue(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object') return 'a map';
  const text = String(value);
  return `"${text.length > 60 ? `${text.slice(0, 60)}…` : text}"`;
}

/** A field read by one function: undefined means "not that", and the fault says what was expected. */
function field<T>(expected: string, read: (value: unknown) => T | undefined) {
  return z.unknown().transform((value, context): T => {
    const result = read(value);
    if (result !== undefined) return result;
    context.addIssue({ code: 'custom', message: `found ${describeValue(value)}, expected ${expected}` });
    return z.NEVER;
  });
}

/** YAML gives numbers, the environment gives text: both are read the same way. */
function numberFrom(value: unknown): number | undefined {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  return typeof value === 'string' && /^-?\d+(?:\.\d+)?$/.test(value) ? Number(value) : undefined;
}

export const Text = field('text', (value) =>
  typeof value === 'string' && value.trim() !== '' ? value : undefined,
);

/** A name that appears in routes, logs and metrics. */
export const Name = field('a name of letters, digits, "-" and "_", at most 60', (value) =>
  typeof value === 'string' && /^[A-Za-z0-9][A-Za-z0-9_-]{0,59}$/.test(value) ? value : undefined,
);

export const LabelName = field('a label name, for example cluster', (value) =>
  typeof value === 'string' && /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(value) ? value : undefined,
);

export const Port = field('a port from 0 to 65535 (0 = any free one)', (value) => {
  const port = numberFrom(value);
  return port !== undefined && Number.isInteger(port) && port >= 0 && port <= 65_535 ? port : undefined;
});

export const PositiveNumber = field('a number above 0', (value) => {
  const number = numberFrom(value);
  return number !== undefined && number > 0 ? number : undefined;
});

export const Count = field('a whole number above 0', (value) => {
  const number = numberFrom(value);
  return number !== undefined && Number.isInteger(number) && number > 0 ? number : undefined;
});

export const FiniteNumber = field('a number', numberFrom);

export const Flag = field('true or false', (value) =>
  value === true || value === 'true' ? true : value === false || value === 'false' ? false : undefined,
);

/** A cron expression, read in UTC; null for `off`. */
export const Schedule = field('five fields of cron in UTC, for example "23 * * * *", or off', (value) => {
  if (value === 'off' || value === false) return null;
  return typeof value === 'string' && value.trim().split(/\s+/).length === 5 && isCron(value)
    ? value.trim()
    : undefined;
});

/** Milliseconds. */
export const Duration = field('a duration with its unit: 500ms, 5s, 5m, 1h30m', (value) => {
  const ms = typeof value === 'string' ? parseDuration(value) : null;
  return ms === null || ms <= 0 ? undefined : ms;
});

/** How long something is kept, ms: less than a day would delete what is still being worked on. */
export const Age = field('a duration of at least 1d, for example 90d', (value) => {
  const ms = typeof value === 'string' ? parseDuration(value) : null;
  return ms === null || ms < 86_400_000 ? undefined : ms;
});

/** An address with http or https, without credentials (they would end up in logs) and without trailing slash. */
export const HttpUrl = field('an address such as http://prometheus:9090, without user and password', urlFrom);

/** One address or several: a list in YAML, separated by commas in the environment. */
export const HttpUrls = field(
  'an address such as http://alertmanager:9093, or a list of those of its HA peers',
  (value): readonly string[] | undefined => {
    const parts = typeof value === 'string' ? value.split(',') : value;
    if (!Array.isArray(parts) || parts.length === 0) return undefined;
    const urls = parts.map((part) => urlFrom(typeof part === 'string' ? part.trim() : part));
    return urls.every((url) => url !== undefined) ? [...new Set(urls)] : undefined;
  },
);

function urlFrom(value: unknown): string | undefined {
  if (typeof value !== 'string' || !URL.canParse(value)) return undefined;
  const url = new URL(value);
  if (!/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') return undefined;
  return value.trim().replace(/\/+$/, '');
}

export const DatabaseUrl = field('file:<path>, for example file:./data/wakewell.db', (value) =>
  typeof value === 'string' && /^file:(?!\/\/)./.test(value) ? value : undefined,
);

export const Host = field('an address to listen on, for example 127.0.0.1', (value) =>
  typeof value === 'string' && /^(?:[A-Za-z0-9.-]{1,253}|[0-9a-fA-F:.]{2,45})$/.test(value)
    ? value
    : undefined,
);

/** What examples and documentation use, and what an unset variable leaves behind. */
const EXAMPLE = /^(?:change-?me|secret|password|token|example|your[-_ ].*|xxx+|\*+|<.*>|\.\.\.|todo)$/i;

/** A credential. It is never repeated in a fault: only its length is. */
export function secretField(what: string, rule: { readonly minChars: number; readonly shape?: RegExp }) {
  return z.unknown().transform((value, context): Secret => {
    const fault = secretFault(value, rule);
    if (fault === null) return createSecret((value as string).trim());
    context.addIssue({ code: 'custom', message: `${fault}, expected ${what}` });
    return z.NEVER;
  });
}

function secretFault(
  value: unknown,
  rule: { readonly minChars: number; readonly shape?: RegExp },
): string | null {
  if (value === undefined || value === null) return 'found nothing';
  if (typeof value !== 'string') return 'found something that is not text (put it in quotes)';
  // A secret file read with its newline is the commonest slip and cannot mean anything else.
  const text = value.trim();
  if (text === '') return 'found an empty value';
  if (/\s/.test(text)) return 'found blanks inside the value';
  if (EXAMPLE.test(text)) return 'found an example value';
  if (text.length < rule.minChars) return `found ${text.length} characters`;
  if (rule.shape !== undefined && !rule.shape.test(text))
    return `found a value of ${text.length} characters of another form`;
  return null;
}

/** ms since 1970. The zone must be said, since nobody agrees on which is meant without. */
export const Moment = field('a time with its zone, for example 2026-11-26T02:00:00Z', (value) => {
  const text = value instanceof Date ? value.toISOString() : value;
  if (typeof text !== 'string' || !/^\d{4}-\d\d-\d\dT.*(?:Z|[+-]\d\d:\d\d)$/.test(text)) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
});

const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** 0 = Sunday. */
export const Weekday = field('sun, mon, tue, wed, thu, fri or sat', (value) => {
  const day = typeof value === 'string' ? WEEKDAYS.indexOf(value.toLowerCase()) : -1;
  return day < 0 ? undefined : day;
});

/** Minutes after midnight. */
export const TimeOfDay = field('a time of day in quotes, for example "02:00"', (value) => {
  const [, hour, minute] = (typeof value === 'string' && /^([01]\d|2[0-3]):([0-5]\d)$/.exec(value)) || [];
  return hour === undefined ? undefined : Number(hour) * 60 + Number(minute);
});

export const TimeZone = field('a time zone, for example Europe/Vienna or UTC', (value) => {
  if (typeof value !== 'string') return undefined;
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: value });
    return value;
  } catch {
    // Node names no list that could be asked.
    return undefined;
  }
});
