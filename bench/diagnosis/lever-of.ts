import type { Verdict } from '../../src/domain/verdict.js';
import type { PlaybookEntry } from '../../src/playbook/schema.js';

/** What a verdict's first fix turns, looked up in the entry by its text, since a verdict holds finished sentences only. */
export function leverOf(entry: PlaybookEntry, verdict: Verdict): string | null {
  const [first] = verdict.fixes;
  const cause = entry.causes.find(({ id }) => id === verdict.cause);
  if (first === undefined || cause === undefined) return null;
  return cause.fixes.find((fix) => pattern(fix.do).test(first.do))?.lever ?? null;
}

/** The template's text with anything in place of its placeholders. */
function pattern(template: string): RegExp {
  const parts = template.split(/\{[^}]*\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's');
}
