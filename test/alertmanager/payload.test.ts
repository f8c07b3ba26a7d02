import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseWebhook } from '../../src/alertmanager/payload.js';
import type { AlertGroup } from '../../src/domain/alert.js';

const OPTIONS = {
  source: 'am',
  scopeLabels: ['cluster', 'namespace', 'model'],
  severityMapping: { p1: 'critical' },
} as const;

function groupOf(body: unknown): AlertGroup {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const parsed = parseWebhook(bytes, OPTIONS);
  if (parsed.kind !== 'group') throw new Error(`unreadable: ${parsed.reason}`);
  return parsed.group;
}

function reasonOf(body: string | Buffer): string {
  const parsed = parseWebhook(Buffer.from(body), OPTIONS);
  return parsed.kind === 'unreadable' ? parsed.reason : 'readable';
}

const fixture = (name: string) =>
  readFileSync(new URL(`../fixtures/alertmanager/${name}`, import.meta.url), 'utf8');
const alertWith = (fields: object) => ({
  alerts: [{ status: 'firing', labels: { alertname: 'A' }, ...fields }],
});

describe('senders', () => {
  test('a mixed group of Alertmanager 0.25 is read with quoting, truncation and the zero time undone', () => {
    const group = groupOf(fixture('am-0.25-ok-1-firing.json'));

    expect(group).toMatchObject({
      receiver: 'web.hook+ok',
      truncatedAlerts: 1,
      externalUrl: 'http://vm:19093',
    });
    expect(group.alerts.map((alert) => [alert.status, alert.endsAtMs])).toEqual([
      ['resolved', Date.UTC(2026, 10, 21, 23, 51, 15, 627)],
      ['firing', null],
    ]);
    expect(group.alerts[1]).toMatchObject({
      startsAtMs: Date.UTC(2026, 10, 21, 23, 51, 1, 538),
      expression: 'up == 0',
      severity: 'critical',
    });
  });

  test('version 0.19 without truncatedAlerts, with an offset, is read', () => {
    const group = groupOf(fixture('am-0.19-firing.json'));

    expect(group.truncatedAlerts).toBe(0);
    expect(group.alerts[0]).toMatchObject({
      startsAtMs: Date.UTC(2026, 10, 22, 0, 59, 0, 123),
      expression: 'histogram_quantile(0.99, rate(x[5m])) > 5',
      scope: { cluster: 'prod-us', namespace: 'serving', model: 'llama-70b' },
    });
  });

  test('version 0.34 with its new fields is read, and is the same alert as from 0.19', () => {
    const group = groupOf(fixture('am-0.34-firing.json'));

    expect(group.receiver).toBe('web.hook+ok');
    expect(group.alerts[0]?.alertKey).toBe(groupOf(fixture('am-0.19-firing.json')).alerts[0]?.alertKey);
  });

  test('Grafana with version 1 and values null is read', () => {
    const [alert] = groupOf(fixture('grafana-firing.json')).alerts;

    expect(alert).toMatchObject({ name: 'DatasourceNoData', severity: 'critical', expression: null });
  });
});

describe('labels', () => {
  test('names of the object prototype are labels like any other, and nothing is polluted', () => {
    const [alert] = groupOf(
      '{"alerts":[{"status":"firing","labels":{"alertname":"A","__proto__":"x","constructor":"y","hasOwnProperty":"z"}}]}',
    ).alerts;

    expect(Object.keys(alert?.labels ?? {}).sort()).toEqual([
      '__proto__',
      'alertname',
      'constructor',
      'hasOwnProperty',
    ]);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  test('the order of labels is no part of the identity, their values and the source are', () => {
    const key = (labels: object) => groupOf(alertWith({ labels })).alerts[0]?.alertKey;

    expect(key({ a: '1', b: '2' })).toBe(key({ b: '2', a: '1' }));
    expect(key({ a: '1', b: '2' })).not.toBe(key({ a: '1', b: '3' }));
    expect(key({ a: '1","b":"2' })).not.toBe(key({ a: '1', b: '2' }));
  });

  test('an empty scope label is no place', () => {
    const [alert] = groupOf(alertWith({ labels: { alertname: 'A', cluster: '', model: 'm' } })).alerts;

    expect(Object.keys(alert?.scope ?? {})).toEqual(['model']);
  });

  test('a missing name and severity are said', () => {
    const [alert] = groupOf(alertWith({ labels: {} })).alerts;

    expect(alert).toMatchObject({
      name: '(no alertname)',
      severity: 'warning',
      severityNote: 'no severity label: treated as warning',
    });
  });

  test('numbers in labels are text, other things make the entry unreadable', () => {
    expect(groupOf(alertWith({ labels: { alertname: 'A', port: 80 } })).alerts[0]?.labels.port).toBe('80');
    expect(groupOf(alertWith({ labels: { severity: ['critical'] } })).quarantined).toEqual([
      { index: 0, reason: 'labels.severity: expected text, found an array', raw: expect.any(String) },
    ]);
  });

  test('annotations that are no text are shown as JSON', () => {
    expect(
      groupOf(alertWith({ annotations: { n: { a: 1 }, s: 'text' } })).alerts[0]?.annotations,
    ).toMatchObject({
      n: '{"a":1}',
      s: 'text',
    });
  });
});

describe('bad entries', () => {
  test.each([
    ['null', null, 'expected an object, found null'],
    ['an array', [], 'expected an object, found an array'],
    ['no status', { labels: {} }, 'status: expected "firing" or "resolved", found nothing'],
    [
      'a strange status',
      { status: 'pending', labels: {} },
      'status: expected "firing" or "resolved", found "pending"',
    ],
    ['no labels', { status: 'firing' }, 'labels: expected an object, found nothing'],
  ])('%s is set aside with its reason, and its neighbours are read', (_name, bad, reason) => {
    const good = { status: 'firing', labels: { alertname: 'A' } };

    const group = groupOf({ alerts: [good, bad, good] });

    expect(group.alerts).toHaveLength(2);
    expect(group.quarantined).toMatchObject([{ index: 1, reason }]);
  });

  test('an entry nested deeper than JSON can be written again is set aside', () => {
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;

    const group = groupOf(`{"alerts":[{"status":"firing","labels":${deep}}]}`);

    expect(group.quarantined).toMatchObject([{ raw: '(nested too deep to show)' }]);
  });
});

describe('unreadable bodies', () => {
  test.each([
    ['empty', '', 'the body is empty'],
    ['cut off', '{"alerts":[', 'the body is no JSON'],
    ['a list', '[]', 'expected a JSON object, found []'],
    ['null', 'null', 'expected a JSON object, found null'],
    ['no alerts', '{}', 'alerts: expected an array, found nothing'],
    ['alerts as object', '{"alerts":{}}', 'alerts: expected an array, found {}'],
  ])('%s: the reason says what is wrong', (_name, body, reason) => {
    expect(reasonOf(body)).toContain(reason);
  });

  test('nesting that would cost gigabytes is refused before it is parsed', () => {
    expect(reasonOf('['.repeat(1_000_000))).toContain('nests deeper than');
  });

  test('brackets inside of strings are no nesting', () => {
    const text = `\\"${'['.repeat(400_000)}`;

    expect(
      groupOf(`{"alerts":[{"status":"firing","labels":{"alertname":"A","x":"${text}"}}]}`).alerts,
    ).toHaveLength(1);
  });
});

describe('leniency', () => {
  test('a byte order mark and bytes that are no UTF-8 do not hide the alert', () => {
    const body = Buffer.concat([
      Buffer.from('\uFEFF{"alerts":[{"status":"firing","labels":{"alertname":"A","x":"'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('"}}]}'),
    ]);

    const parsed = parseWebhook(body, OPTIONS);

    expect(parsed).toMatchObject({ kind: 'group', group: { alerts: [{ name: 'A' }] } });
  });

  test.each([
    [-3, 0],
    ['12', 12],
    ['many', 0],
    [null, 0],
  ])('truncatedAlerts %j is read as %i', (given, expected) => {
    expect(groupOf({ alerts: [], truncatedAlerts: given }).truncatedAlerts).toBe(expected);
  });
});
