/** Which steps are looked back at to decide something; the others' past is only drawn, and may come late. */

import type { Comparison } from '../playbook/condition.js';
import type { PlaybookEntry, StepRequirement } from '../playbook/schema.js';

/** Numbers of a step that come from its past. */
const PAST: ReadonlySet<string> = new Set(['change', 'slope', 'before', 'times', 'peak', 'top_before']);

const KNOWN = new WeakMap<PlaybookEntry, ReadonlySet<string>>();

/** Ids of the steps whose trend, baseline or peak some step, cause or fix of the entry asks for. */
export function trendsNeeded(entry: PlaybookEntry): ReadonlySet<string> {
  const known = KNOWN.get(entry);
  if (known !== undefined) return known;
  const ids = new Set<string>();
  for (const { id, fail, appliesWhen } of entry.steps) {
    const test = fail?.test;
    const own = [
      ...(test !== undefined && 'comparison' in test ? [test.comparison] : []),
      ...(fail?.and ?? []),
      ...(fail?.or ?? []),
      ...(appliesWhen?.condition == null ? [] : [appliesWhen.condition]),
    ];
    if (test?.kind === 'rising' || test?.kind === 'falling' || own.some(looksBack)) ids.add(id);
  }
  for (const cause of entry.causes) {
    const asked = [
      ...cause.requires,
      ...cause.refutedBy,
      ...cause.fixes.flatMap((fix) => (fix.onlyIf === null ? [] : [fix.onlyIf])),
    ];
    for (const one of asked.flatMap(({ anyOf }) => anyOf)) if (asksBack(one)) ids.add(one.step);
  }
  KNOWN.set(entry, ids);
  return ids;
}

function asksBack({ is }: StepRequirement): boolean {
  return is.kind === 'rising' || is.kind === 'falling' || (is.kind === 'compare' && looksBack(is.comparison));
}

function looksBack({ left, right }: Comparison): boolean {
  return PAST.has(left ?? '') || (right.reference?.kind === 'number' && PAST.has(right.reference.name));
}
