/** What the README promises exists, and what exists is in the README. */

import { existsSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ALERTS } from '../src/catalog/alerts.js';
import { SIGNALS } from '../src/catalog/signals.js';
import { DEFAULT_THRESHOLDS } from '../src/catalog/thresholds.js';
import { createProgram } from '../src/cli/program.js';
import { ENVIRONMENT_VARIABLES, readConfig } from '../src/config/config.js';
import { ConfigFile } from '../src/config/config-file.js';
import { parseMatchers } from '../src/routing/parse-matchers.js';
import { SCENARIO_NAMES } from '../src/simulator/scenarios.js';
import { runCli } from './cli/run-cli.js';

const readme = readFileSync('README.md', 'utf8');
const scripts = (JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> })
  .scripts;

/** Text of one `##` section. */
function section(title: string): string {
  return readme.split(/^## /m).find((part) => part.startsWith(`${title}\n`)) ?? '';
}

/** Words in backticks of the first column of a section's tables. */
function firstColumn(title: string): string[] {
  return [...section(title).matchAll(/^\| (.*?) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word),
  );
}

test('the rules to deploy are those that the command writes', async () => {
  const { stdout } = await runCli(['rules']);

  // Written by `npm run wakewell -- rules -o deploy/rules.yml`.
  expect(stdout).toBe(readFileSync('deploy/rules.yml', 'utf8'));
});

describe('the README', () => {
  test('opens with the two commands', () => {
    const [, block = ''] = /```sh\n([\s\S]*?)```/.exec(readme) ?? [];

    expect(readme.indexOf(block)).toBeLessThan(200);
    expect(block).toContain('npm ci && npm run demo');
    expect(block).toContain('npm ci && npm test');
  });

  test('lists exactly the environment variables that are read', () => {
    expect(firstColumn('Settings').sort()).toEqual([...ENVIRONMENT_VARIABLES].sort());
  });

  test('lists every alert under its severity', () => {
    const rows = [...section('Alerts').matchAll(/^\| (\w+): .*? \| (.*) \|$/gm)];
    const listed = rows.flatMap(([, severity = '', cell = '']) =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => `${name} ${severity}`),
    );

    expect(listed.sort()).toEqual(ALERTS.map(({ name, severity }) => `${name} ${severity}`).sort());
  });

  test('names no variable of ours that does not exist', () => {
    const named = [
      ...readme.matchAll(/\b(?:WAKEWELL|PAGERDUTY|SLACK|PROMETHEUS|ALERTMANAGER|DATABASE)_[A-Z_]+\b/g),
    ];

    const known: readonly string[] = ENVIRONMENT_VARIABLES;
    expect([...new Set(named.map(([name]) => name))].filter((name) => !known.includes(name))).toEqual([]);
  });

  test('lists exactly the commands that exist', () => {
    const names = (command: Command, prefix = ''): string[] =>
      command.commands.flatMap((one) =>
        one.commands.length > 0 ? names(one, `${prefix}${one.name()} `) : [`${prefix}${one.name()}`],
      );

    expect(firstColumn('Commands').sort()).toEqual(names(createProgram(() => {})).sort());
  });

  test('names every scenario', () => {
    expect(
      SCENARIO_NAMES.filter(
        (name) => !section('Commands').includes(`\`${name}\``) && !section('Commands').includes(` ${name}\``),
      ),
    ).toEqual([]);
  });

  test('shows a configuration that is read without a fault and uses every setting', () => {
    const [, yamlText = ''] = /```yaml\n([\s\S]*?)```/.exec(section('Settings')) ?? [];
    const env = {
      ONCALL_KEY: '0123456789abcdef0123456789abcdef',
      LLM_SLACK_TOKEN: 'xoxb-1-2-three',
      ONCALL_WEBHOOK_SECRET: 'a-webhook-secret-0123456789',
      LLM_SLACK_SIGNING_SECRET: 'a-signing-secret-0123456789',
      ARCHIVE_SECRET: 'a-secret-0123456789',
      AM_TOKEN: 'a-token-0123456789abcdef',
      OPS_TOKEN: 'another-token-0123456789',
    };

    const read = readConfig({
      yamlText,
      env,
      thresholdNames: new Set(Object.keys(DEFAULT_THRESHOLDS)),
      signalNames: new Set(SIGNALS.map(({ name }) => name)),
      checkMatcher: (text) => {
        const parsed = parseMatchers(text);
        return parsed.kind === 'ok' ? null : parsed.message;
      },
    });

    expect(read).toMatchObject({ kind: 'ok' });
    expect(Object.keys(parse(yamlText) as object).sort()).toEqual(Object.keys(ConfigFile.shape).sort());
  });

  test('names only npm scripts and files that exist', () => {
    const run = [...readme.matchAll(/npm run (?:-s )?([\w:]+)/g)].map(([, name = '']) => name);
    const links = [...readme.matchAll(/\]\(([\w./-]+)\)/g)].map(([, path = '']) => path);

    expect(run.filter((name) => scripts[name] === undefined)).toEqual([]);
    expect(links.filter((path) => !existsSync(path))).toEqual([]);
  });
});

describe('what is deployed', () => {
  test('compose, Prometheus, Alertmanager and Kubernetes files are YAML and name only variables that are read', () => {
    const known: readonly string[] = ENVIRONMENT_VARIABLES;
    const compose = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }) as {
      services: Record<string, { image: string; environment?: Record<string, string> }>;
    };
    const ours = Object.values(compose.services).filter(({ image }) => image === 'wakewell');
    const set = ours.flatMap((service) => Object.keys(service.environment ?? {}));
    expect(Object.keys(compose.services)).toEqual([
      'wakewell',
      'rules',
      'prometheus',
      'alertmanager',
      'grafana',
    ]);

    expect(set.filter((name) => !known.includes(name))).toEqual([]);
    for (const file of ['deploy/prometheus.yml', 'deploy/alertmanager.yml', 'deploy/targets.yml']) {
      expect(parse(readFileSync(file, 'utf8')), file).toBeTypeOf('object');
    }
    const kubernetes = readFileSync('deploy/kubernetes.yaml', 'utf8');
    expect(
      [...kubernetes.matchAll(/name: ([A-Z_]+),/g)]
        .map(([, name = '']) => name)
        .filter((name) => !known.includes(name)),
    ).toEqual([]);
    expect(kubernetes).toContain('enableServiceLinks: false');
  });

  test('what a compose service mounts is defined or lies here', () => {
    type Service = { volumes?: string[]; secrets?: string[]; configs?: { source: string }[] };
    const compose = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }) as {
      services: Record<string, Service & Record<string, unknown>>;
    } & Record<'volumes' | 'secrets' | 'configs', Record<string, unknown>>;
    const services = Object.values(compose.services);
    const mounted = services.flatMap(({ volumes = [] }) => volumes.map((one) => one.split(':')[0] ?? ''));
    const here = mounted.filter((one) => one.startsWith('./'));
    const named = mounted.filter((one) => !one.startsWith('./'));

    expect(services.every((one) => 'image' in one)).toBe(true);
    expect(here.filter((path) => !existsSync(path))).toEqual([]);
    expect([...new Set(named)].sort()).toEqual(Object.keys(compose.volumes).sort());
    expect([...new Set(services.flatMap(({ secrets = [] }) => secrets))].sort()).toEqual(
      Object.keys(compose.secrets).sort(),
    );
    expect(services.flatMap(({ configs = [] }) => configs.map(({ source }) => source))).toEqual(
      Object.keys(compose.configs),
    );
  });

  test('the image copies every folder that the service reads beside its code', () => {
    const dockerfile = readFileSync('Dockerfile', 'utf8');
    const ignored = readFileSync('.dockerignore', 'utf8');

    for (const name of ['migrations', 'playbooks', 'package.json']) {
      expect(dockerfile).toMatch(new RegExp(`^COPY .*\\b${name.replace('.', '\\.')}\\b`, 'm'));
      expect(ignored).toContain(`!${name}\n`);
    }
  });
});
