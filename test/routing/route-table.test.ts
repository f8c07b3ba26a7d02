import { describe, expect, test } from 'vitest';
import { labelsFrom, type Matcher } from '../../src/domain/labels.js';
import { compilePattern } from '../../src/routing/compile-pattern.js';
import { formatMatchers, matchesAll, parseMatchers } from '../../src/routing/parse-matchers.js';
import { chooseReceivers, notificationsFor, type Route } from '../../src/routing/route-table.js';
import { compileRoutes, createRouter, matcherFault } from '../../src/routing/router.js';

const RECEIVERS = [
  { name: 'pager', kind: 'pagerduty' },
  { name: 'pager-infra', kind: 'pagerduty' },
  { name: 'team', kind: 'slack' },
  { name: 'ml-team', kind: 'slack' },
  { name: 'hook', kind: 'webhook' },
  { name: 'journal', kind: 'log' },
] as const;

function parsed(text: string): readonly Matcher[] {
  const result = parseMatchers(text);
  if (result.kind === 'faulty') throw new Error(result.message);
  return result.matchers;
}

function route(matchers: string, receivers: string[], more: Partial<Route> = {}): Route {
  return { matchers: parsed(matchers), receivers, ...more };
}

const labels = (entries: Record<string, string>) => labelsFrom(Object.entries(entries));
const names = (chosen: readonly { receiver: string }[]) => chosen.map((one) => one.receiver);

describe('matchers', () => {
  test.each([
    ['severity="critical"', [{ name: 'severity', operator: '=', value: 'critical' }]],
    ['severity=critical', [{ name: 'severity', operator: '=', value: 'critical' }]],
    [
      '{severity="critical", team!="ml"}',
      [
        { name: 'severity', operator: '=', value: 'critical' },
        { name: 'team', operator: '!=', value: 'ml' },
      ],
    ],
    [' model =~ "llama-.*|mixtral" ', [{ name: 'model', operator: '=~', value: 'llama-.*|mixtral' }]],
    ['a!~b.c', [{ name: 'a', operator: '!~', value: 'b.c' }]],
    [
      String.raw`msg="a \"quoted\", \\ {word}\n"`,
      [{ name: 'msg', operator: '=', value: 'a "quoted", \\ {word}\n' }],
    ],
    ['"my label"="x"', [{ name: 'my label', operator: '=', value: 'x' }]],
    ['team=""', [{ name: 'team', operator: '=', value: '' }]],
  ])('%s is read', (text, expected) => {
    expect(parsed(text)).toEqual(expected);
  });

  test.each([
    ['', /no matcher/],
    ['severity', /expected =, !=, =~ or !~/],
    ['{severity="x"', /without "}"/],
    ['a="b" c="d"', /expected ","/],
    ['a="b', /not closed/],
    ['a=~"("', /no valid expression/],
    ['a=~"(?=x)"', /RE2/],
    [String.raw`a=~"(.)\\1"`, /back-reference/],
    ['a=~"(a+)+$"', /repeats a group/],
    ['a=~"(a|aa)*b"', /repeats a group/],
    ['a=~".*.*.*.*x"', /open repeats/],
    [`a=~"${'x'.repeat(1001)}"`, /longer than/],
  ])('%s is refused with the reason', (text, message) => {
    const result = parseMatchers(text);
    expect(result).toMatchObject({ kind: 'faulty', message: expect.stringMatching(message) });
  });

  test('what is formatted is read back the same', () => {
    const matchers = parsed('a="x y", b!~"c|d"');
    expect(parsed(formatMatchers(matchers))).toEqual(matchers);
  });

  test('patterns are anchored, an absent label equals the empty text', () => {
    expect(matchesAll(parsed('a=~"lla"'), labels({ a: 'llama' }))).toBe(false);
    expect(matchesAll(parsed('a=~"llama|x"'), labels({ a: 'llama' }))).toBe(true);
    expect(matchesAll(parsed('a=~"(?i)LLAMA"'), labels({ a: 'llama' }))).toBe(true);
    expect(matchesAll(parsed('b=""'), labels({ a: 'x' }))).toBe(true);
    expect(matchesAll(parsed('b!="x"'), labels({}))).toBe(true);
    expect(matchesAll(parsed('__proto__="x"'), labels({}))).toBe(false);
  });

  test('a hostile value cannot make an accepted pattern run for long', () => {
    const pattern = compilePattern('.*a.*a.*b');
    if (pattern.kind === 'refused') throw new Error(pattern.why);
    // Time on the processor: what else runs on the machine does not count.
    const before = process.cpuUsage();
    expect(pattern.test('a'.repeat(512))).toBe(false);
    expect(pattern.test('a'.repeat(100_000))).toBe(false);
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(1000);
  });
});

describe('default routing', () => {
  test('a critical goes to pagers, cards and webhooks', () => {
    const chosen = chooseReceivers([], labels({ severity: 'critical' }), RECEIVERS);
    expect(names(chosen)).toEqual(['pager', 'pager-infra', 'team', 'ml-team', 'hook']);
    expect(chosen[0]?.why).toBe('default routing for critical');
  });

  test('a warning goes to cards and pages nobody', () => {
    expect(names(chooseReceivers([], labels({ severity: 'warning' }), RECEIVERS))).toEqual([
      'team',
      'ml-team',
      'hook',
    ]);
  });

  test('an info is recorded only', () => {
    expect(chooseReceivers([], labels({ severity: 'info' }), RECEIVERS)).toEqual([]);
  });

  test('without pager and Slack the log hears of it', () => {
    const only = [{ name: 'journal', kind: 'log' }] as const;
    expect(names(chooseReceivers([], labels({ severity: 'critical' }), only))).toEqual(['journal']);
    expect(names(chooseReceivers([], labels({ severity: 'warning' }), only))).toEqual(['journal']);
  });
});

describe('routes', () => {
  test('the first match wins unless it continues', () => {
    const routes = [
      route('team="ml"', ['ml-team'], { continue: true }),
      route('severity="critical"', ['pager-infra', 'ml-team']),
      route('severity=~".+"', ['team']),
    ];
    expect(names(chooseReceivers(routes, labels({ severity: 'critical', team: 'ml' }), RECEIVERS))).toEqual([
      'ml-team',
      'pager-infra',
    ]);
    expect(names(chooseReceivers(routes, labels({ severity: 'warning' }), RECEIVERS))).toEqual(['team']);
  });

  test('the why names the route', () => {
    const chosen = chooseReceivers(
      [route('team="ml"', ['ml-team'])],
      labels({ severity: 'warning', team: 'ml' }),
      RECEIVERS,
    );
    expect(chosen[0]?.why).toBe('route team="ml"');
  });

  test('a pager on a warning route gets no page and the why says so', () => {
    const [pager] = chooseReceivers(
      [route('severity="warning"', ['pager'])],
      labels({ severity: 'warning' }),
      RECEIVERS,
    );
    expect(pager?.why).toContain('no page: only critical pages');
    expect(notificationsFor('pagerduty', 'fired', 'warning')).toEqual([]);
  });

  test('an info follows a route only when the route asks for a severity', () => {
    const info = labels({ severity: 'info', team: 'ml' });
    expect(chooseReceivers([route('team="ml"', ['ml-team'])], info, RECEIVERS)).toEqual([]);
    expect(names(chooseReceivers([route('severity="info"', ['ml-team'])], info, RECEIVERS))).toEqual([
      'ml-team',
    ]);
  });

  test('a route without matchers takes everything', () => {
    expect(
      names(
        chooseReceivers([{ matchers: [], receivers: ['hook'] }], labels({ severity: 'critical' }), RECEIVERS),
      ),
    ).toEqual(['hook']);
  });
});

test.each(['warning', 'info'] as const)('no event of a %s ever yields a page', (severity) => {
  for (const kind of ['pagerduty', 'slack', 'webhook', 'log'] as const) {
    for (const event of ['fired', 'verdict', 'acknowledged', 'resolved', 'changed'] as const) {
      expect(notificationsFor(kind, event, severity).filter((purpose) => purpose.startsWith('page'))).toEqual(
        [],
      );
    }
  }
});

test('a critical pages once, and its acknowledge and resolve follow', () => {
  expect(notificationsFor('pagerduty', 'fired', 'critical')).toEqual(['page']);
  expect(notificationsFor('pagerduty', 'acknowledged', 'critical')).toEqual(['page_acknowledge']);
  expect(notificationsFor('pagerduty', 'resolved', 'critical')).toEqual(['page_resolve']);
  expect(notificationsFor('pagerduty', 'verdict', 'critical')).toEqual([]);
  expect(notificationsFor('slack', 'verdict', 'critical')).toEqual(['card', 'verdict_reply']);
});

test('routes are compiled as they are written in the configuration', () => {
  const routes = compileRoutes([
    { matchers: ['severity="critical"', 'team=~"ml|infra"'], receivers: ['pager'], continue: true },
    { matchers: [], receivers: ['team'] },
  ]);
  const route = createRouter(routes, RECEIVERS);
  expect(names(route('critical', labels({ team: 'ml', severity: 'page' })))).toEqual(['pager', 'team']);
  expect(names(route('warning', labels({ team: 'ml' })))).toEqual(['team']);
  expect(matcherFault('severity="critical"')).toBeNull();
  expect(matcherFault('severity')).toContain('expected =');
});
