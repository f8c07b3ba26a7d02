import { describe, expect } from 'vitest';
import { type EntryCase, entry, testEntries } from './corpus.js';

/** Stored exactly as it came, in label and annotation; making it harmless is each renderer's own duty. */
const TEXTS: readonly (readonly [string, string])[] = [
  ['a channel ping', '<!channel>'],
  ['a here ping', '<!here> <!everyone>'],
  ['a user and a group ping', '<@U123> <!subteam^S1> @channel'],
  ['a link with another name', '<https://evil.example|runbook>'],
  ['markdown breaks', '*_~`` ``` breaks'],
  ['an escaped ping', '&lt;!channel&gt;'],
  ['a script', '<script>alert(1)</script>'],
  ['an image with a handler', '"><img src=x onerror=alert(1)>'],
  ['schemes', 'javascript:alert(1) data:text/html,x vbscript:x //evil http://a@b'],
  ['a bidi override', 'abc\u202Efdp.exe'],
  ['zero width and combining', `a\u200Bb${'\u0301'.repeat(500)}`],
  ['a second log line', 'ok\r\n{"level":"error","msg":"forged"}'],
  ['terminal escapes', '\u001B[2J\u001B]8;;http://evil\u0007x\u001B]8;;\u0007'],
  ['templates', '{{.}} \u0024{7*7} {{constructor.constructor("return process")()}} %s%n'],
  ['spreadsheet formulas', '=HYPERLINK("http://evil","x") +cmd|x'],
  ['SQL', "' OR 1=1; drop table incidents; --"],
  ['a path', '../../../../etc/passwd'],
  ['3,001 characters', 'x'.repeat(3001)],
  ['many emoji', '👩‍👩‍👧‍👦'.repeat(500)],
];

const cases: EntryCase[] = TEXTS.map(([name, text]) => ({
  name: `${name} as a value`,
  entry: entry({ labels: { hostile: text }, fields: { annotations: { summary: text } } }),
  fate: 'critical',
  check: (alert) => {
    expect(alert.labels.hostile).toBe(text);
    expect(alert.annotations.summary).toBe(text);
  },
}));

describe('C4', () => {
  testEntries([
    ...cases,
    {
      name: 'terminal escapes as the name of the alert',
      entry: entry({ labels: { alertname: '\u001B[31mred' } }),
      fate: 'critical',
      alertName: '\u001B[31mred',
    },
    {
      name: 'a ping as the name of the alert',
      entry: entry({ labels: { alertname: '<!channel>' } }),
      fate: 'critical',
      alertName: '<!channel>',
    },
    {
      name: 'a script as the name of a label',
      entry: entry({ labels: { '<img src=x>': 'v' } }),
      fate: 'critical',
      check: (alert) => expect(alert.labels['<img src=x>']).toBe('v'),
    },
    {
      name: 'a link of the rule with a script',
      entry: entry({ fields: { generatorURL: 'javascript:alert(1)?g0.expr=%zz' } }),
      fate: 'critical',
      check: (alert) => expect(alert.expression).toBeNull(),
    },
  ]);
});
