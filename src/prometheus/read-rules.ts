/** The answer of /api/v1/rules, read loosely. Source: Prometheus 2.42 and 3.x docs/querying/api.md. */

import { z } from 'zod';
import type { Failed } from './answer.js';

export type LoadedRule = {
  readonly kind: 'alerting' | 'recording';
  readonly name: string;
  readonly query: string;
  /** What the last evaluation failed with; null when it went well. */
  readonly lastError: string | null;
};

export type RulesAnswer = { readonly kind: 'rules'; readonly rules: readonly LoadedRule[] } | Failed;

const Rules = z.looseObject({
  data: z.looseObject({
    groups: z.array(
      z.looseObject({
        rules: z.array(
          z.looseObject({
            type: z.string(),
            name: z.string(),
            query: z.string(),
            lastError: z.string().nullish(),
          }),
        ),
      }),
    ),
  }),
});

/** Never throws. Rules of a kind that is not known are left out. */
export function readRules(text: string): RulesAnswer {
  const read = Rules.safeParse(parseJson(text));
  if (!read.success) return { kind: 'failed', reason: 'bad_response', detail: 'rules of an unknown shape' };
  const rules = read.data.data.groups.flatMap((group) =>
    group.rules.flatMap(({ type, name, query, lastError }): LoadedRule[] =>
      type === 'alerting' || type === 'recording'
        ? [{ kind: type, name, query, lastError: lastError == null || lastError === '' ? null : lastError }]
        : [],
    ),
  );
  return { kind: 'rules', rules };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
