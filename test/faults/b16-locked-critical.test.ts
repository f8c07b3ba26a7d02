/** A critical that meets a locked database: 503 within 2 s or so, paged without it, and the redelivery collapses. */

import BetterSqlite3 from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { SECOND } from '../../src/domain/clock.js';
import { temporaryDatabaseFile } from '../support/test-database.js';
import { startWorld } from './world.js';

test('while another process holds the lock, a critical is paged once and answered 503; then it is one incident', async () => {
  const file = temporaryDatabaseFile();
  const w = await startWorld({ config: { database_url: `file:${file}` } });
  const other = new BetterSqlite3(file);
  onTestFinished(() => void other.close());
  other.exec('begin immediate');

  for (let delivery = 0; delivery < 2; delivery++) {
    const answered = w.fire('model-1');
    for (let i = 0; i < 6; i++) await w.pass(SECOND);
    expect(await answered).toBe(503);
  }
  expect(w.pagers.pager.incidents()).toMatchObject([{ triggers: 1 }]);
  expect((await w.get('/metrics')).text).toContain(
    'wakewell_break_glass_pages_total{receiver="pager",outcome="accepted"} 1',
  );

  other.exec('rollback');
  expect(await w.fire('model-1')).toBe(200);
  await w.pass(8 * SECOND);
  expect(w.pagers.pager.incidents()).toMatchObject([{ triggers: 2 }]);
  expect((await w.app.readView(1))?.episode.dedupKey).toBe(w.pagers.pager.incidents()[0]?.dedupKey);
});
