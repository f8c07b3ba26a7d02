import BetterSqlite3 from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { createIdleCheckpoint, IDLE_CHECKPOINT_PAGES } from '../../src/store/idle-checkpoint.js';
import { temporaryDatabaseFile } from '../support/test-database.js';

/** A database whose log only the idle checkpoint shortens. */
function open() {
  const db = new BetterSqlite3(temporaryDatabaseFile());
  onTestFinished(() => {
    db.close();
  });
  db.pragma('journal_mode = WAL');
  db.pragma('wal_autocheckpoint = 0');
  db.exec('create table t (body blob)');
  const idle = createIdleCheckpoint(db);
  const write = (pages: number) => db.prepare('insert into t values (zeroblob(?))').run(pages * 4096);
  const waiting = () => {
    const [found] = db.pragma('wal_checkpoint(NOOP)') as { log: number; checkpointed: number }[];
    return (found?.log ?? 0) - (found?.checkpointed ?? 0);
  };
  return { db, idle, write, waiting };
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

test('a long log is brought in once nothing runs', async () => {
  const { idle, write, waiting } = open();
  idle.begin();
  write(IDLE_CHECKPOINT_PAGES);
  idle.end();
  expect(waiting()).toBeGreaterThanOrEqual(IDLE_CHECKPOINT_PAGES);

  await turns(3);

  expect(waiting()).toBe(0);
});

test('a short log is left, and one while another transaction runs', async () => {
  const { idle, write, waiting } = open();
  idle.begin();
  write(20);
  idle.end();
  await turns(3);
  expect(waiting()).toBeGreaterThan(0);

  idle.begin();
  idle.begin();
  write(IDLE_CHECKPOINT_PAGES);
  idle.end();
  await turns(3);
  expect(waiting()).toBeGreaterThan(IDLE_CHECKPOINT_PAGES);

  idle.end();
  await turns(3);
  expect(waiting()).toBe(0);
});

test('a connection that was closed meanwhile is left alone', async () => {
  const { db, idle } = open();
  idle.begin();
  idle.end();
  db.close();

  await turns(3);

  expect(db.open).toBe(false);
});
