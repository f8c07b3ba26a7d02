/** Old things go, in slices that nobody feels; what is open or still to be done stays, whatever its age. */

import { expect, test } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../src/domain/clock.js';
import { deleteInSlices } from '../../src/jobs/delete-in-slices.js';
import { deleteExpired } from '../../src/jobs/housekeeping.js';
import { anAlert } from '../support/build.js';
import { createIntakeHarness, type IntakeHarness } from '../support/intake-harness.js';
import { createManualClock } from '../support/manual-clock.js';
import { TEST_NOW_MS } from '../support/test-database.js';

const RETENTION = { incidentsMs: 365 * DAY, recordingsMs: 90 * DAY, receiptsMs: 14 * DAY };

/** Runs the job while the clock moves on through its pauses. */
async function sweep(h: IntakeHarness) {
  const signal = new AbortController().signal;
  let done = false;
  const running = deleteExpired({ db: h.db, retention: RETENTION, clock: h.clock, signal }).finally(() => {
    done = true;
  });
  while (!done) await h.clock.advance(40);
  return running;
}

async function count(
  h: IntakeHarness,
  table: 'incidents' | 'receipts' | 'recordings' | 'timeline' | 'work',
): Promise<number> {
  const row = await h.db.kysely
    .selectFrom(table)
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .executeTakeFirstOrThrow();
  return row.n;
}

/** Fires and resolves, and lets everything about it be done; with a recording. */
async function finishedIncident(h: IntakeHarness, pod: string): Promise<number> {
  const labels = { model: pod, pod };
  const { incidentIds } = await h.receive(anAlert({ labels }));
  await h.receive(anAlert({ labels, status: 'resolved' }));
  const id = incidentIds[0] ?? 0;
  await h.clock.advance(HOUR);
  await h.db.kysely.updateTable('notifications').set({ state: 'sent' }).execute();
  await h.db.kysely.updateTable('work').set({ state: 'done' }).execute();
  await h.db.kysely.updateTable('timers').set({ state: 'dropped' }).execute();
  const diagnosis = await h.db.kysely
    .insertInto('diagnoses')
    .values({
      incident_id: id,
      episode_id: id,
      trigger: 'opened',
      started_at: h.clock.now(),
      finished_at: h.clock.now(),
      entry_id: 'default',
      entry_is_default: 1,
      enrichment: '{}',
      findings: '[]',
      verdict: '{}',
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  await h.db.kysely
    .insertInto('recordings')
    .values({
      incident_id: id,
      diagnosis_id: diagnosis.id,
      format_version: 1,
      recorded_at: h.clock.now(),
      body: Buffer.alloc(50_000),
    })
    .execute();
  return id;
}

test('bodies go first, then frozen evidence, then the incident with its whole story', async () => {
  const h = createIntakeHarness();
  await finishedIncident(h, 'a');
  const counts = async () => [
    await count(h, 'receipts'),
    await count(h, 'recordings'),
    await count(h, 'incidents'),
  ];

  await h.clock.advance(13 * DAY);
  await sweep(h);
  expect(await counts()).toEqual([2, 1, 1]);
  await h.clock.advance(2 * DAY);
  await sweep(h);
  expect(await counts()).toEqual([0, 1, 1]);
  await h.clock.advance(76 * DAY);
  await sweep(h);
  expect(await counts()).toEqual([0, 0, 1]);
  await h.clock.advance(275 * DAY);
  await sweep(h);
  expect(await counts()).toEqual([0, 0, 0]);
  expect(await count(h, 'timeline')).toBe(0);
  expect(await count(h, 'work')).toBe(0);
});

test('an incident that is open, or about which something is still to be said or done, stays with its evidence', async () => {
  const h = createIntakeHarness();
  const ids = [];
  for (const pod of ['open', 'message', 'work', 'timer', 'done']) ids.push(await finishedIncident(h, pod));
  const [open = 0, message = 0, work = 0, timer = 0] = ids;
  const nowMs = h.clock.now();
  await h.db.kysely
    .updateTable('incidents')
    .set({ state: 'open', resolved_at: null })
    .where('id', '=', open)
    .execute();
  await h.db.kysely
    .updateTable('notifications')
    .set({ state: 'queued' })
    .where('incident_id', '=', message)
    .where('purpose', '=', 'page_resolve')
    .execute();
  await h.db.kysely.updateTable('work').set({ state: 'queued' }).where('incident_id', '=', work).execute();
  await h.db.kysely
    .insertInto('timers')
    .values({
      incident_id: timer,
      episode_id: timer,
      kind: 'reminder' as never,
      key: 'k',
      payload: '{}',
      state: 'waiting',
      due_at: nowMs + 500 * DAY,
      created_at: nowMs,
    })
    .execute();

  await h.clock.advance(400 * DAY);
  await sweep(h);

  const left = await h.db.kysely.selectFrom('incidents').select('id').orderBy('id').execute();
  expect(left.map(({ id }) => id)).toEqual([open, message, work, timer]);
  const recorded = await h.db.kysely.selectFrom('recordings').select('incident_id').execute();
  expect(recorded.map((row) => row.incident_id)).toEqual([open]);
});

test('every table that belongs to an incident is emptied with it', async () => {
  const h = createIntakeHarness();
  await finishedIncident(h, 'a');
  await h.clock.advance(400 * DAY);
  await sweep(h);

  const tables = await h.db.kysely.introspection.getTables();
  for (const { name, columns } of tables) {
    if (!columns.some((column) => column.name === 'incident_id')) continue;
    const rows = await h.db.kysely
      .selectFrom(name as 'timeline')
      .selectAll()
      .execute();
    expect(rows, name).toEqual([]);
  }
});

test('a slice is as large as 20 ms allow, and alerts have their turn in between', async () => {
  const clock = createManualClock({ nowMs: TEST_NOW_MS });
  const limits: number[] = [];
  let costMs = 0.05;
  let moved = 0;
  // A row costs 0.05 ms, later 2 ms.
  const timed = { ...clock, monotonic: () => clock.monotonic() + moved };
  let left = 3_000;
  const deleting = deleteInSlices(
    async (limit) => {
      const deleted = Math.min(limit, left);
      left -= deleted;
      if (left < 1_000) costMs = 2;
      moved += deleted * costMs;
      if (deleted > 0) limits.push(limit);
      return deleted;
    },
    { clock: timed, signal: new AbortController().signal },
  );
  await clock.advance(10 * MINUTE);

  expect(await deleting).toBe(3_000);
  const dear = limits.findIndex((limit, index) => index > 0 && limit < (limits[index - 1] ?? 0));
  expect(Math.max(...limits.slice(0, dear))).toBeLessThanOrEqual(400);
  // One slice meets the new price; all after it keep to it.
  expect(Math.max(...limits.slice(dear))).toBeLessThanOrEqual(15);
});

test('deleting stops when the service does', async () => {
  const clock = createManualClock({ nowMs: TEST_NOW_MS });
  const stop = new AbortController();
  let slices = 0;
  const deleting = deleteInSlices(
    async () => {
      slices += 1;
      return 1;
    },
    { clock, signal: stop.signal },
  );
  await clock.advance(100);
  stop.abort();
  await deleting;

  expect(slices).toBeLessThan(6);
});
