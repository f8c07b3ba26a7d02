/** Alerts that say the same as a graver one, earlier: whatever explains the graver explains them as well. */

import { ALERTS } from './alerts.js';

/** The names given, each followed by its milder levels; every name once. */
export function withMilderLevels(names: readonly string[]): string[] {
  return [
    ...new Set(
      names.flatMap((name) => [
        name,
        ...ALERTS.filter(({ inhibitedBy }) => inhibitedBy?.includes(name)).map((alert) => alert.name),
      ]),
    ),
  ];
}
