/** Runs `promtool check rules` and `promtool test rules` of the installed Prometheus over generated text. */

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { findBinary } from '../../src/prometheus/launch.js';

export const promtool = findBinary(['promtool'], process.env.PATH ?? '');

/** Without promtool nothing is proved: in CI that is a failure, elsewhere the skipped tests say why. */
export const withoutPromtool = promtool === null && process.env.CI !== 'true';

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** promtool refuses a query that holds more than 10,000 samples. */
const MODELS_AT_ONCE = 8;

export type InputSeries = { readonly series: string; readonly values: string };

/** An alert that is expected, with its labels beside alertname; `value` is not compared by promtool. */
export type Expected = { readonly alertname: string; readonly labels: Readonly<Record<string, string>> };

export async function checkRules(rules: string): Promise<string> {
  return inDirectory({ 'rules.yml': rules }, ['check', 'rules', 'rules.yml']);
}

/** Feeds the series, one value every `intervalSeconds`, and answers which of `names` fire at `atMinutes`. */
export async function firingAlerts(options: {
  readonly rules: string;
  readonly input: readonly InputSeries[];
  readonly atMinutes: number;
  readonly names: readonly string[];
  readonly intervalSeconds?: number;
}): Promise<{ readonly name: string; readonly labels: string; readonly annotations: string }[]> {
  const interval = `${options.intervalSeconds ?? 15}s`;
  const at = `${options.atMinutes * 60}s`;
  const tests = [
    {
      interval,
      input_series: options.input,
      // Expecting what cannot be makes promtool print what really fires.
      alert_rule_test: options.names.map((alertname) => ({
        eval_time: at,
        alertname,
        exp_alerts: [{ exp_labels: { impossible: alertname } }],
      })),
    },
  ];
  const file = stringify({ rule_files: ['rules.yml'], evaluation_interval: '30s', tests });
  const said = await inDirectory({ 'rules.yml': options.rules, 'test.yml': file }, [
    'test',
    'rules',
    'test.yml',
  ]);
  return parse(said);
}

/**
 * Feeds the series of many models at once, one value every `stepSeconds`, and answers what fires for
 * each of them at `atMinutes`: "LLMHighTTFT critical", sorted.
 */
export async function firingByModel(options: {
  readonly rules: string;
  /** Each with the label model, or what becomes it. */
  readonly models: readonly (readonly InputSeries[])[];
  readonly atMinutes: number;
  readonly names: readonly string[];
  readonly stepSeconds: number;
  readonly evaluateSeconds: number;
}): Promise<ReadonlyMap<string, string[]>> {
  const step = `${options.stepSeconds}s`;
  const groups = Math.ceil(options.models.length / MODELS_AT_ONCE);
  const tests = Array.from({ length: groups }, (_, index) => ({
    interval: step,
    input_series: options.models.slice(index * MODELS_AT_ONCE, (index + 1) * MODELS_AT_ONCE).flat(),
    alert_rule_test: options.names.map((alertname) => ({
      eval_time: `${options.atMinutes * 60}s`,
      alertname,
      exp_alerts: [{ exp_labels: { impossible: alertname } }],
    })),
  }));
  // JSON is YAML, and is written a hundred times faster.
  const file = JSON.stringify({
    rule_files: ['rules.yml'],
    evaluation_interval: `${options.evaluateSeconds}s`,
    tests,
  });
  const said = await inDirectory({ 'rules.yml': options.rules, 'test.yml': file }, [
    'test',
    'rules',
    'test.yml',
  ]);
  const byModel = new Map<string, string[]>();
  for (const { name, labels } of parse(said)) {
    const model = /\bmodel="([^"]*)"/.exec(labels)?.[1] ?? 'no model';
    const severity = /severity="(\w+)"/.exec(labels)?.[1] ?? 'no severity';
    byModel.set(model, [...(byModel.get(model) ?? []), `${name} ${severity}`].sort());
  }
  return byModel;
}

/** promtool 2.42 prints `alertname: X, time: …, exp:[…], got:[ 0: Labels:{…} Annotations:{…} ]`. */
function parse(said: string) {
  const found: { name: string; labels: string; annotations: string }[] = [];
  for (const part of said.split(/(?=alertname: )/).slice(1)) {
    const name = /^alertname: (\w+)/.exec(part)?.[1] ?? '';
    const got = part.slice(part.indexOf('got:'));
    for (const match of got.matchAll(/Labels:(\{[^\n]*\})\n\s*Annotations:(\{[^\n]*\})/g)) {
      found.push({ name, labels: match[1] ?? '', annotations: match[2] ?? '' });
    }
  }
  if (said.includes('    rule: ') || (found.length === 0 && !said.includes('got:[]')))
    throw new Error(`promtool said: ${said}`);
  return found;
}

async function inDirectory(
  files: Readonly<Record<string, string>>,
  args: readonly string[],
): Promise<string> {
  if (promtool === null) throw new Error('promtool is not installed: apt-get install prometheus');
  const directory = await mkdtemp(join(tmpdir(), 'wakewell-rules-'));
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
    return await new Promise((resolve) => {
      execFile(
        promtool,
        [...args],
        { cwd: directory, maxBuffer: MAX_OUTPUT_BYTES },
        (_error, stdout, stderr) => resolve(stdout + stderr),
      );
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
