import { describe, expect } from 'vitest';
import { type EntryCase, entry, testEntries } from './corpus.js';

/** In a scope label, from where selectors are built: the scope must be the value, whole and unchanged. */
const VALUES: readonly (readonly [string, string])[] = [
  ['a quote', '"'],
  ['a backslash', '\\'],
  ['a trailing backslash', 'model\\'],
  ['an end of selector', '"} or vector(1) #'],
  ['a matcher for everything', '"} or {__name__=~".+'],
  ['a newline', 'a\nb'],
  ['a backtick', '`'],
  ['match all', '.*'],
  ['match some', '.+'],
  ['catastrophic', '(a+)+$'],
  ['alternatives', 'a|b'],
  ['anchors', '^$'],
  ['a blank', ' '],
  ['NUL', 'a\0b'],
  ['100 KB', 'm'.repeat(100_000)],
  ['typographic quotes', '“model”'],
  ['a placeholder', '\u0024{x} {{model}}'],
  ['a duration', '5m] offset -1y'],
  ['keywords', 'on bool by without'],
];

const cases: EntryCase[] = VALUES.map(([name, value]) => ({
  name,
  entry: entry({ labels: { model: value } }),
  fate: 'critical',
  check: (alert) => expect(alert.labels.model).toBe(value),
}));

describe('C5', () => {
  testEntries([
    ...cases,
    { name: 'an empty scope label is no place', entry: entry({ labels: { model: '' } }), fate: 'critical' },
    {
      name: 'a missing scope label',
      entry: entry({ labels: { model: undefined, cluster: undefined } }),
      fate: 'critical',
    },
    { name: 'a label name that ends a selector', entry: entry({ labels: { 'a"}': 'v' } }), fate: 'critical' },
    {
      name: 'label names that are keywords',
      entry: entry({ labels: { on: '1', bool: '2' } }),
      fate: 'critical',
    },
  ]);
});
