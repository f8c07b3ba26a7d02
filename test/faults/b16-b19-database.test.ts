/** Rows B16, B18 and B19 of the fault matrix: the database is locked, damaged or gone. B12, B17, B20, B21: see b12-b21-storage. */

import { copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import BetterSqlite3 from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { createRandom } from '../../bench/torture/random.js';
import { systemClock } from '../../src/app.js';
import { AppError } from '../../src/domain/errors.js';
import { openDatabase } from '../../src/store/database.js';
import { aReceiptRow, temporaryDatabaseFile } from '../support/test-database.js';
import { startWholeService } from '../support/whole-service.js';

test('B16: while another process holds the database, alerts are answered 503 within 2.5 s, the loop turns, and the page leaves once', async () => {
  const file = temporaryDatabaseFile();
  const service = await startWholeService({ DATABASE_URL: `file:${file}` });
  const other = new BetterSqlite3(file);
  onTestFinished(() => void other.close());
  const delay = monitorEventLoopDelay({ resolution: 5 });

  other.exec('begin exclusive');
  delay.enable();
  const startedAt = performance.now();
  const refused = await service.fire();
  const tookMs = performance.now() - startedAt;
  delay.disable();
  other.exec('commit');

  expect(refused.status).toBe(503);
  expect(tookMs).toBeLessThan(2_500);
  // 100 ms of SQLite's patience; the rest is what a busy machine adds.
  expect(delay.max / 1e6).toBeLessThan(400);
  expect(service.pagerDuty.incidents()).toHaveLength(1);
}, 30_000);

test('B19: once its file is deleted, the service is not ready, answers 503, and pages what it cannot keep', async () => {
  const file = temporaryDatabaseFile();
  const service = await startWholeService({ DATABASE_URL: `file:${file}` });
  renameSync(file, `${file}.gone`);

  const refused = await service.fire();

  expect(refused.status).toBe(503);
  expect(service.pagerDuty.incidents().some(({ summary }) => summary.includes('LLMHighTTFT'))).toBe(true);
  renameSync(`${file}.gone`, file);
  expect((await service.fire()).status).toBe(200);
}, 30_000);

test('B18: of 60 databases with a lost sector none starts empty: each is refused, or holds all that it held', async () => {
  const file = temporaryDatabaseFile();
  const db = openDatabase(`file:${file}`, { clock: systemClock });
  for (let number = 0; number < 40; number += 1) {
    await db.kysely
      .insertInto('receipts')
      .values(aReceiptRow(Buffer.alloc(3_000, number)))
      .execute();
  }
  await db.close();
  const whole = readFileSync(file);
  const random = createRandom(18);
  let refused = 0;

  for (let round = 0; round < 60; round += 1) {
    const damaged = Buffer.from(whole);
    const at = Math.floor((random() * whole.length) / 512) * 512;
    damaged.fill(round % 2 === 0 ? 0 : 0xa5, at, at + 512);
    const copy = `${file}.${round}`;
    writeFileSync(copy, damaged);
    copyFileSync(`${file}.identity`, `${copy}.identity`);
    try {
      const opened = openDatabase(`file:${copy}`, { clock: systemClock });
      const held = await opened.kysely.selectFrom('receipts').select('id').execute();
      await opened.close();
      expect(held).toHaveLength(40);
    } catch (error) {
      expect(error).toBeInstanceOf(AppError);
      refused += 1;
    }
    for (const suffix of ['', '-wal', '-shm', '.identity', '.lock']) rmSync(copy + suffix, { force: true });
  }

  expect(refused).toBeGreaterThan(5);
}, 60_000);
