/** The tutorial is true: its files are written, its commands are run in its order, and they print what it says. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { builtInPlaybooksDirectory } from '../../src/playbook/load.js';
import { runCli, temporaryDirectory } from '../cli/run-cli.js';
import { startBackfilledPrometheus } from '../support/backfilled-prometheus.js';
import { withoutPrometheus } from '../support/real-prometheus.js';

const MINUTE = 60_000;
const TUTORIAL = readFileSync(join(builtInPlaybooksDirectory(), 'TUTORIAL.md'), 'utf8');

type Block = { readonly kind: string; readonly text: string };

const blocks: readonly Block[] = [...TUTORIAL.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(
  ([, kind = '', text = '']) => ({ kind, text }),
);

/** A fleet whose prompts are hardly ever found in a prefix cache, and whose first tokens take seconds. */
async function coldFleet(): Promise<string> {
  const untilMs = Math.floor(Date.now() / 15_000) * 15_000;
  const fromMs = untilMs - 40 * MINUTE;
  const grows = (perSecond: number) => (atMs: number) => ((atMs - fromMs) / 1000) * perSecond;
  const target = { cluster: 'prod-us', namespace: 'serving', model_name: 'llama-70b' };
  const server = await startBackfilledPrometheus({
    fromMs,
    untilMs,
    everyMs: 15_000,
    series: ['pod-0', 'pod-1'].flatMap((pod) => {
      const labels = { ...target, pod };
      const bucket = (le: string, perSecond: number) => ({
        name: 'vllm:time_to_first_token_seconds_bucket',
        labels: { ...labels, le },
        at: grows(perSecond),
      });
      return [
        { name: 'vllm:num_requests_running', labels, at: () => 20 },
        { name: 'vllm:kv_cache_usage_perc', labels, at: () => 0.6 },
        { name: 'vllm:prefix_cache_queries_total', labels, at: grows(1000) },
        { name: 'vllm:prefix_cache_hits_total', labels, at: grows(80) },
        { name: 'vllm:time_to_first_token_seconds_count', labels, at: grows(10) },
        bucket('1.0', 2),
        bucket('5.0', 9),
        bucket('10.0', 10),
        bucket('+Inf', 10),
      ];
    }),
  });
  onTestFinished(() => server.close());
  return server.url;
}

test('the entry of the tutorial has 20 lines', () => {
  const entry = blocks.find(({ text }) => text.startsWith('# my-playbooks/'));

  expect(entry?.text.trim().split('\n').slice(1)).toHaveLength(20);
});

test.skipIf(withoutPrometheus)('every file and command of the tutorial does what it says', async () => {
  const directory = temporaryDirectory();
  const before = process.cwd();
  process.chdir(directory);
  onTestFinished(() => process.chdir(before));
  const env = { PROMETHEUS_URL: await coldFleet(), WAKEWELL_CONFIG: '' };
  let printed = '';
  let commands = 0;

  for (const { kind, text } of blocks) {
    if (kind === 'yaml') {
      const file = /^# (\S+)\n/.exec(text)?.[1] ?? '';
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    } else if (kind === 'sh') {
      printed = '';
      for (const line of text.trim().split('\n')) {
        const [command = '', expected] = line.split(/ # exit /);
        if (!command.startsWith('wakewell ')) {
          execFileSync('sh', ['-c', command]);
          continue;
        }
        const { status, stdout, stderr } = await runCli(command.split(' ').slice(1), env);
        expect({ command, status, stderr: status > 1 ? stderr : '' }).toEqual({
          command,
          status: Number(expected ?? 0),
          stderr: '',
        });
        printed += stdout;
        commands += 1;
      }
    } else {
      for (const line of text.trim().split('\n')) expect(printed).toContain(line);
    }
  }

  expect(commands).toBe(7);
});
