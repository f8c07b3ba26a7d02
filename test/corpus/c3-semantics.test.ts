import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  aftermath,
  type EntryCase,
  entry,
  groupBody,
  NOTHING,
  post,
  startService,
  testBodies,
  testEntries,
} from './corpus.js';

const critical = {
  ...NOTHING,
  incidents: ['critical CorpusAlert (1)'],
  messages: ['card slack queued', 'page pager queued'],
};
const fixture = (name: string) =>
  readFileSync(new URL(`../fixtures/alertmanager/${name}`, import.meta.url), 'utf8');

describe('C3 bodies', () => {
  testBodies([
    { name: 'no alerts in it', body: groupBody([]), leaves: NOTHING },
    { name: 'no groupKey', body: groupBody([entry()]).replace('"groupKey":"{}:{}",', ''), leaves: critical },
    {
      name: 'a groupKey of 1 MB',
      body: groupBody([entry()]).replace('{}:{}', 'k'.repeat(1_000_000)),
      leaves: critical,
    },
    {
      name: 'a groupKey with quotes, braces and newlines',
      body: groupBody([entry()]).replace('{}:{}', '{}:{a=\\"}{\\n\\u0000\\"}'),
      leaves: critical,
    },
    {
      name: 'truncatedAlerts 5',
      body: groupBody([entry()]).replace('Alerts":0', 'Alerts":5'),
      leaves: critical,
    },
    {
      name: 'truncatedAlerts negative',
      body: groupBody([entry()]).replace('Alerts":0', 'Alerts":-5'),
      leaves: critical,
    },
    {
      name: 'truncatedAlerts as text',
      body: groupBody([entry()]).replace('Alerts":0', 'Alerts":"5"'),
      leaves: critical,
    },
    {
      name: 'a group said to be resolved whose alert fires',
      body: groupBody([entry()]).replace('"firing","receiver"', '"resolved","receiver"'),
      leaves: critical,
    },
    {
      name: 'a group said to fire whose alert is resolved',
      body: groupBody([entry({ fields: { status: 'resolved' } })]),
      leaves: NOTHING,
    },
    {
      name: 'an externalURL with a script',
      body: groupBody([entry()]).replace('http://am:9093', 'javascript:alert(1)'),
      leaves: critical,
    },
    {
      name: 'no externalURL',
      body: groupBody([entry()]).replace('"externalURL":"http://am:9093",', ''),
      leaves: critical,
    },
    {
      name: 'the same alert twice, firing and resolved',
      body: groupBody([entry(), entry({ fields: { status: 'resolved', endsAt: '2026-11-22T02:59:30Z' } })]),
      leaves: critical,
    },
    { name: 'the same alert three times', body: groupBody([entry(), entry(), entry()]), leaves: critical },
    {
      name: 'one fingerprint on two alerts',
      body: groupBody([
        entry({ fields: { fingerprint: 'aaaaaaaaaaaaaaaa' } }),
        entry({ fields: { fingerprint: 'aaaaaaaaaaaaaaaa' }, labels: { instance: 'other' } }),
      ]),
      leaves: { ...critical, incidents: ['critical CorpusAlert (2)'] },
    },
    {
      name: 'Alertmanager 0.19',
      body: fixture('am-0.19-firing.json'),
      leaves: { ...critical, incidents: ['critical LLMHighTTFT (1)'] },
    },
    {
      name: 'Alertmanager 0.25, a mixed and truncated group',
      body: fixture('am-0.25-ok-1-firing.json'),
      leaves: { ...critical, incidents: ['critical T_ok (1)'] },
    },
    {
      name: 'Alertmanager 0.34',
      body: fixture('am-0.34-firing.json'),
      leaves: { ...critical, incidents: ['critical LLMHighTTFT (1)'] },
    },
    {
      name: 'Grafana',
      body: fixture('grafana-firing.json'),
      leaves: { ...NOTHING, incidents: ['warning DatasourceNoData (1)'], messages: ['card slack queued'] },
    },
  ]);
});

const one = (
  name: string,
  changes: Parameters<typeof entry>[0],
  more: Partial<EntryCase> = {},
): EntryCase => ({
  name,
  entry: entry(changes),
  fate: 'critical',
  ...more,
});
const without = (label: string) => entry({ labels: { [label]: undefined } });

describe('C3 entries', () => {
  testEntries([
    one('status in capitals', { fields: { status: 'FIRING' } }),
    one('an empty status', { fields: { status: '' } }, { fate: 'set aside' }),
    one('an unknown status', { fields: { status: 'pending' } }, { fate: 'set aside' }),
    one('no status', { fields: { status: undefined } }, { fate: 'set aside' }),
    one(
      'resolved before it fired',
      { fields: { status: 'resolved', endsAt: '2026-11-22T02:59:30Z' } },
      { fate: 'nothing' },
    ),
    one(
      'no endsAt',
      { fields: { endsAt: undefined } },
      { check: (alert) => expect(alert.endsAtMs).toBeNull() },
    ),
    one('endsAt null', { fields: { endsAt: null } }),
    one('endsAt before startsAt', { fields: { endsAt: '2020-01-01T00:00:00Z' } }),
    one('endsAt in the year 9999', { fields: { endsAt: '9999-12-31T23:59:59Z' } }),
    one(
      'startsAt at the epoch',
      { fields: { startsAt: '1970-01-01T00:00:00Z' } },
      { check: (alert) => expect(alert.startsAtMs).toBeNull() },
    ),
    one('startsAt in ten years', { fields: { startsAt: '2036-11-22T02:59:00Z' } }),
    one(
      'startsAt with nanoseconds',
      { fields: { startsAt: '2026-11-22T02:59:00.123456789Z' } },
      {
        check: (alert) => expect(alert.startsAtMs).toBe(Date.UTC(2026, 10, 22, 2, 59, 0, 123)),
      },
    ),
    one(
      'startsAt at +14:00',
      { fields: { startsAt: '2026-11-22T16:59:00+14:00' } },
      {
        check: (alert) => expect(alert.startsAtMs).toBe(Date.UTC(2026, 10, 22, 2, 59)),
      },
    ),
    one('startsAt in a leap second', { fields: { startsAt: '2016-12-31T23:59:60Z' } }),
    one(
      'startsAt without a zone',
      { fields: { startsAt: '2026-11-22T02:59:00' } },
      {
        check: (alert) => expect(alert.startsAtMs).toBe(Date.UTC(2026, 10, 22, 2, 59)),
      },
    ),
    one(
      'startsAt that is no time',
      { fields: { startsAt: 'now' } },
      { check: (alert) => expect(alert.startsAtMs).toBeNull() },
    ),
    one('no fingerprint', { fields: { fingerprint: undefined } }),
    one('a fingerprint that is none', { fields: { fingerprint: '<script>' } }),
    {
      name: 'no labels at all',
      entry: entry({ fields: { labels: {} } }),
      fate: 'warning',
      alertName: '(no alertname)',
    },
    { name: 'no alertname', entry: without('alertname'), fate: 'critical', alertName: '(no alertname)' },
    { name: 'no severity', entry: without('severity'), fate: 'warning' },
    one('severity Critical', { labels: { severity: 'Critical' } }),
    one('severity with blanks', { labels: { severity: ' critical ' } }),
    one('severity page, mapped', { labels: { severity: 'page' } }),
    one('severity CRIT, mapped', { labels: { severity: 'CRIT' } }),
    one('an unknown severity', { labels: { severity: 'urgent!' } }, { fate: 'warning' }),
    one('severity info', { labels: { severity: 'info' } }, { fate: 'info' }),
    one('severity as a list', { labels: { severity: ['critical'] } }, { fate: 'set aside' }),
    one('500 labels', {
      labels: Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`l${i}`, `${i}`])),
    }),
    one('a value of 64 KB', { labels: { big: 'x'.repeat(65_536) } }),
    one(
      'label names of UTF-8',
      { labels: { 'foo.bar': '1', größe: '2', 'a b': '3' } },
      {
        check: (alert) => expect(alert.labels).toMatchObject({ 'foo.bar': '1', größe: '2', 'a b': '3' }),
      },
    ),
    one('Grafana with values null', {
      fields: { values: null, valueString: '[ var=A ]', dashboardURL: '', numFiring: 3 },
    }),
  ]);
});

test('the same body a thousand times is one incident, one page, and a thousand receipts', async () => {
  const service = startService();
  const body = groupBody([entry()]);

  const statuses = await Promise.all(Array.from({ length: 1000 }, () => post(service, body)));

  expect(new Set(statuses)).toEqual(new Set([200]));
  expect(await service.h.count('receipts')).toBe(1000);
  expect((await aftermath(service, 200)).incidents).toEqual(critical.incidents);
  expect((await aftermath(service, 200)).messages).toEqual(critical.messages);
});

test('a body of 20,000 alerts and 16 MB is one commit', async () => {
  const service = startService();
  const entries = Array.from({ length: 20_000 }, (_, index) =>
    entry({ labels: { instance: `i-${index}` }, fields: { annotations: { description: 'd'.repeat(400) } } }),
  );

  expect(await post(service, groupBody(entries))).toBe(200);

  expect((await aftermath(service, 200)).incidents).toEqual(['critical CorpusAlert (20000)']);
  expect((await aftermath(service, 200)).messages).toEqual(critical.messages);
});
