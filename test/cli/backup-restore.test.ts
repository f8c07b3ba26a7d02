import { existsSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/app.js';
import { openDatabase } from '../../src/store/database.js';
import { temporaryDatabaseFile } from '../support/test-database.js';
import { runCli } from './run-cli.js';

test('a backup is made beside the running service, and restored once that is stopped', async () => {
  const file = temporaryDatabaseFile();
  const env = { DATABASE_URL: `file:${file}` };
  const service = openDatabase(`file:${file}`, { clock: systemClock });
  onTestFinished(() => service.close());

  const made = await runCli(['backup', '--json'], env);
  const backup = JSON.parse(made.stdout).file as string;
  expect(made.status).toBe(0);
  expect(dirname(backup)).toBe(join(dirname(file), 'backups'));

  const running = await runCli(['restore', backup, '--force', '--json'], env);
  expect(running.status).toBe(5);
  expect(JSON.parse(running.stderr).error).toContain('in use by another process');

  await service.close();
  expect((await runCli(['restore', backup], env)).status).toBe(5);
  const restored = await runCli(['restore', backup, '--force', '--json'], env);
  expect(restored.status).toBe(0);
  expect(JSON.parse(restored.stdout)).toMatchObject({
    file,
    incidents: 0,
    open: 0,
    reaches: expect.any(String),
  });
});

test('a backup goes where it is told to, in words that say so', async () => {
  const file = temporaryDatabaseFile();
  const env = { DATABASE_URL: `file:${file}` };
  expect((await runCli(['backup'], env)).status).toBe(4);
  await openDatabase(`file:${file}`, { clock: systemClock }).close();
  const target = join(dirname(file), 'mine.db');

  const made = await runCli(['backup', target], env);
  expect(made).toMatchObject({ status: 0, stdout: expect.stringContaining(`${target}: `) });
  expect((await runCli(['backup', target], env)).status).toBe(5);

  rmSync(file);
  const restored = await runCli(['restore', target], env);
  expect(restored).toMatchObject({ status: 0, stdout: expect.stringContaining('Next: start the service') });
  expect(existsSync(file)).toBe(true);
  expect((await runCli(['restore', `${target}.no`], env)).status).toBe(4);
});
