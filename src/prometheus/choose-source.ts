/** Several sources of metrics as one: the labels of a scope choose which is asked, and never another one. */

import { labelValue, type Matcher } from '../domain/labels.js';
import type { MetricsSource } from '../domain/metrics-source.js';
import { placeOf, type Scope } from '../domain/scope.js';
import type { FindScopes, ScopesFound } from '../domain/serving-health.js';
import { matchesAll } from '../routing/parse-matchers.js';

export type NamedSource = {
  readonly name: string;
  /** Conditions on the scope; empty = it takes every scope. */
  readonly chosenBy: readonly Matcher[];
  readonly source: MetricsSource;
  readonly findScopes: FindScopes;
};

export type Chosen = {
  /** The source that knows this scope. What it cannot be asked comes back as a reading that says why. */
  readonly sourceFor: (scope: Scope) => MetricsSource;
  /** Asks by the scope of each question; an expression without a scope only where there is a single source. */
  readonly source: MetricsSource;
  readonly findScopes: FindScopes;
  /** The names of those that a scope chooses: one, unless the configuration leaves it open. */
  readonly namesFor: (scope: Scope) => readonly string[];
};

/** Never throws for what a scope says. A label that chooses must be there: an absent one chooses nothing. */
export function chooseSource(sources: readonly NamedSource[]): Chosen {
  const fitting = (scope: Scope) => sources.filter(({ chosenBy }) => fits(chosenBy, scope));

  function sourceFor(scope: Scope): MetricsSource {
    const [only, ...others] = fitting(scope);
    if (only !== undefined && others.length === 0) return only.source;
    return refusing(only === undefined ? whyNone(sources, scope) : whySeveral([only, ...others], scope));
  }

  const [single] = sources;
  const scopeless =
    sources.length === 1 && single !== undefined
      ? single.source
      : refusing('several sources are configured, and no label says which one this expression is for');
  return {
    sourceFor,
    source: {
      kind: 'prometheus',
      readSignal: (signal, scope, options) => sourceFor(scope).readSignal(signal, scope, options),
      readRange: (signal, scope, options) => sourceFor(scope).readRange(signal, scope, options),
      query: (expression, options) => scopeless.query(expression, options),
    },
    findScopes: (options) => findEverywhere(sources, options),
    namesFor: (scope) => fitting(scope).map(({ name }) => name),
  };
}

/** Those that answer are listed, those that do not are named: one that is down hides no other. */
async function findEverywhere(
  sources: readonly NamedSource[],
  options: Parameters<FindScopes>[0],
): Promise<ScopesFound> {
  const found = await Promise.all(
    sources.map(async ({ name, findScopes, chosenBy }) => ({
      name,
      chosenBy,
      answer: await findScopes(options),
    })),
  );
  const failures = found.flatMap(({ name, answer }) => (answer.kind === 'failed' ? [{ name, answer }] : []));
  const [first] = failures;
  if (first !== undefined && failures.length === found.length) {
    const detail = failures.map(({ name, answer }) => saying(sources, name, answer.detail)).join('; ');
    return { ...first.answer, detail };
  }
  return {
    kind: 'scopes',
    // What a source has beside what it is chosen for would be asked elsewhere.
    scopes: found.flatMap(({ answer, chosenBy }) =>
      answer.kind === 'scopes' ? answer.scopes.filter(({ scope }) => fits(chosenBy, scope)) : [],
    ),
    ...(first === undefined
      ? {}
      : { unseen: failures.map(({ name, answer }) => saying(sources, name, answer.detail)) }),
  };
}

function fits(chosenBy: readonly Matcher[], scope: Scope): boolean {
  return chosenBy.every(({ name }) => (labelValue(scope, name) ?? '') !== '') && matchesAll(chosenBy, scope);
}

function whyNone(sources: readonly NamedSource[], scope: Scope): Refusal {
  const names = [...new Set(sources.flatMap(({ chosenBy }) => chosenBy.map(({ name }) => name)))];
  const missing = names.filter((name) => (labelValue(scope, name) ?? '') === '');
  const known = sources.map(({ name }) => name).join(', ');
  return missing.length === names.length
    ? {
        reason: 'label_missing',
        detail: `the alert carries no label ${missing.join(', ')}, by which its source of metrics is chosen (known: ${known})`,
      }
    : {
        reason: 'no_series',
        detail: `no source of metrics is configured for ${placeOf(scope)} (known: ${known})`,
      };
}

function whySeveral(fitting: readonly NamedSource[], scope: Scope): Refusal {
  const names = fitting.map(({ name }) => name).join(' and ');
  return { reason: 'label_missing', detail: `${placeOf(scope)} fits the sources ${names}: none is asked` };
}

type Refusal = { readonly reason: 'label_missing' | 'no_series'; readonly detail: string };

function refusing(refusal: Refusal | string): MetricsSource {
  const { reason, detail } =
    typeof refusal === 'string' ? { reason: 'label_missing' as const, detail: refusal } : refusal;
  const nothing = { kind: 'empty', reason, detail, engine: null, query: null } as const;
  return {
    kind: 'prometheus',
    readSignal: () => Promise.resolve(nothing),
    readRange: () => Promise.resolve(nothing),
    query: () => Promise.resolve(nothing),
  };
}

/** One source needs no name. */
function saying(sources: readonly NamedSource[], name: string, detail: string): string {
  return sources.length === 1 ? detail : `${name}: ${detail}`;
}
