/** Finds the entry that serves an alert. */

import { type Labels, labelValue, type Matcher } from '../domain/labels.js';
import type { PlaybookEntry } from './schema.js';

export type EntryMatch = {
  readonly entry: PlaybookEntry;
  readonly isDefault: boolean;
  /** One sentence for the reader. */
  readonly why: string;
};

/** Whether one matcher holds. An absent label equals "", as in Alertmanager; expressions are anchored. */
export function matcherHolds(matcher: Matcher, labels: Labels): boolean {
  const value = labelValue(labels, matcher.name) ?? '';
  switch (matcher.operator) {
    case '=':
      return value === matcher.value;
    case '!=':
      return value !== matcher.value;
    case '=~':
      return anchored(matcher.value).test(value);
    case '!~':
      return !anchored(matcher.value).test(value);
  }
}

function anchored(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`, 'u');
}

/**
 * Entries that serve these labels, most specific first: more labels matched, then exact before pattern,
 * then the order of loading reversed, since an operator's directory is loaded after the built-in one.
 * With `otherLabels: 'assumed'` conditions on labels that are absent here count as met.
 */
export function entriesFor(
  entries: readonly PlaybookEntry[],
  labels: Labels,
  options: { readonly otherLabels?: 'assumed' } = {},
): readonly PlaybookEntry[] {
  const assumed = options.otherLabels === 'assumed';
  return entries
    .map((entry, index) => ({ entry, index }))
    .filter(({ entry }) => !entry.isDefault && entry.match.length > 0)
    .filter(({ entry }) =>
      entry.match.every((alternatives) =>
        alternatives.some(
          (matcher) =>
            (assumed && labelValue(labels, matcher.name) === undefined) || matcherHolds(matcher, labels),
        ),
      ),
    )
    .sort((a, b) => specificity(b.entry) - specificity(a.entry) || b.index - a.index)
    .map(({ entry }) => entry);
}

function specificity(entry: PlaybookEntry): number {
  const exact = entry.match.every((alternatives) =>
    alternatives.every((matcher) => matcher.operator === '='),
  );
  return entry.match.length * 2 + (exact ? 1 : 0);
}

/** The entry for an alert: its own, else the default one, which `why` says. Null only without any default entry. */
export function findEntry(entries: readonly PlaybookEntry[], labels: Labels): EntryMatch | null {
  const own = entriesFor(entries, labels)[0];
  const name = labelValue(labels, 'alertname') ?? '(no alertname)';
  if (own !== undefined) return { entry: own, isDefault: false, why: `${name} is served by entry ${own.id}` };
  const fallback = entries.findLast((entry) => entry.isDefault);
  if (fallback === undefined) return null;
  return { entry: fallback, isDefault: true, why: `${name} has no entry of its own: the default one ran` };
}

/** As `findEntry`; where no default entry was loaded an empty one answers, so that an alert is never without. */
export function matchEntry(entries: readonly PlaybookEntry[], labels: Labels): EntryMatch {
  const found = findEntry(entries, labels);
  if (found !== null) return found;
  return { entry: NO_ENTRY, isDefault: true, why: 'no playbook was loaded: nothing can be checked' };
}

const NO_ENTRY: PlaybookEntry = {
  id: 'default',
  file: '(built in)',
  isDefault: true,
  match: [],
  title: 'No playbook loaded',
  symptoms: [],
  steps: [],
  causes: [],
  unclear:
    'No playbook was loaded: run `wakewell check`, then look at KV cache, queue, context length and GPU by hand',
  escalation: [],
};
