import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runCli } from './run-cli.js';

const alert = (alertname: string, severity: string | null, more: object = {}) => ({
  status: 'firing',
  labels: {
    alertname,
    cluster: 'prod-us',
    namespace: 's',
    model: 'llama-70b',
    ...(severity === null ? {} : { severity }),
  },
  annotations: {},
  startsAt: '2026-01-31T03:12:00Z',
  ...more,
});

function inDirectory(files: Record<string, string>): string {
  const directory = mkdtempSync(join(tmpdir(), 'wakewell-route-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return directory;
}

const CONFIG = JSON.stringify({
  severity_mapping: { page: 'critical' },
  receivers: [
    { name: 'oncall', kind: 'pagerduty', routing_key: 'r0123456789abcdef0123456789abcdef' },
    { name: 'team', kind: 'webhook', url: 'https://team.example.com/in' },
  ],
  routes: [{ matchers: ['severity=~"critical|warning"'], receivers: ['oncall', 'team'] }],
});

test('a payload is explained: severity, scope, entry, who joins whom, who gets what and who gets nothing', async () => {
  const alerts = [alert('LLMHighTTFT', 'page'), alert('LLMQueueBuildup', null), alert('Watchdog', 'none')];
  const directory = inDirectory({ 'w.yaml': CONFIG, 'p.json': JSON.stringify({ alerts }) });
  const run = (...args: string[]) =>
    runCli(['route', 'explain', join(directory, 'p.json'), ...args], {
      WAKEWELL_CONFIG: join(directory, 'w.yaml'),
    });

  const human = await run();
  const json = JSON.parse((await run('--json')).stdout);

  expect(human.status).toBe(0);
  expect(human.stdout).toContain('LLMHighTTFT (firing)\n  severity  critical\n');
  expect(human.stdout).toContain('scope     cluster=prod-us, namespace=s, model=llama-70b');
  expect(human.stdout).toContain('severity  warning: no severity label: treated as warning');
  expect(human.stdout).toContain('LLMHighTTFT is served by entry high-ttft');
  expect(human.stdout).toContain('a Watchdog: it is remembered and opens nothing');
  expect(human.stdout).toContain('oncall: page (route severity=~"critical|warning"');
  expect(json.alerts).toHaveLength(3);
  expect(json.incidents[0]).toMatchObject({
    severity: 'critical',
    dedupKey: expect.stringMatching(/^[0-9a-f]{64}$/),
    receivers: [
      { receiver: 'oncall', sends: ['page'] },
      { receiver: 'team', sends: ['webhook'] },
    ],
  });
});

test('a warning says that its pager gets nothing, an info that nobody is told', async () => {
  const directory = inDirectory({
    'w.yaml': CONFIG,
    'warning.json': JSON.stringify({ alerts: [alert('Disk', 'warning')] }),
    'info.json': JSON.stringify({ alerts: [alert('Disk', 'info')] }),
    'bad.json': '{"alerts": [7]}',
  });
  const codes = async (file: string) => {
    const { stdout, status } = await runCli(['route', 'explain', join(directory, file), '--json'], {
      WAKEWELL_CONFIG: join(directory, 'w.yaml'),
    });
    const { incidents, unreadable } = JSON.parse(stdout);
    return { status, unreadable, codes: incidents[0]?.reasons.map((one: { code: string }) => one.code) };
  };

  expect(await codes('warning.json')).toMatchObject({
    status: 0,
    codes: ['routed', 'only_critical_pages', 'not_critical'],
  });
  expect(await codes('info.json')).toMatchObject({ status: 0, codes: ['recorded_only', 'not_critical'] });
  expect(await codes('bad.json')).toMatchObject({
    status: 1,
    unreadable: ['expected an object, found a number'],
  });
  expect((await runCli(['route', 'explain', join(directory, 'none.json')], {})).status).toBe(2);
});
