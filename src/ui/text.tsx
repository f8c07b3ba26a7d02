/** Small pieces that every page uses. Text from outside goes through `clean`, addresses through `safeHref`. */

import type { ComponentChildren } from 'preact';
import type { Severity } from '../domain/severity.js';
import type { FindingStatus } from '../domain/verdict.js';
import { minutesBetween } from '../render/duration.js';
import { clean } from '../render/neutralise.js';

/** Commands, queries and messages: line breaks and indentation stay, everything invisible goes. */
export function cleanBlock(text: string, maxChars = 8_000): string {
  return text
    .slice(0, maxChars)
    .split(/\r?\n/)
    .map((line) => (/^[ ]*/.exec(line)?.[0] ?? '') + clean(line))
    .join('\n')
    .trimEnd();
}

/** An address that may stand in a link: http and https only; null for everything else. */
export function safeHref(url: string | null | undefined): string | null {
  if (url === null || url === undefined || !URL.canParse(url)) return null;
  const parsed = new URL(url);
  return parsed.protocol === 'http:' || parsed.protocol === 'https:' ? parsed.href : null;
}

/** A link to a foreign address; its host is shown, since the text may claim anything. Plain text when it is no web address. */
export function ForeignLink({ url, children }: { readonly url: string | null; readonly children: string }) {
  const href = safeHref(url);
  if (href === null) return <>{clean(children)}</>;
  return (
    <a href={href} rel="noopener noreferrer nofollow">
      {clean(children)} ({new URL(href).host})
    </a>
  );
}

/** "03:12 UTC", with the date where it is not today's; the whole time stands in the title. */
export function Time({ atMs, nowMs }: { readonly atMs: number; readonly nowMs?: number }) {
  const iso = new Date(atMs).toISOString();
  const otherDay = nowMs !== undefined && iso.slice(0, 10) !== new Date(nowMs).toISOString().slice(0, 10);
  return (
    <time dateTime={iso} title={iso}>
      {otherDay ? `${iso.slice(5, 10)} ` : ''}
      {iso.slice(11, 16)} UTC
    </time>
  );
}

/** "3m ago". */
export function ago(atMs: number, nowMs: number): string {
  return `${minutesBetween(atMs, nowMs)} ago`;
}

export type Tone = 'critical' | 'warning' | 'ok' | 'unknown' | 'muted';

export function Badge({ tone, children }: { readonly tone: Tone; readonly children: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

const SEVERITY: Readonly<Record<Severity, { readonly mark: string; readonly tone: Tone }>> = {
  critical: { mark: '●', tone: 'critical' },
  warning: { mark: '▲', tone: 'warning' },
  info: { mark: '○', tone: 'muted' },
};

export function SeverityBadge({ severity }: { readonly severity: Severity }) {
  const { mark, tone } = SEVERITY[severity];
  return (
    <Badge tone={tone}>
      {mark} {severity.toUpperCase()}
    </Badge>
  );
}

/** Shape, word and colour of an incident: its state first, since that decides whether somebody must act. */
export function stateOf(incident: {
  readonly state: string;
  readonly severity: Severity;
  readonly foldedInto: number | null;
  readonly flags: { readonly silenced: boolean };
}): {
  readonly mark: string;
  readonly word: string;
  readonly tone: Tone;
} {
  if (incident.foldedInto !== null) return { mark: '⇢', word: 'FOLDED', tone: 'muted' };
  if (incident.state === 'resolved') return { mark: '✓', word: 'RESOLVED', tone: 'ok' };
  if (incident.flags.silenced) return { mark: '∅', word: 'SILENCED', tone: 'muted' };
  if (incident.state === 'acknowledged')
    return { mark: '◐', word: 'ACKED', tone: SEVERITY[incident.severity].tone };
  const { mark, tone } = SEVERITY[incident.severity];
  return { mark, word: incident.severity.toUpperCase(), tone };
}

/** No symbol stands without its word. */
export const RESULT: Readonly<
  Record<FindingStatus, { readonly mark: string; readonly word: string; readonly tone: Tone }>
> = {
  fail: { mark: '✗', word: 'FAIL', tone: 'critical' },
  ok: { mark: '✓', word: 'OK', tone: 'ok' },
  unknown: { mark: '?', word: 'UNKNOWN', tone: 'unknown' },
  skipped: { mark: '»', word: 'SKIPPED', tone: 'muted' },
};
