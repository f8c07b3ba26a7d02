/** Recordings on the command line: saved from a running service, replayed without any network, and held against edits. */

import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { buildApp } from '../../src/app.js';
import { readConfig } from '../../src/config/config.js';
import { createLogger } from '../../src/log/logger.js';
import { builtInPlaybooksDirectory } from '../../src/playbook/load.js';
import { recordScenario } from '../support/record-diagnosis.js';
import { createScriptedSource } from '../support/scripted-source.js';
import { configFile, runCli, temporaryDirectory } from './run-cli.js';

const RECORDED = {
  'kv-exhaustion': 'LLMHighTTFT',
  'hot-worker': 'LLMHighTTFT',
  'gpu-starved': 'LLMHighTTFT',
  'error-burst': 'LLMHighErrorRate',
} as const;
const files = new Map<string, { readonly bytes: Uint8Array; readonly cause: string | null }>();

beforeAll(async () => {
  for (const [scenario, alertName] of Object.entries(RECORDED)) {
    const { bytes, live } = await recordScenario(scenario as keyof typeof RECORDED, alertName);
    files.set(`${scenario}.recording.json.gz`, { bytes, cause: live.verdict.cause });
  }
});

function recordings(): string {
  const directory = temporaryDirectory();
  for (const [name, { bytes }] of files) writeFileSync(join(directory, name), bytes);
  return directory;
}

/** A copy of the playbooks with one edit, the line that it stands on, and a configuration that reads it. */
function editedPlaybooks(file: string, from: string, to: string) {
  const directory = join(temporaryDirectory(), 'playbooks');
  cpSync(builtInPlaybooksDirectory(), directory, { recursive: true });
  const path = join(directory, file);
  const text = readFileSync(path, 'utf8');
  const line = 1 + text.split('\n').findIndex((one) => one.includes(from));
  expect(line).toBeGreaterThan(0);
  writeFileSync(path, text.replace(from, to));
  return { directory, line, env: { WAKEWELL_CONFIG: configFile(`playbooks: ["${directory}"]\n`) } };
}

const KV_LIMIT = 'fail: { any_worker: "> kv_cache_utilization.full" }';

describe('replay', () => {
  test('of a file gives the recorded verdict without opening a socket', async () => {
    const connect = vi.spyOn(Socket.prototype, 'connect').mockImplementation(() => {
      throw new Error('a replay opened a socket');
    });
    onTestFinished(() => connect.mockRestore());
    const directory = recordings();

    for (const [name, { cause }] of files) {
      const { status, stdout } = await runCli(['replay', join(directory, name), '--json']);

      expect(status, name).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ compared: 'same', verdict: { cause }, differences: [] });
    }
    const shown = await runCli(['replay', join(directory, 'kv-exhaustion.recording.json.gz')]);
    expect(shown).toMatchObject({ status: 0, stderr: '' });
    expect(shown.stdout).toMatch(/The replay matches the recording: (\d+) of \1 checks, the same verdict\./);
    expect(connect).not.toHaveBeenCalled();
  });

  test('by edited playbooks shows the old and the new verdict, and the line of the edit', async () => {
    const { directory, line } = editedPlaybooks('common.yaml', KV_LIMIT, 'fail: { any_worker: "> 0.999" }');
    const file = join(recordings(), 'kv-exhaustion.recording.json.gz');

    const { status, stdout } = await runCli(['replay', file, '--playbooks', directory]);

    expect(status).toBe(1);
    expect(stdout).toContain('The verdict is another:');
    expect(stdout).toMatch(/cause: kv_cache_exhausted: KV cache full.* → /);
    expect(stdout).toContain(
      `common.yaml:${line}: step kv_cache, fail.any_worker: > kv_cache_utilization.full → > 0.999`,
    );
  });

  test.each([
    ['no recording', 'nonsense'],
    ['a newer one', '{"formatVersion": 99}'],
  ])('of %s says why it cannot be read', async (_what, text) => {
    const file = join(temporaryDirectory(), 'x.recording.json');
    writeFileSync(file, text);

    const { status, stderr } = await runCli(['replay', file]);

    expect(status).toBe(2);
    expect(stderr).toMatch(/x\.recording\.json: .{20,}/);
  });

  test('of what is neither file nor incident says so', async () => {
    expect(await runCli(['replay', 'no-such-file'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('there is no file no-such-file'),
    });
  });
});

describe('check --recordings', () => {
  test('passes while nothing changed', async () => {
    const { status, stdout } = await runCli(['check', '--recordings', recordings()]);

    expect(stdout).toMatch(/^recordings \(4\) +ok$/m);
    expect(status).toBe(0);
  });

  test('lists exactly the recordings whose verdict an edited threshold changes, with file and line', async () => {
    const { env, line } = editedPlaybooks('common.yaml', KV_LIMIT, 'fail: { any_worker: "> 0.999" }');

    const checked = await runCli(['check', '--recordings', recordings(), '--json'], env);

    const { changed, faults, recordings: count } = JSON.parse(checked.stdout);
    expect(checked.status).toBe(1);
    expect(count).toBe(4);
    // What each comes to without `check`, by the same playbooks.
    const expected: string[] = [];
    const directory = recordings();
    for (const [name, { cause }] of files) {
      const { stdout } = await runCli(['replay', join(directory, name), '--json'], env);
      if (JSON.parse(stdout).compared === 'verdict') expected.push(name);
      if (JSON.parse(stdout).verdict.cause !== cause) expect(expected).toContain(name);
    }
    expect(expected).toContain('kv-exhaustion.recording.json.gz');
    expect(expected.length).toBeLessThan(4);
    expect([...changed].sort()).toEqual(expected.sort());
    expect(faults).toHaveLength(expected.length);
    for (const fault of faults)
      expect(fault).toContain(`common.yaml:${line}: step kv_cache, fail.any_worker`);
  });

  test('a threshold of the configuration is named with its line there', async () => {
    const env = {
      WAKEWELL_CONFIG: configFile('port: 9100\nthresholds:\n  kv_cache_utilization.full: 0.999\n'),
    };

    const { status, stdout } = await runCli(['check', '--recordings', recordings()], env);

    expect(status).toBe(1);
    expect(stdout).toMatch(
      /wakewell\.yaml:3: kv_cache_utilization\.full: 0\.9 → 0\.999, named at .*common\.yaml:\d+ \(step kv_cache\)/,
    );
  });

  test('an edited requirement of a cause is named as well', async () => {
    const from = '- kv_cache: fail on most workers';
    const { env, line } = editedPlaybooks('common.yaml', from, '- kv_cache: fail on few workers');

    const { status, stdout } = await runCli(['check', '--recordings', recordings()], env);

    expect(status).toBe(1);
    expect(stdout).toContain(
      `common.yaml:${line}: cause kv_cache_exhausted, requires[0].kv_cache: fail on most workers → fail on few workers`,
    );
  });

  test('a file that cannot be read and an empty directory are faults', async () => {
    const directory = recordings();
    writeFileSync(join(directory, 'bad.recording.json'), '{"formatVersion": 2}');

    const one = await runCli(['check', '--recordings', directory]);
    const none = await runCli(['check', '--recordings', temporaryDirectory()]);

    expect(one).toMatchObject({ status: 1, stdout: expect.stringContaining('✗ bad.recording.json: ') });
    expect(none).toMatchObject({ status: 1, stdout: expect.stringContaining('holds no recording') });
  });
});

test('an incident of the running service is saved as one file, with the call that opened it, and replays the same', async () => {
  const read = readConfig({ yamlText: 'database_url: "file::memory:"\nport: 0\n', env: {} });
  if (read.kind === 'faulty') throw new Error(read.faults.join('\n'));
  const app = await buildApp(read.config, {
    logger: createLogger({ level: 'silent' }),
    source: createScriptedSource(
      { kv_cache_utilization: [0.97, 0.98, 0.2], queue_depth: 90, ttft_p99_seconds: 9 },
      { rising: ['queue_depth'] },
    ),
  });
  onTestFinished(() => app.stop());
  const env = { WAKEWELL_URL: (await app.start()).url };
  await runCli(['fire', 'LLMHighTTFT'], env);
  await vi.waitFor(async () => expect((await runCli(['replay', 'INC-1'], env)).status).toBe(0), 5000);
  const file = join(temporaryDirectory(), 'one.recording.json.gz');

  const saved = await runCli(['record', 'INC-1', '-o', file, '--json'], env);
  const replayed = await runCli(['replay', file, '--json']);
  const unknown = await runCli(['record', 'INC-77'], env);

  expect(JSON.parse(saved.stdout)).toMatchObject({ file, format: 2 });
  expect(JSON.parse(replayed.stdout)).toMatchObject({ incident: 'INC-1', compared: 'same' });
  expect(unknown.status).toBe(4);
  const { decodeRecording } = await import('../../src/diagnosis/recording.js');
  const decoded = decodeRecording(readFileSync(file));
  const webhook = decoded.kind === 'ok' ? decoded.recording.diagnosed?.webhook : null;
  expect(webhook?.note).toBeNull();
  expect(JSON.parse(webhook?.body ?? '')).toMatchObject({
    alerts: [{ labels: { alertname: 'LLMHighTTFT' } }],
  });
});
