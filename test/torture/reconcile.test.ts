import { expect, test } from 'vitest';
import type { StoredState } from '../../bench/torture/read-database.js';
import { type Evidence, reconcile, uptimeBetween } from '../../bench/torture/reconcile.js';
import { canonicalLabels } from '../../src/domain/labels.js';
import type { SentAlert } from '../support/alertmanager-double.js';

const labels = { alertname: 'Slow', severity: 'critical', pod: 'a' };
const alert: SentAlert = {
  status: 'firing',
  labels,
  annotations: {},
  startsAt: '2026-01-01T00:00:00Z',
  endsAt: '0001-01-01T00:00:00Z',
  generatorURL: '',
  fingerprint: '0',
};

const episode = {
  id: 1,
  incidentId: 1,
  dedupKey: 'k1',
  severity: 'critical',
  startedAtMs: 1_000,
  endedAtMs: 9_000,
};
const incident = { id: 1, problem: 'p', state: 'resolved', openedAtMs: 1_000, resolvedAtMs: 9_000 };
const page = { episodeId: 1, state: 'sent', createdAtMs: 1_000, reason: null };

/** One critical alert, accepted, stored, paged and resolved, in one life of the service. */
function healthy(): Evidence & { stored: StoredState } {
  return {
    attempts: [{ body: 'b1', alerts: [alert], status: 200 }],
    stored: {
      bodies: new Map([['b1', 1]]),
      incidents: [incident],
      episodes: [episode],
      alerts: [{ incidentId: 1, labels: canonicalLabels(labels), status: 'resolved' }],
      pages: [page],
      integrity: 'ok',
    },
    events: [
      { atMs: 1_500, action: 'trigger', dedupKey: 'k1' },
      { atMs: 9_500, action: 'resolve', dedupKey: 'k1' },
    ],
    refused: [],
    lives: [{ startedAtMs: 0, readyAtMs: 500, endedAtMs: 20_000 }],
    pageDeadlineMs: 1_000,
  };
}

function withStored(change: Partial<StoredState>): Evidence {
  const evidence = healthy();
  return { ...evidence, stored: { ...evidence.stored, ...change } };
}

test('a problem that was stored, paged and resolved has no faults', () => {
  const { accepted, faults, ...counts } = reconcile(healthy());

  expect(accepted).toBe(1);
  expect(faults).toEqual([]);
  expect(Object.values(counts)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0]);
});

test('a body that was answered 200 more often than it is stored is lost', () => {
  const evidence = healthy();
  const twice = { ...evidence, attempts: [...evidence.attempts, ...evidence.attempts] };

  expect(reconcile(twice).lost).toBe(1);
});

test('a firing alert that is in no incident is lost though its body is stored', () => {
  expect(reconcile(withStored({ alerts: [] })).lost).toBe(1);
});

test('two incidents of one problem are duplicates only while both are open', () => {
  const during = { ...incident, id: 2, openedAtMs: 8_999, resolvedAtMs: 12_000 };
  const after = { ...incident, id: 2, openedAtMs: 9_000, resolvedAtMs: 12_000 };

  expect(reconcile(withStored({ incidents: [incident, during] })).duplicate_incidents).toBe(1);
  expect(reconcile(withStored({ incidents: [incident, after] })).duplicate_incidents).toBe(0);
});

test('a page marked as sent that the pager never accepted is unpaged', () => {
  expect(reconcile({ ...healthy(), events: [] }).unpaged_critical).toBe(1);
});

test('a dropped page is excused only when its episode ended before it was due, counted in uptime', () => {
  const dropped = { ...page, state: 'dropped' };
  const long = withStored({ pages: [dropped] });
  const short = withStored({ pages: [dropped], episodes: [{ ...episode, endedAtMs: 1_900 }] });
  const mostlyDown = { ...long, lives: [{ startedAtMs: 0, readyAtMs: 8_500, endedAtMs: 20_000 }] };

  expect(reconcile({ ...long, events: [] }).unpaged_critical).toBe(1);
  expect(reconcile({ ...short, events: [] }).unpaged_critical).toBe(0);
  expect(reconcile({ ...mostlyDown, events: [] }).unpaged_critical).toBe(0);
});

test('a page that the pager turned away is excused until its next try is due', () => {
  const evidence = { ...withStored({ pages: [{ ...page, state: 'dropped' }] }), events: [] };
  const refusedAt = (atMs: number) => [{ atMs, action: 'trigger', dedupKey: 'k1' }] as const;

  expect(reconcile({ ...evidence, refused: refusedAt(8_000) }).unpaged_critical).toBe(0);
  expect(reconcile({ ...evidence, refused: refusedAt(2_000) }).unpaged_critical).toBe(1);
});

test('a critical alert whose incident only ever had warnings is unpaged', () => {
  const found = reconcile(withStored({ episodes: [{ ...episode, severity: 'warning' }] }));

  expect(found.unpaged_critical).toBe(1);
});

test('a key of no episode, and episodes of one incident side by side, are extra keys', () => {
  const evidence = healthy();
  const stranger = { atMs: 1_600, action: 'trigger', dedupKey: 'k9' } as const;
  const beside = { ...episode, id: 2, dedupKey: 'k2', startedAtMs: 5_000 };

  expect(reconcile({ ...evidence, events: [...evidence.events, stranger] }).extra_dedup_keys).toBe(1);
  expect(reconcile(withStored({ episodes: [episode, beside] })).extra_dedup_keys).toBe(1);
});

test('a repeated trigger is fine before the resolve of its key and a fault after it', () => {
  const evidence = healthy();
  const again = { atMs: 9_600, action: 'trigger', dedupKey: 'k1' } as const;
  const [trigger, resolve] = evidence.events;
  if (trigger === undefined || resolve === undefined) throw new Error('no events');

  expect(reconcile({ ...evidence, events: [trigger, trigger, resolve] }).triggers_after_resolve).toBe(0);
  expect(reconcile({ ...evidence, events: [trigger, resolve, again] }).triggers_after_resolve).toBe(1);
});

test('a page is late 15 s after its deadline, or after the restart that followed it', () => {
  const evidence = healthy();
  const events = [
    { atMs: 17_100, action: 'trigger', dedupKey: 'k1' },
    { atMs: 19_000, action: 'resolve', dedupKey: 'k1' },
  ] as const;
  const restarted = [...evidence.lives, { startedAtMs: 2_500, readyAtMs: 3_000, endedAtMs: null }];

  expect(reconcile({ ...evidence, events }).late_pages).toBe(1);
  expect(reconcile({ ...evidence, events, lives: restarted }).late_pages).toBe(0);
});

test('a page that was owed when a process started is timed from that start', () => {
  const evidence = healthy();
  const restarted = [...evidence.lives, { startedAtMs: 1_200, readyAtMs: 1_400, endedAtMs: null }];

  expect(reconcile(evidence).max_page_after_restart_ms).toBe(0);
  expect(reconcile({ ...evidence, lives: restarted }).max_page_after_restart_ms).toBe(300);
});

test('what is answered 4xx is dropped by Alertmanager, and counted', () => {
  const evidence = healthy();
  const refused = { body: 'b2', alerts: [alert], status: 429 };

  expect(reconcile({ ...evidence, attempts: [...evidence.attempts, refused] }).answers_4xx).toBe(1);
});

test('an incident that is open, and a page that nobody resolved, are left open', () => {
  const evidence = healthy();
  const open = withStored({ incidents: [{ ...incident, state: 'open', resolvedAtMs: null }] });

  expect(reconcile(open).left_open).toBe(1);
  expect(reconcile({ ...evidence, events: evidence.events.slice(0, 1) }).left_open).toBe(1);
});

test('uptime counts ready processes only', () => {
  const lives = [
    { startedAtMs: 0, readyAtMs: 100, endedAtMs: 200 },
    { startedAtMs: 300, readyAtMs: null, endedAtMs: 400 },
    { startedAtMs: 500, readyAtMs: 600, endedAtMs: null },
  ];
  expect(uptimeBetween(lives, 150, 700)).toBe(150);
});
