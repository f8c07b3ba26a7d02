/** The real Prometheus over samples of the past that a test writes down. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launchPrometheus } from '../../src/prometheus/launch.js';
import { prometheusBinary } from './real-prometheus.js';

export type PastSeries = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Null: no sample. */
  readonly at: (atMs: number) => number | null;
};

/** One sample a series every `everyMs` from `fromMs` to `untilMs`. */
export async function startBackfilledPrometheus(past: {
  readonly series: readonly PastSeries[];
  readonly fromMs: number;
  readonly untilMs: number;
  readonly everyMs: number;
}): Promise<{ readonly url: string; readonly close: () => Promise<void> }> {
  if (prometheusBinary === null) throw new Error('prometheus is not installed: apt-get install prometheus');
  const directory = mkdtempSync(join(tmpdir(), 'wakewell-past-'));
  const file = join(directory, 'past.om');
  const lines = past.series.flatMap(({ name, labels, at }) => {
    const own = Object.entries(labels).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
    const samples: string[] = [];
    for (let atMs = past.fromMs; atMs <= past.untilMs; atMs += past.everyMs) {
      const value = at(atMs);
      if (value !== null) samples.push(`${name}{${own.join(',')}} ${value} ${atMs / 1000}`);
    }
    return samples;
  });
  writeFileSync(file, `${lines.join('\n')}\n# EOF\n`);
  const dataDirectory = join(directory, 'data');
  execFileSync('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', '--quiet', file, dataDirectory], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const server = await launchPrometheus({
    binary: prometheusBinary,
    dataDirectory,
    configYaml: 'scrape_configs: []\n',
  });
  return {
    url: server.url,
    async close() {
      await server.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
