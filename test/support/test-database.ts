/** A real database for a test: in memory unless a file is asked for, closed when the test ends. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Clock } from '../../src/domain/clock.js';
import { type Database, openDatabase } from '../../src/store/database.js';
import { createManualClock } from './manual-clock.js';

/** A Sunday in November 2026, so that printed times are easy to recognise. */
export const TEST_NOW_MS = Date.UTC(2026, 10, 22, 3, 0, 0);

export function openTestDatabase(clock: Clock = createManualClock({ nowMs: TEST_NOW_MS })): Database {
  const db = openDatabase('file::memory:', { clock });
  onTestFinished(() => db.close());
  return db;
}

/** A path for a database file in a directory that is removed when the test ends. */
export function temporaryDatabaseFile(): string {
  const directory = mkdtempSync(join(tmpdir(), 'wakewell-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'wakewell.db');
}

/** The least that the table of receipts takes as a row. */
export function aReceiptRow(body: Buffer) {
  return {
    received_at: 1,
    source: 's',
    kind: 'group' as const,
    group_key: null,
    truncated_alerts: 0,
    alert_count: 0,
    quarantined_count: 0,
    body,
  };
}
