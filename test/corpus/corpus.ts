/**
 * The bad-input corpus: what a case sends, and exactly what must be there afterwards. Status, rows and messages
 * are compared whole, so an extra incident or an extra page fails a case as much as a missing one.
 */

import type { RequestListener } from 'node:http';
import express from 'express';
import request from 'supertest';
import { expect, test } from 'vitest';
import { MINUTE } from '../../src/domain/clock.js';
import { createAlertmanagerWebhook } from '../../src/http/alertmanager-webhook.js';
import { webhookFirst } from '../../src/http/webhook-first.js';
import { createIntakeHarness, type IntakeHarness, silentLogger } from '../support/intake-harness.js';

export const TOKEN = 'corpus-token-0123456789';
export const PATH = '/api/v1/alertmanager';

export type Service = { readonly h: IntakeHarness; readonly app: RequestListener };

/** The webhook over intake over a real database, with the routes of the intake harness. */
export function startService(): Service {
  const h = createIntakeHarness();
  const app = webhookFirst(
    createAlertmanagerWebhook({
      intake: h.intake,
      tokens: [
        { token: TOKEN, source: 'alertmanager' },
        { token: 'second:token', source: 'alertmanager' },
      ],
      scopeLabels: ['cluster', 'namespace', 'model'],
      severityMapping: { page: 'critical', crit: 'critical' },
      logger: silentLogger,
    }),
    express(),
  );
  return { h, app };
}

/** Everything a case can leave behind. */
export type Aftermath = {
  readonly status: number;
  /** Kinds of the stored bodies. */
  readonly receipts: readonly string[];
  /** `severity name (n alerts)` of each incident. */
  readonly incidents: readonly string[];
  readonly quarantined: number;
  /** Messages to be sent, without their due times. */
  readonly messages: readonly string[];
};

export async function aftermath({ h }: Service, status: number): Promise<Aftermath> {
  const receipts = await h.db.kysely.selectFrom('receipts').select('kind').orderBy('id').execute();
  const incidents = await h.db.kysely
    .selectFrom('incidents as i')
    .leftJoin('incident_alerts as a', 'a.incident_id', 'i.id')
    .select((eb) => ['i.severity', 'i.alert_name', eb.fn.count<number>('a.id').as('n')])
    .groupBy('i.id')
    .orderBy('i.id')
    .execute();
  const messages = (await h.outbox()).map((row) => row.replace(/ \+.*$/, ''));
  return {
    status,
    receipts: receipts.map((row) => row.kind),
    incidents: incidents.map((row) => `${row.severity} ${row.alert_name} (${row.n})`).sort(),
    quarantined: await h.count('quarantined_alerts'),
    messages: messages.sort(),
  };
}

export async function post(service: Service, body: string | Buffer): Promise<number> {
  const response = await request(service.app)
    .post(PATH)
    .set('authorization', `Bearer ${TOKEN}`)
    .set('content-type', 'application/json')
    .serialize((raw) => raw)
    .send(body as never);
  return response.status;
}

export const NOTHING: Aftermath = {
  status: 200,
  receipts: ['group'],
  incidents: [],
  quarantined: 0,
  messages: [],
};
export const UNREADABLE: Aftermath = {
  status: 200,
  receipts: ['unreadable'],
  incidents: ['warning Unreadable alert payload (1)'],
  quarantined: 0,
  messages: ['card slack queued'],
};

/** A body-level case: sent as it is, alone. */
export type BodyCase = { readonly name: string; readonly body: string | Buffer; readonly leaves: Aftermath };

export function testBodies(cases: readonly BodyCase[]): void {
  test.each(cases.map((one) => [one.name, one] as const))('%s', async (_name, one) => {
    const service = startService();

    const status = await post(service, one.body);

    expect(await aftermath(service, status)).toEqual(one.leaves);
    // The service is well afterwards: the next alert is taken as ever.
    expect(await post(service, groupBody([NEXT]))).toBe(200);
    expect((await service.h.story((await service.h.count('incidents')) || 1)).at(0)).toContain('opened');
  });
}

/** What becomes of an entry of `alerts[]`: taken with a severity, set aside, or nothing since it is resolved. */
export type Fate = 'critical' | 'warning' | 'info' | 'set aside' | 'nothing';

/** An alert-level case: one entry as JSON text, alone, first, and in the middle of 200. */
export type EntryCase = {
  readonly name: string;
  readonly entry: string;
  readonly fate: Fate;
  /** Name of the incident; "CorpusAlert" when absent. */
  readonly alertName?: string;
  /** Looks closer at what was stored of it. */
  readonly check?: (alert: StoredAlert) => void;
};

export type StoredAlert = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAtMs: number | null;
  readonly endsAtMs: number | null;
  readonly expression: string | null;
};

const FILLER = 'FillerAlert';
const FILLERS = Array.from({ length: 199 }, (_, index) =>
  JSON.stringify({
    status: 'firing',
    labels: {
      alertname: FILLER,
      severity: 'warning',
      cluster: 'filler',
      model: 'filler',
      instance: `i-${index}`,
    },
    annotations: { summary: 'One of many' },
    startsAt: '2026-11-22T02:58:00Z',
    endsAt: '0001-01-01T00:00:00Z',
  }),
);
const NEXT = JSON.stringify({
  status: 'firing',
  labels: { alertname: 'NextAlert', severity: 'critical', cluster: 'next' },
  startsAt: '2026-11-22T02:58:00Z',
});

const PLACES: readonly (readonly [string, (entry: string) => readonly string[]])[] = [
  ['alone', (entry) => [entry]],
  ['first of 200', (entry) => [entry, ...FILLERS]],
  ['in the middle of 200', (entry) => [...FILLERS.slice(0, 100), entry, ...FILLERS.slice(100)]],
];

export function testEntries(cases: readonly EntryCase[]): void {
  const rows = cases.flatMap((one) =>
    PLACES.map(([place, entries]) => [one.name, place, one, entries] as const),
  );
  test.each(rows)('%s, %s', async (_name, place, one, entries) => {
    const service = startService();

    const status = await post(service, groupBody(entries(one.entry)));

    expect(await aftermath(service, status)).toEqual(expected(one, place !== 'alone'));
    if (one.check !== undefined) one.check(await storedAlert(service, one.alertName ?? 'CorpusAlert'));
    // The same body again, as Alertmanager repeats it, opens and sends nothing more.
    await service.h.clock.advance(MINUTE);
    expect(await post(service, groupBody(entries(one.entry)))).toBe(200);
    const again = await aftermath(service, status);
    expect([again.incidents, again.messages]).toEqual([
      expected(one, place !== 'alone').incidents,
      expected(one, place !== 'alone').messages,
    ]);
  });
}

function expected(one: EntryCase, hasFillers: boolean): Aftermath {
  const incidents = hasFillers ? [`warning ${FILLER} (199)`] : [];
  const messages = hasFillers ? ['card slack queued'] : [];
  if (one.fate === 'critical' || one.fate === 'warning' || one.fate === 'info') {
    incidents.push(`${one.fate} ${one.alertName ?? 'CorpusAlert'} (1)`);
    if (one.fate !== 'info') messages.push('card slack queued');
    if (one.fate === 'critical') messages.push('page pager queued');
  }
  if (one.fate === 'set aside' && !hasFillers) {
    incidents.push('warning Unreadable alert payload (1)');
    messages.push('card slack queued');
  }
  return {
    status: 200,
    receipts: ['group'],
    incidents: incidents.sort(),
    quarantined: one.fate === 'set aside' ? 1 : 0,
    messages: messages.sort(),
  };
}

async function storedAlert({ h }: Service, alertName: string): Promise<StoredAlert> {
  const incident = await h.db.kysely
    .selectFrom('incidents')
    .select('id')
    .where('alert_name', '=', alertName)
    .executeTakeFirstOrThrow();
  const [alert] = (await h.view(incident.id)).alerts;
  if (alert === undefined) throw new Error(`${alertName} has no alert`);
  return alert;
}

export function groupBody(entries: readonly string[]): string {
  return `{"version":"4","groupKey":"{}:{}","truncatedAlerts":0,"status":"firing","receiver":"wakewell","externalURL":"http://am:9093","alerts":[${entries.join(',')}]}\n`;
}

/** An entry as JSON text: a critical of CorpusAlert with these labels and fields changed. */
export function entry(changes: { readonly labels?: object; readonly fields?: object } = {}): string {
  return JSON.stringify({
    status: 'firing',
    labels: {
      alertname: 'CorpusAlert',
      severity: 'critical',
      cluster: 'c-1',
      model: 'm-1',
      ...changes.labels,
    },
    annotations: { summary: 'A summary' },
    startsAt: '2026-11-22T02:59:00Z',
    endsAt: '0001-01-01T00:00:00Z',
    generatorURL: 'http://prom:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1',
    ...changes.fields,
  });
}

/** The same, with raw JSON text as the value of the label `hostile`. */
export function entryWithRawLabel(json: string): string {
  return entry({ labels: { hostile: '@@' } }).replace('"@@"', () => json);
}
