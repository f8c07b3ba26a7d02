/** Fills the numbers of the findings into an entry's texts and commands. */

import { labelValue } from '../domain/labels.js';
import type { Scope } from '../domain/scope.js';
import type { Finding } from '../domain/verdict.js';
import { numberNamed } from '../playbook/condition.js';
import { interpolate, interpolateCommand } from '../playbook/interpolate.js';
import type { PlaybookEntry, PlaybookStep } from '../playbook/schema.js';
import { formatAs, percent } from './describe-step.js';
import { unitOf } from './seen.js';
import type { FindingsById } from './weigh-cause.js';

export type Wording = {
  readonly text: (template: string) => string;
  /** The command for the engine that answered, else the one for any; null when there is neither. */
  readonly command: (byEngine: Readonly<Record<string, string>>) => string | null;
};

export function createWording(entry: PlaybookEntry, findings: FindingsById, scope: Scope): Wording {
  const steps = new Map(entry.steps.map((step) => [step.id, step]));
  const engine = [...findings.values()].find((finding) => finding.engine !== null)?.engine ?? null;

  function lookup(step: string, name: string): string | undefined {
    if (step === 'scope') return labelValue(scope, name);
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
  if (name === 'workers' || name === 'failing' || name === 'unseen') return String(value);
  if (name === 'change' || name.startsWith('share.')) return percent(value);
  return formatAs(value, unitOfNumber(step, name));
}

function topShare(finding: Finding): string | undefined {
  const shares = Object.entries(finding.numbers).filter(
    ([name, value]) => name.startsWith('share.') && value > 0,
  );
  return shares.sort((a, b) => b[1] - a[1])[0]?.[0].slice('share.'.length);
}

function unitOfNumber(step: PlaybookStep | undefined, name: string): string {
  if (step === undefined) return 'count';
  const extra = step.with.find((one) => name === one.name || name.startsWith(`${one.name}.`));
  if (extra !== undefined) return extra.per === null ? unitOf(extra.signal) : 'ratio';
  switch (step.read.kind) {
    case 'signal':
      return step.read.per === null ? unitOf(step.read.signal) : 'ratio';
    case 'query':
      return step.read.unit ?? 'count';
    case 'by_hand':
      return 'count';
  }
}
