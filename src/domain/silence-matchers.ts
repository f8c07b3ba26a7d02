/** What a silence of an incident silences: nothing but what its firing alerts have in common. */

import { type Labels, labelValue, type Matcher } from './labels.js';

/** One list an alert name: every label that its alerts agree on, exactly. */
export function silenceMatchers(alerts: readonly Labels[]): Matcher[][] {
  const byName = new Map<string, Labels[]>();
  for (const labels of alerts) {
    const name = labelValue(labels, 'alertname') ?? '';
    byName.set(name, [...(byName.get(name) ?? []), labels]);
  }
  return [...byName.values()].map((same) => {
    const [first = {}] = same;
    return Object.entries(first)
      .filter(([name, value]) => value !== '' && same.every((labels) => labelValue(labels, name) === value))
      .map(([name, value]): Matcher => ({ name, operator: '=', value }));
  });
}
