/** Fills the numbers of the findings into an entry's texts and commands. */

import { labelValue } from '../domain/labels.js';
import type { Scope } from '../domain/scope.js';
import type { Finding } from '../domain/verdict.js';
import { isComputed } from '../playbook/computed.js';
import { type Numbers, numberNamed } from '../playbook/condition.js';
import { interpolate, interpolateCommand } from '../playbook/interpolate.js';
import type { PlaybookEntry, PlaybookStep, SignalRef } from '../playbook/schema.js';
import { arithmetic } from './arithmetic.js';
import { formatAs, percent, timesText } from './describe-step.js';
import { ratioUnit, unitOf } from './seen.js';
import type { FindingsById } from './weigh-cause.js';

export type Wording = {
  readonly text: (template: string) => string;
  /** The command for the engine that answered, else the one for any; null when there is neither. */
  readonly command: (byEngine: Readonly<Record<string, string>>) => string | null;
};

export function createWording(
  entry: PlaybookEntry,
  findings: FindingsById,
  about: { readonly scope: Scope; readonly thresholds: Numbers },
): Wording {
  const { scope } = about;
  const computed = arithmetic(findings, about.thresholds);
  const steps = new Map(entry.steps.map((step) => [step.id, step]));
  const engine = [...findings.values()].find((finding) => finding.engine !== null)?.engine ?? null;

  function lookup(step: string, name: string): string | undefined {
    if (step === 'scope') return labelValue(scope, name);
    if (isComputed(step, name)) return computed[step]?.[name];
    const finding = findings.get(step);
    return finding === undefined ? undefined : quoted(finding, steps.get(step), name);
  }

  return {
    text: (template) => interpolate(template, lookup),
    command(byEngine) {
      const own = engine === null ? undefined : byEngine[engine];
      const template = own ?? byEngine.any;
      return template === undefined ? null : interpolateCommand(template, lookup);
    },
  };
}

function quoted(finding: Finding, step: PlaybookStep | undefined, name: string): string | undefined {
  if (name === 'worst') return finding.workers[0]?.worker;
  if (name === 'limit') return finding.limit ?? undefined;
  if (name === 'status') return finding.status;
  if (name === 'top') return topShare(finding);
  const value = numberNamed(finding.numbers, name);
  if (value === undefined) return undefined;
  if (name === 'change' || name.startsWith('share.') || SHARES.has(name)) return percent(value);
  if (name === 'times') return timesText(value);
  if (COUNTS.has(name)) return String(value);
  return formatAs(value, unitOfNumber(step, name));
}

/** Numbers that count things, and those that are parts of a whole, whatever the unit of the signal is. */
const COUNTS: ReadonlySet<string> = new Set([
  'workers',
  'failing',
  'unseen',
  'parts',
  'idle',
  'busy',
  'wedged',
]);
const SHARES: ReadonlySet<string> = new Set(['top_share', 'top_before']);

function topShare(finding: Finding): string | undefined {
  const shares = Object.entries(finding.numbers).filter(
    ([name, value]) => name.startsWith('share.') && value > 0,
  );
  return shares.sort((a, b) => b[1] - a[1])[0]?.[0].slice('share.'.length);
}

function unitOfNumber(step: PlaybookStep | undefined, name: string): string {
  if (step === undefined) return 'count';
  const extra = step.with.find((one) => name === one.name || name.startsWith(`${one.name}.`));
  if (extra !== undefined) return unitOfRef(extra);
  switch (step.read.kind) {
    case 'signal':
      return unitOfRef(step.read);
    case 'query':
      return step.read.unit ?? 'count';
    case 'logs':
    case 'by_hand':
      return 'count';
  }
}

function unitOfRef({ signal, per }: SignalRef): string {
  return per === null ? unitOf(signal) : ratioUnit(unitOf(signal), unitOf(per));
}
