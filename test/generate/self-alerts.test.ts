/** The rules that watch us: one always fires, the other when we are gone or late. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { builtInEnginesDirectory, loadEngineFiles } from '../../src/catalog/engine-file.js';
import { SELF_ALERTS } from '../../src/catalog/self-alerts.js';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { generateAlertRules } from '../../src/generate/alert-rules.js';
import { alertmanagerConfig } from '../../src/generate/alertmanager-config.js';
import { checkRules, firingAlerts, type InputSeries, withoutPromtool } from './promtool.js';

const rules = generateAlertRules({
  alerts: [],
  selfAlerts: SELF_ALERTS,
  engines: loadEngineFiles(builtInEnginesDirectory()),
  thresholds: DEFAULT_THRESHOLDS,
});

/** One value a minute. */
const series = (name: string, values: string): InputSeries => ({ series: `${name}{job="wakewell"}`, values });
const UP = series('up', '1+0x20');
const PASSES = series('wakewell_auditor_last_ok_timestamp_seconds', '0+60x20');

async function firing(input: readonly InputSeries[], atMinutes: number): Promise<string[]> {
  const names = SELF_ALERTS.map((alert) => alert.name);
  const found = await firingAlerts({ rules, input, atMinutes, names, intervalSeconds: 60 });
  return found.map(({ name, labels }) => `${name} ${labels}`);
}

describe.skipIf(withoutPromtool)('under promtool', () => {
  const watchdog = 'Watchdog {alertname="Watchdog", severity="none"}';
  const down = 'WakewellDown {alertname="WakewellDown", severity="critical"}';

  test('the rules are accepted', async () => {
    expect(await checkRules(rules)).toContain('SUCCESS: 2 rules found');
  });

  test('while we are up and the auditor passes only the Watchdog fires', async () => {
    expect(await firing([UP, PASSES], 15)).toEqual([watchdog]);
  });

  test.each<[string, InputSeries[]]>([
    ['nothing is scraped', []],
    ['the scrape fails', [series('up', '1 1 1 0+0x17'), PASSES]],
    [
      'the auditor no longer passes',
      [UP, series('wakewell_auditor_last_ok_timestamp_seconds', '0 60 120 120+0x17')],
    ],
    ['the auditor never passed', [UP, series('wakewell_auditor_last_ok_timestamp_seconds', '0+0x20')]],
  ])('when %s it is said as one alert', async (_, input) => {
    expect(await firing(input, 10)).toEqual([watchdog, down]);
  });

  test('a restart of a minute is not', async () => {
    expect(await firing([series('up', '1 1 1 1 0 1+0x17'), PASSES], 6)).toEqual([watchdog]);
  });
});

test.each([
  [
    'written for a peer',
    alertmanagerConfig({
      webhookUrl: 'http://w/',
      groupWaitMs: 1,
      groupIntervalMs: 1,
      repeatIntervalMs: 1,
      pagerRoutingKey: 'k'.repeat(32),
    }),
  ],
  ['deployed', readFileSync('deploy/alertmanager.yml', 'utf8')],
])(
  'the configuration of Alertmanager that is %s sends what says that we are down past us, and beats each minute',
  (_, text) => {
    const { route, receivers } = parse(text);
    const of = (name: string) =>
      route.routes.find((one: { matchers: string[] }) => one.matchers.includes(`alertname="${name}"`));

    expect(of('WakewellDown').receiver).toBe('pager');
    const pager = receivers.find((one: { name: string }) => one.name === 'pager');
    expect(Object.keys(pager)).toEqual(['name', 'pagerduty_configs']);
    expect(of('Watchdog').receiver).toBe('wakewell');
    expect(['1m', '60000ms']).toContain(of('Watchdog').group_interval);
    expect(['48s', '48000ms']).toContain(of('Watchdog').repeat_interval);
  },
);
