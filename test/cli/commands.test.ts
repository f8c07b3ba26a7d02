/** Commands that need no running service. */

import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { configFile, runCli, temporaryDirectory } from './run-cli.js';

describe('usage', () => {
  test('an unknown command is a usage error that names the nearest', async () => {
    const { status, stderr } = await runCli(['srve']);

    expect(status).toBe(2);
    expect(stderr).toContain('Did you mean serve?');
  });

  test.each([[['serve', '--nope']], [['fire']], [['incidents', 'show']], [['incidents']], [[]]])(
    '%j is a usage error',
    async (args) => {
      expect((await runCli(args)).status).toBe(2);
    },
  );

  test('help is no error', async () => {
    const { status, stdout } = await runCli(['--help']);

    expect(status).toBe(0);
    expect(stdout).toContain('serve');
  });

  test('version says the package version, also as JSON', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

    expect((await runCli(['version'])).stdout).toBe(`wakewell ${version}\n`);
    expect(JSON.parse((await runCli(['version', '--json'])).stdout)).toMatchObject({ version });
  });
});

describe('check', () => {
  test('what ships is free of faults', async () => {
    const { status, stdout } = await runCli(['check', '--json']);

    expect(JSON.parse(stdout)).toMatchObject({ ok: true, faults: [] });
    expect(status).toBe(0);
  });

  test('finds the faults of configuration and playbooks in one go, with file and line', async () => {
    const directory = temporaryDirectory();
    const file = configFile(
      `playbooks: [${directory}]\nroutes: [{ matchers: ["severity=~["], receivers: [log] }]\n`,
    );
    const playbook = join(directory, 'mine.yaml');
    writeFileSync(playbook, 'match: { alertname: Mine }\ntitel: Mine\n');

    const faulty = await runCli(['check'], { WAKEWELL_CONFIG: file });
    writeFileSync(file, `playbooks: [${directory}]\n`);
    const playbookOnly = await runCli(['check'], { WAKEWELL_CONFIG: file });

    expect(faulty.status).toBe(1);
    expect(faulty.stdout).toContain(`${file}:2:`);
    expect(playbookOnly.status).toBe(1);
    expect(playbookOnly.stdout).toMatch(/mine\.yaml:2:1: .*"titel".*did you mean "title"/);
  });

  test('a file that is named and missing is a fault', async () => {
    const { status, stdout } = await runCli(['--config', '/nowhere/wakewell.yaml', 'check']);

    expect(status).toBe(1);
    expect(stdout).toContain('there is no file /nowhere/wakewell.yaml');
  });
});

describe('init', () => {
  const written = (file: string) => parse(readFileSync(file, 'utf8')) as Record<string, unknown> | null;

  test.each([
    [[], {}],
    [['--prometheus', 'http://prometheus:9090', '--alertmanager', 'http://am:9093'], {}],
    [['--slack-channel', 'C0123ABCD', '--pagerduty'], {}],
    [
      ['--slack-channel', 'C0123ABCD', '--pagerduty'],
      { SLACK_BOT_TOKEN: 'xoxb-1-2-three', PAGERDUTY_ROUTING_KEY: '0123456789abcdef0123456789abcdef' },
    ],
    [['--host', '0.0.0.0'], {}],
  ])('%j writes a file that passes check', async (flags, env) => {
    const file = join(temporaryDirectory(), 'wakewell.yaml');

    const { status } = await runCli(['init', '-o', file, ...flags], env);
    const checked = await runCli(['check', '--json'], { ...env, WAKEWELL_CONFIG: file });

    expect(status).toBe(0);
    expect(JSON.parse(checked.stdout)).toMatchObject({ ok: true, faults: [] });
    expect(statSync(file).mode & 0o077).toBe(0);
  });

  test('a receiver whose credential is missing waits in a comment, and that is said', async () => {
    const file = join(temporaryDirectory(), 'wakewell.yaml');

    const { stdout } = await runCli(['init', '-o', file, '--slack-channel', 'C0123ABCD']);

    expect(stdout).toContain('SLACK_BOT_TOKEN is not set');
    expect(readFileSync(file, 'utf8')).toContain('#     channel: C0123ABCD');
    expect(written(file)).toBeNull();
  });

  test('beyond loopback it makes both tokens', async () => {
    const file = join(temporaryDirectory(), 'wakewell.yaml');

    await runCli(['init', '-o', file, '--host', '0.0.0.0']);

    expect(written(file)).toMatchObject({
      tokens: {
        webhook: [{ name: 'alertmanager', token: expect.stringMatching(/^[0-9a-f]{64}$/) }],
        api: [{ name: 'api', token: expect.stringMatching(/^[0-9a-f]{64}$/) }],
      },
    });
  });

  test('it never overwrites', async () => {
    const file = configFile('port: 1\n');

    const { status } = await runCli(['init', '-o', file]);

    expect(status).toBe(5);
    expect(readFileSync(file, 'utf8')).toBe('port: 1\n');
  });

  test('an address that is none is refused before anything is written', async () => {
    const file = join(temporaryDirectory(), 'wakewell.yaml');

    const { status, stderr } = await runCli(['init', '-o', file, '--prometheus', 'prometheus:9090']);

    expect(status).toBe(2);
    expect(stderr).toContain('prometheus.url: found "prometheus:9090"');
    expect(() => statSync(file)).toThrow();
  });
});

describe('rules', () => {
  test('are YAML for Prometheus, or the same as JSON', async () => {
    const yaml = await runCli(['rules']);
    const json = await runCli(['rules', '--json']);

    expect(parse(yaml.stdout)).toEqual(JSON.parse(json.stdout));
    expect(JSON.parse(json.stdout).groups[0].rules.length).toBeGreaterThanOrEqual(8);
  });

  test.each([
    [['--engine', 'vlm'], 4, 'did you mean "vllm"'],
    [['--time-scale', '0'], 2, '--time-scale 0'],
    [['--time-scale', '5x'], 2, '--time-scale 5x'],
  ])('%j ends with %i', async (flags, expected, message) => {
    const { status, stderr } = await runCli(['rules', ...flags]);

    expect(status).toBe(expected);
    expect(stderr).toContain(message);
  });
});

describe('diagnose', () => {
  test('without a Prometheus to ask is a usage error', async () => {
    const { status, stderr } = await runCli(['diagnose', 'LLMHighTTFT']);

    expect(status).toBe(2);
    expect(stderr).toContain('PROMETHEUS_URL');
  });

  test('a Prometheus that does not answer ends with 3, and nothing is called OK', async () => {
    const { status, stdout } = await runCli(
      ['diagnose', 'LLMHighTTFT', '-l', 'cluster=c', '-l', 'namespace=n', '-l', 'model=m'],
      { PROMETHEUS_URL: 'http://127.0.0.1:1' },
    );

    expect(status).toBe(3);
    expect(stdout).toContain('Could not see:');
    expect(stdout).not.toMatch(/^\s*✓/m);
  });

  test.each([
    [['--at', 'yesterday'], '--at yesterday'],
    [['-l', 'nonsense'], '--label nonsense'],
  ])('%j is a usage error', async (flags, message) => {
    const { status, stderr } = await runCli(['diagnose', 'X', ...flags], {
      PROMETHEUS_URL: 'http://127.0.0.1:1',
    });

    expect(status).toBe(2);
    expect(stderr).toContain(message);
  });
});

describe('serve', () => {
  test('a faulty configuration ends with 2 and every fault', async () => {
    const { status, stderr } = await runCli(['serve'], { WAKEWELL_PORT: 'x', WAKEWELL_HOST: '0.0.0.0' });

    expect(status).toBe(2);
    expect(stderr).toContain('WAKEWELL_PORT');
    expect(stderr).toContain('WAKEWELL_API_TOKEN');
  });
});
