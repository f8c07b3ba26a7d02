/** Commands that talk to a running service, against the whole one on a port of its own. */

import { describe, expect, onTestFinished, test } from 'vitest';
import { buildApp } from '../../src/app.js';
import { readConfig } from '../../src/config/config.js';
import { createLogger } from '../../src/log/logger.js';
import { runCli } from './run-cli.js';

const TOKENS = {
  WAKEWELL_WEBHOOK_TOKEN: 'a-webhook-token-0123456789',
  WAKEWELL_API_TOKEN: 'an-api-token-0123456789',
};

/** Starts the service and returns the environment with which commands find it. */
async function service(env: Record<string, string> = {}): Promise<Record<string, string>> {
  const read = readConfig({ yamlText: 'database_url: "file::memory:"\nport: 0\n', env });
  if (read.kind === 'faulty') throw new Error(read.faults.join('\n'));
  const app = await buildApp(read.config, { logger: createLogger({ level: 'silent' }) });
  onTestFinished(() => app.stop());
  return { ...env, WAKEWELL_URL: (await app.start()).url };
}

describe('a running service', () => {
  test('fire, list, show, ack, note and resolve make one story', async () => {
    const env = await service();

    const fired = await runCli(['fire', 'LLMHighTTFT'], env);
    const listed = await runCli(['incidents', 'list'], env);
    const shown = await runCli(['incidents', 'show', '1'], env);
    const acked = await runCli(['incidents', 'ack', 'INC-1', '-m', 'on it'], env);
    const noted = await runCli(['incidents', 'note', '1', 'scaled up'], env);
    const resolved = await runCli(['incidents', 'resolve', '1', '--json'], env);

    expect([fired, listed, shown, acked, noted, resolved].map(({ status }) => status)).toEqual([
      0, 0, 0, 0, 0, 0,
    ]);
    expect(fired.stdout).toContain('Fired LLMHighTTFT: INC-1.');
    expect(listed.stdout).toMatch(/INC-1 +open +critical .* LLMHighTTFT prod-us\/llm-serving\/llama-70b/);
    expect(shown.stdout).toMatch(/^CRIT .* INC-1\n/);
    expect(acked.stdout).toBe('INC-1: acknowledged.\n');
    expect(JSON.parse(resolved.stdout)).toMatchObject({
      state: 'resolved',
      acknowledged_by: 'mia',
      resolved_by: 'mia',
    });
  });

  test('reopen and rerun', async () => {
    const env = await service();
    await runCli(['fire', 'LLMHighTTFT'], env);
    await runCli(['incidents', 'resolve', '1'], env);

    const refused = await runCli(['incidents', 'rerun', '1'], env);
    const reopened = await runCli(['incidents', 'reopen', 'INC-1', '-m', 'not yet'], env);
    const rerun = await runCli(['incidents', 'rerun', '1'], env);

    expect(refused).toMatchObject({ status: 5, stderr: expect.stringContaining('keeps its verdict') });
    expect(reopened).toMatchObject({ status: 0, stdout: 'INC-1: reopened.\n' });
    expect(rerun).toMatchObject({ status: 0, stdout: 'INC-1: the checks are being run again.\n' });
  });

  test('a scenario fires its alerts, and they are one incident each scope', async () => {
    const env = await service();

    const { stdout } = await runCli(['fire', 'kv-exhaustion', '--json'], env);

    expect(JSON.parse(stdout).incidents).toEqual(['INC-1']);
  });

  test('firing again with --resolve ends it', async () => {
    const env = await service();
    await runCli(['fire', 'LLMQueueBuildup'], env);
    await runCli(['fire', 'LLMQueueBuildup', '--resolve'], env);

    const { stdout } = await runCli(['incidents', 'list', '--state', 'resolved', '--json'], env);

    expect(JSON.parse(stdout).data).toHaveLength(1);
  });

  test('tokens are taken from the environment', async () => {
    const env = await service(TOKENS);
    const { WAKEWELL_WEBHOOK_TOKEN: _, WAKEWELL_API_TOKEN: __, ...without } = env;

    expect((await runCli(['fire', 'LLMHighTTFT'], env)).status).toBe(0);
    expect((await runCli(['incidents', 'ack', '1'], env)).status).toBe(0);
    expect((await runCli(['fire', 'LLMHighTTFT'], without)).status).toBe(2);
    expect((await runCli(['incidents', 'list'], without)).status).toBe(2);
    expect(JSON.parse((await runCli(['incidents', 'show', '1', '--json'], env)).stdout)).toMatchObject({
      acknowledged_by: 'mia',
    });
  });

  test('no such incident is 4, an impossible change 5, a filter that does not exist 2', async () => {
    const env = await service();
    await runCli(['fire', 'LLMHighTTFT'], env);
    await runCli(['incidents', 'resolve', '1'], env);

    const missing = await runCli(['incidents', 'show', '9', '--json'], env);

    expect(missing.status).toBe(4);
    expect(JSON.parse(missing.stderr)).toEqual({ error: 'there is no INC-9', exit_code: 4 });
    expect((await runCli(['incidents', 'ack', '1'], env)).status).toBe(5);
    expect((await runCli(['incidents', 'list', '--state', 'opne'], env)).status).toBe(2);
  });

  test('labels cannot make a terminal do anything', async () => {
    const env = await service();
    await runCli(['fire', 'Mine', '-l', 'model=\u001b[31mred\u202e'], env);

    const { stdout } = await runCli(['incidents', 'list'], env);

    expect(stdout.replaceAll('\n', '')).not.toMatch(/\p{Cc}|\u202e/u);
  });
});

describe('no running service', () => {
  test.each([[['incidents', 'list']], [['incidents', 'ack', '1']], [['fire', 'LLMHighTTFT']]])(
    '%j ends with 3 and says what to do',
    async (args) => {
      const { status, stderr } = await runCli(args, { WAKEWELL_URL: 'http://127.0.0.1:1' });

      expect(status).toBe(3);
      expect(stderr).toContain('is `wakewell serve` running?');
    },
  );

  test('a mistyped alert is not fired', async () => {
    const { status, stderr } = await runCli(['fire', 'LLMHighTTTF'], { WAKEWELL_URL: 'http://127.0.0.1:1' });

    expect(status).toBe(4);
    expect(stderr).toContain('did you mean "LLMHighTTFT"?');
  });

  test('a scenario in which nothing is wrong fires nothing', async () => {
    expect((await runCli(['fire', 'healthy'], { WAKEWELL_URL: 'http://127.0.0.1:1' })).status).toBe(2);
  });
});
