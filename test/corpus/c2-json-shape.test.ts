import { describe, expect } from 'vitest';
import {
  type BodyCase,
  type EntryCase,
  entry,
  entryWithRawLabel,
  groupBody,
  NOTHING,
  testBodies,
  testEntries,
  UNREADABLE,
} from './corpus.js';

const critical = {
  ...NOTHING,
  incidents: ['critical CorpusAlert (1)'],
  messages: ['card slack queued', 'page pager queued'],
};
const unreadable = (name: string, body: string | Buffer): BodyCase => ({ name, body, leaves: UNREADABLE });

describe('C2 bodies', () => {
  testBodies([
    unreadable('null', 'null'),
    unreadable('a list', '[]'),
    unreadable('a number', '1'),
    unreadable('a text', '"x"'),
    unreadable('only blanks', '   \n'),
    unreadable('cut off', groupBody([entry()]).slice(0, 200)),
    unreadable('a trailing comma', groupBody([entry()]).replace(/\}\n$/, ',}')),
    unreadable('trailing garbage', `${groupBody([entry()])} x`),
    unreadable('two documents', groupBody([entry()]).repeat(2)),
    unreadable('comments', `/* hello */ ${groupBody([entry()])}`),
    unreadable('NaN', groupBody([entry()]).replace('"truncatedAlerts":0', '"truncatedAlerts":NaN')),
    unreadable('UTF-16', Buffer.from(groupBody([entry()]), 'utf16le')),
    unreadable('alerts as an object', '{"alerts":{"0":{}}}'),
    unreadable('alerts null', '{"alerts":null}'),
    unreadable('no alerts', '{"version":"4"}'),
    unreadable('another template of the operator', '{"text":"alert!","channel":"#ops"}'),
    unreadable('a million open brackets', '['.repeat(1_000_000)),
    { name: 'a byte order mark', body: `\uFEFF${groupBody([entry()])}`, leaves: critical },
    { name: 'unknown version "5"', body: groupBody([entry()]).replace('"4"', '"5"'), leaves: critical },
    { name: 'no version', body: groupBody([entry()]).replace('"version":"4",', ''), leaves: critical },
    {
      name: 'alerts twice, the last counts',
      body: groupBody([entry()]).replace('{', '{"alerts":[1],'),
      leaves: critical,
    },
    {
      name: 'prototype names at the top',
      body: groupBody([entry()]).replace(
        '{',
        '{"__proto__":{"alerts":1},"constructor":{"prototype":1},"toString":2,',
      ),
      leaves: critical,
    },
    {
      name: '100,000 more keys at the top',
      body: groupBody([entry()]).replace(
        '{',
        `{${Array.from({ length: 100_000 }, (_, i) => `"k${i}":0,`).join('')}`,
      ),
      leaves: critical,
    },
    {
      name: 'every kind of wrong type around the alerts',
      body: `{"version":4,"groupKey":[],"truncatedAlerts":{},"status":7,"receiver":null,"externalURL":false,"alerts":[${entry()}]}`,
      leaves: critical,
    },
  ]);
});

const accepted = (name: string, text: string, check?: EntryCase['check']): EntryCase => ({
  name,
  entry: text,
  fate: 'critical',
  ...(check === undefined ? {} : { check }),
});
const setAside = (name: string, text: string): EntryCase => ({ name, entry: text, fate: 'set aside' });

describe('C2 entries', () => {
  testEntries([
    setAside('null', 'null'),
    setAside('a number', '1e400'),
    setAside('a text', '"alert"'),
    setAside('a list', '[[]]'),
    setAside('an empty object', '{}'),
    setAside('labels as a list', entry({ fields: { labels: ['alertname', 'A'] } })),
    setAside('labels null', entry({ fields: { labels: null } })),
    setAside('a label that is an object', entryWithRawLabel('{"a":1}')),
    setAside('a label nested 5,000 deep', entryWithRawLabel(`${'['.repeat(5000)}${']'.repeat(5000)}`)),
    setAside(
      'a label nested 100,000 deep',
      entryWithRawLabel(`${'['.repeat(100_000)}${']'.repeat(100_000)}`),
    ),
    accepted(
      'an unknown field nested 5,000 deep',
      entry({ fields: { values: '@@' } }).replace('"@@"', `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`),
    ),
    accepted('numbers that JSON cannot hold', entryWithRawLabel('9007199254740993'), (alert) => {
      expect(alert.labels.hostile).toBe('9007199254740992');
    }),
    accepted('minus zero', entryWithRawLabel('-0')),
    accepted('a boolean', entryWithRawLabel('true')),
    accepted('a label null is no label', entryWithRawLabel('null'), (alert) => {
      expect(Object.keys(alert.labels)).not.toContain('hostile');
    }),
    accepted(
      'severity twice, the last counts',
      entry().replace('"severity"', '"severity":"info","severity"'),
    ),
    accepted(
      'labels called like the object prototype',
      entry().replace(
        '"labels":{',
        '"labels":{"__proto__":"p","constructor":"c","toString":"t","hasOwnProperty":"h",',
      ),
      (alert) => {
        expect(Object.entries(alert.labels)).toEqual(
          expect.arrayContaining([
            ['__proto__', 'p'],
            ['constructor', 'c'],
            ['toString', 't'],
            ['hasOwnProperty', 'h'],
          ]),
        );
      },
    ),
    accepted('NUL', entryWithRawLabel('"a\\u0000b"'), (alert) => expect(alert.labels.hostile).toBe('a\0b')),
    accepted('a lone surrogate', entryWithRawLabel('"\\ud800"'), (alert) => {
      expect(alert.labels.hostile?.toWellFormed()).toBe('\uFFFD');
    }),
    accepted('a text of 1 MB', entryWithRawLabel(JSON.stringify('x'.repeat(1_000_000)))),
    accepted(
      'an annotation that is a list',
      entry({ fields: { annotations: { summary: [1, 2] } } }),
      (alert) => {
        expect(alert.annotations.summary).toBe('[1,2]');
      },
    ),
    accepted('annotations as a list', entry({ fields: { annotations: ['x'] } })),
  ]);
});
