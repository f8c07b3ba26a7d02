/** What commands print: data on stdout, talk on stderr, no colour, nothing that a label could make a terminal do. */

import { DAY, HOUR, MINUTE, SECOND } from '../domain/clock.js';
import type { FindingStatus } from '../domain/verdict.js';
import { clean } from '../render/neutralise.js';
import { CommandFailure, EXIT } from './exit-codes.js';

const MARK: Readonly<Record<FindingStatus, string>> = { fail: '✗', ok: '✓', unknown: '?', skipped: '»' };

/** The parts of a diagnosis that a terminal shows. */
export type PrintedDiagnosis = {
  readonly verdict: {
    readonly says: string;
    readonly confidence: string;
    readonly why: string;
    readonly unseen: readonly string[];
    readonly absent?: readonly string[] | undefined;
    readonly fixes: readonly { readonly do: string; readonly command: string | null }[];
    readonly wrongFixes: readonly { readonly fix: string; readonly because: string }[];
  };
  readonly findings: readonly {
    readonly status: FindingStatus;
    readonly title: string;
    readonly says: string;
  }[];
};

/** Verdict, checks, first fix and wrong fix, one a line. */
export function diagnosisLines({ verdict, findings }: PrintedDiagnosis): string[] {
  const [first] = verdict.fixes;
  return [
    clean(verdict.says),
    `(${verdict.confidence === 'none' ? '' : `${verdict.confidence} confidence: `}${clean(verdict.why)})`,
    '',
    ...findings.map((one) => `  ${MARK[one.status]} ${clean(one.title)}: ${clean(one.says)}`),
    ...((verdict.absent ?? []).length === 0
      ? []
      : ['', `Checked, absent: ${(verdict.absent ?? []).map(clean).join('; ')}`]),
    ...(first === undefined ? [] : ['', `Do first: ${clean(first.do)}`]),
    ...(first?.command == null ? [] : first.command.split('\n').map((line) => `    $ ${clean(line)}`)),
    ...verdict.wrongFixes.map((wrong) => `Do NOT: ${clean(wrong.fix)}: ${clean(wrong.because)}`),
    ...(verdict.unseen.length === 0
      ? []
      : ['', 'Could not see:', ...verdict.unseen.map((one) => `  ? ${clean(one)}`)]),
  ];
}

/** Reads `name=value`. */
export function readPair(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new CommandFailure(EXIT.usage, `--label ${text}: expected name=value`);
  return [text.slice(0, at), text.slice(at + 1)];
}

const SPAN_MS: Readonly<Record<string, number>> = { s: SECOND, m: MINUTE, h: HOUR, d: DAY };

/** Reads a span such as `90m` or `30d`; null for anything else. */
export function readSpan(text: string): number | null {
  const [, count, unit = ''] = /^([1-9]\d{0,5})([smhd])$/.exec(text) ?? [];
  return count === undefined ? null : Number(count) * (SPAN_MS[unit] ?? 0);
}

/** Reads a moment: `2026-01-31T03:12:00Z`, seconds since 1970, `-2h` from now, or nothing for now. ms since 1970. */
export function readMoment(text: string | undefined, nowMs: number): number {
  if (text === undefined || text === 'now') return nowMs;
  const agoMs = text.startsWith('-') ? readSpan(text.slice(1)) : null;
  const atMs =
    agoMs !== null ? nowMs - agoMs : /^\d{9,10}$/.test(text) ? Number(text) * SECOND : Date.parse(text);
  if (Number.isNaN(atMs)) {
    throw new CommandFailure(
      EXIT.usage,
      `--at ${text}: expected a time such as 2026-01-31T03:12:00Z, or how long ago, such as -2h`,
    );
  }
  return atMs;
}

/** Reads a factor from 1 on. */
export function readTimeScale(text: string): number {
  const timeScale = /^\d{1,4}(?:\.\d+)?$/.test(text) ? Number(text) : 0;
  if (!(timeScale >= 1))
    throw new CommandFailure(EXIT.usage, `--time-scale ${text}: expected a number from 1 on`);
  return timeScale;
}
