import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { findBinary, freePort, launchPrometheus } from '../../src/prometheus/launch.js';
import { prometheusBinary, startPrometheus, withoutPrometheus } from '../support/real-prometheus.js';

const LAUNCH = fileURLToPath(new URL('../../src/prometheus/launch.ts', import.meta.url));

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/-/ready`)).ok;
  } catch {
    return false;
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('waited 20 s in vain');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('a binary is the first of its names on the path, or null', () => {
  expect(findBinary(['no-such-binary', 'sh'], '/nowhere:/bin')).toBe('/bin/sh');
  expect(findBinary(['no-such-binary'], '/bin')).toBeNull();
  expect(findBinary(['sh'], '')).toBeNull();
});

test('free ports are all different and none that an outgoing connection could take', async () => {
  const ports = await Promise.all(Array.from({ length: 200 }, () => freePort()));

  expect(new Set(ports).size).toBe(200);
  expect(Math.max(...ports)).toBeLessThan(32_768);
});

describe.skipIf(withoutPrometheus)('a launched Prometheus', () => {
  test('answers until it is closed', async () => {
    const launched = await startPrometheus({
      scrapeTargets: [],
      scrapeIntervalMs: 1000,
      evaluationIntervalMs: 1000,
    });
    expect(await answers(launched.url)).toBe(true);

    await launched.close();
    expect(await answers(launched.url)).toBe(false);
  });

  test('that cannot start is a failure with its own words', async () => {
    await expect(
      launchPrometheus({ binary: prometheusBinary ?? '', configYaml: 'no_such_field: 1\n' }),
    ).rejects.toThrow(/ended with [1-9]\d*: [\s\S]*no_such_field/);
  });

  test('does not outlive a parent that was killed', async () => {
    const script = `
      import { launchPrometheus } from ${JSON.stringify(LAUNCH)};
      launchPrometheus({ binary: ${JSON.stringify(prometheusBinary)}, configYaml: 'scrape_configs: []\\n' })
        .then(({ url }) => console.log(url));
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const url = await new Promise<string>((resolve) => {
      parent.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString('utf8').trim()));
    });
    expect(await answers(url)).toBe(true);

    parent.kill('SIGKILL');
    await until(async () => !(await answers(url)));
  });
});
