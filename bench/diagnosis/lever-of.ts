import type { Fix } from '../../src/domain/verdict.js';
import type { PlaybookEntry } from '../../src/playbook/schema.js';

/** What a fix of a verdict turns, looked up in the entry by its text: a verdict holds finished sentences only. */
export function leverOf(entry: PlaybookEntry, causeId: string | null, fix: Fix): string | null {
  const cause = entry.causes.find(({ id }) => id === causeId);
  return cause?.fixes.find((template) => pattern(template.do).test(fix.do))?.lever ?? null;
}

/** The template's text with anything in place of its placeholders and of the parts that may be left out. */
function pattern(template: string): RegExp {
  const parts = template
    .split(/\[\[.*?\]\]|\{[^}]*\}/)
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's');
}
