/** Routes as they are written in the configuration, made ready to choose by. */

import { type Labels, labelsFrom, type Matcher } from '../domain/labels.js';
import type { Severity } from '../domain/severity.js';
import { matchesAll, parseMatchers } from './parse-matchers.js';
import { type ChosenReceiver, chooseReceivers, type ReceiverRef, type Route } from './route-table.js';

export type WrittenRoute = {
  /** Each a matcher or a list of them, in Alertmanager's syntax. */
  readonly matchers: readonly string[];
  readonly receivers: readonly string[];
  readonly continue?: boolean;
};

/** Says what is wrong with a matcher, or null. For the check of a configuration. */
export function matcherFault(text: string): string | null {
  const parsed = parseMatchers(text);
  return parsed.kind === 'faulty' ? parsed.message : null;
}

/** Parses the routes of a configuration. Throws on a matcher that `matcherFault` objects to. */
export function compileRoutes(written: readonly WrittenRoute[]): Route[] {
  return written.map((route) => ({
    matchers: route.matchers.flatMap((text): readonly Matcher[] => {
      const parsed = parseMatchers(text);
      if (parsed.kind === 'faulty') throw new Error(parsed.message);
      return parsed.matchers;
    }),
    receivers: route.receivers,
    continue: route.continue === true,
  }));
}

/** Whether labels fit matchers as they are written. An empty list fits nothing. Throws on one that `matcherFault` objects to. */
export function createMatcher(written: readonly string[]): (one: { readonly labels: Labels }) => boolean {
  const [route] = compileRoutes([{ matchers: written, receivers: [] }]);
  const matchers = route?.matchers ?? [];
  return ({ labels }) => matchers.length > 0 && matchesAll(matchers, labels);
}

/** The function that intake asks: who is told of an incident of this severity with these labels. */
export function createRouter(
  routes: readonly Route[],
  receivers: readonly ReceiverRef[],
): (severity: Severity, labels: Labels) => ChosenReceiver[] {
  return (severity, labels) =>
    chooseReceivers(routes, labelsFrom([...Object.entries(labels), ['severity', severity]]), receivers);
}
