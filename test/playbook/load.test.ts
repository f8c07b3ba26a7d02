import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { formatFault } from '../../src/playbook/faults.js';
import { builtInPlaybooksDirectory, type LoadedPlaybooks, loadPlaybooks } from '../../src/playbook/load.js';
import { ALERT_NAMES, BUILT_IN, SIGNAL_NAMES } from '../support/playbooks.js';

const made: string[] = [];
afterEach(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function directoryWith(files: Readonly<Record<string, string | Uint8Array>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'playbooks-'));
  made.push(directory);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return directory;
}

/** Loads files beside the ones that ship, as an operator's directory is. */
function load(
  files: Readonly<Record<string, string | Uint8Array>>,
): LoadedPlaybooks & { readonly said: string } {
  const directory = directoryWith(files);
  const loaded = loadPlaybooks({
    directories: [builtInPlaybooksDirectory(), directory],
    signals: SIGNAL_NAMES,
    thresholds: DEFAULT_THRESHOLDS,
    alertNames: ALERT_NAMES,
  });
  return {
    ...loaded,
    said: loaded.faults.map((fault) => formatFault(fault).replace(`${directory}/`, '')).join('\n'),
  };
}

const ENTRY = `match: { alertname: GatewaySlow, team: [chat, "=~search-.*"] }
title: The gateway is slow
steps:
  - kv_cache
  - queue
  - id: in_flight
    title: Requests in flight
    signal: requests_in_progress
    fail: { scope: "> 500" }
causes:
  too_many:
    says: Too many requests in flight
    short: "{in_flight.value} in flight"
    requires:
      - in_flight: fail
      - kv_cache: not fail on most workers
    fixes:
      - do: Lower the gateway's concurrency
        expect: below {in_flight.limit} in a minute
`;

/** Alerts about ourselves. */
const OUR_OWN = ['WakewellUpstreamSilent', 'WakewellLate', 'WakewellDown'];

describe('what ships', () => {
  test('loads without a fault', () => {
    expect(BUILT_IN.faults.map(formatFault)).toEqual([]);
  });

  test('every alert that we generate has an entry of its own, and each starts with the KV cache', () => {
    for (const name of [...ALERT_NAMES, ...OUR_OWN]) {
      const own = BUILT_IN.entries.filter(
        (entry) => !entry.isDefault && entry.match.flat().some((matcher) => matcher.value === name),
      );
      expect(own, name).toHaveLength(1);
    }
    for (const entry of BUILT_IN.entries)
      expect(entry.steps[0]?.read).toMatchObject({ kind: 'signal', signal: 'kv_cache_utilization' });
  });

  test('the four standard steps stand in the same order in every entry', () => {
    const standard = ['kv_cache', 'queue', 'context_length', 'gpu'];
    for (const entry of BUILT_IN.entries) {
      expect(
        entry.steps.map((step) => step.id).filter((id) => standard.includes(id)),
        entry.id,
      ).toEqual(standard);
    }
  });
});

describe('an entry of an operator', () => {
  test('of twenty lines works', () => {
    const { entries, said } = load({ 'gateway-slow.yaml': ENTRY });

    expect(said).toBe('');
    expect(ENTRY.trimEnd().split('\n').length).toBeLessThanOrEqual(20);
    expect(entries.find((entry) => entry.id === 'gateway-slow')?.steps.map((step) => step.id)).toEqual([
      'kv_cache',
      'queue',
      'in_flight',
    ]);
  });

  test('gets the steps of the shared causes that it uses behind its own', () => {
    const { entries, said } = load({
      'a.yaml': ENTRY.replace('causes:', 'use: [gpu_starved]\ncauses:'),
    });

    expect(said).toBe('');
    expect(entries.find((entry) => entry.id === 'a')?.steps.map((step) => step.id)).toEqual([
      'kv_cache',
      'queue',
      'in_flight',
      'gpu',
      'queue_balance',
      'progress',
    ]);
  });

  test('replaces the built-in one of the same file name', () => {
    const { entries } = load({ 'high-tbt.yaml': ENTRY });

    expect(entries.filter((entry) => entry.id === 'high-tbt')).toMatchObject([
      { title: 'The gateway is slow' },
    ]);
  });

  test('may have Windows line ends', () => {
    expect(load({ 'a.yaml': ENTRY.replaceAll('\n', '\r\n') }).said).toBe('');
  });

  test('with a fault is left out, and its neighbours stay', () => {
    const { entries, said } = load({ 'bad.yaml': 'title: 1', 'good.yaml': ENTRY });

    expect(said).not.toBe('');
    expect(entries.map((entry) => entry.id)).toContain('good');
    expect(entries.map((entry) => entry.id)).not.toContain('bad');
  });
});

const change = (from: string, to: string) => ENTRY.replace(from, to);

describe('a mistake is said with its place, what was found and what was meant', () => {
  test.each([
    [
      'a mistyped field',
      change('    signal:', '    singal:'),
      'a.yaml:8:5: steps[2]: unknown field "singal"; did you mean "signal"?',
    ],
    [
      'a mistyped top field',
      change('title: The', 'titel: The'),
      'a.yaml:2:1: unknown field "titel"; did you mean "title"?',
    ],
    [
      'a missing title',
      change('title: The gateway is slow\n', ''),
      'a.yaml:1:1: "title" is missing, expected string',
    ],
    [
      'an unknown signal',
      change('requests_in_progress', 'request_in_progress'),
      'a.yaml:8:13: unknown signal "request_in_progress"; did you mean "requests_in_progress"?',
    ],
    [
      'an unknown shared step',
      change('- kv_cache\n', '- kv_cahce\n'),
      'a.yaml:4:5: unknown step "kv_cahce"; did you mean "kv_cache"?',
    ],
    [
      'an unknown threshold',
      change('"> 500"', '"> queue_depth.waning"'),
      'a.yaml:9:20: unknown name in "> queue_depth.waning": "queue_depth.waning"; did you mean "queue_depth.warning"?',
    ],
    [
      'a condition that is none',
      change('"> 500"', '"above 500"'),
      'a.yaml:9:20: cannot read condition "above 500"',
    ],
    [
      'two tests',
      change('{ scope: "> 500" }', '{ scope: "> 500", any_worker: "> 1" }'),
      'expected exactly one of any_worker',
    ],
    ['no test', change('{ scope: "> 500" }', '{ and: "max > 1" }'), 'found no test, expected exactly one of'],
    [
      'an unknown step in requires',
      change('- in_flight: fail', '- in_fligth: fail'),
      'a.yaml:15:9: unknown step "in_fligth"; did you mean "in_flight"?',
    ],
    [
      'a mistyped requirement',
      change('not fail on most workers', 'not fail on must workers'),
      'unknown requirement "not fail on must workers"; did you mean "not fail on most workers"?',
    ],
    [
      'an unknown step in a text',
      change('{in_flight.limit}', '{in_fligt.limit}'),
      'unknown step in {in_fligt.limit}: "in_fligt"; did you mean "in_flight"?',
    ],
    [
      'an unknown number in a text',
      change('{in_flight.value}', '{in_flight.valeu}'),
      'unknown number in {in_flight.valeu}: "valeu"; did you mean "value"?',
    ],
    ['half a placeholder', change('{in_flight.limit}', '{limit}'), 'found {limit}, expected {step.number}'],
    [
      'a wrong type',
      change('title: The gateway is slow', 'title: [a]'),
      'a.yaml:2:8: title: found a list of 1, expected string',
    ],
    [
      'a number for text',
      change('title: The gateway is slow', 'title: 1e3'),
      'title: found "1000", expected string',
    ],
    [
      'a long short text',
      change('"{in_flight.value} in flight"', `"${'x'.repeat(41)}"`),
      'expected at most 40',
    ],
    [
      'a step by the name of another',
      change('id: in_flight', 'id: queue').replaceAll('in_flight', 'queue'),
      'step "queue" is there twice',
    ],
    [
      'the KV cache not first',
      change('  - kv_cache\n  - queue\n', '  - queue\n  - kv_cache\n'),
      'a.yaml:4:5: the first step is "queue", expected one that reads kv_cache_utilization',
    ],
    [
      'no match',
      change('match: { alertname: GatewaySlow, team: [chat, "=~search-.*"] }\n', ''),
      '"match" is missing',
    ],
    [
      'an empty match',
      change('{ alertname: GatewaySlow, team: [chat, "=~search-.*"] }', '{}'),
      'an empty match serves no alert',
    ],
    ['a pattern that is none', change('=~search-.*', '=~search-('), 'not a regular expression'],
    [
      'a log pattern that is none',
      change('signal: requests_in_progress', 'logs: { patterns: { bad: "nccl(" }, by_hand: Search. }'),
      '"nccl(" is no pattern',
    ],
    [
      'a log pattern that RE2 cannot have',
      change('signal: requests_in_progress', 'logs: { patterns: { bad: "(?=nccl)" }, by_hand: Search. }'),
      'RE2 has no look-around',
    ],
    [
      'a near miss of an alert',
      change('GatewaySlow', 'LLMHighTTF'),
      'unknown alert "LLMHighTTF"; did you mean "LLMHighTTFT"?',
    ],
    [
      'an unknown alert in explains',
      change('    says:', '    explains: [LLMHighTTTF]\n    says:'),
      'unknown alert "LLMHighTTTF"; did you mean "LLMHighTTFT"?',
    ],
    [
      'an unknown cause in beats',
      change('    says:', '    beats: [hot_wroker]\n    says:'),
      'unknown cause "hot_wroker"; did you mean "hot_worker"?',
    ],
    [
      'an unknown shared cause',
      change('causes:', 'use: [hot_workers]\ncauses:'),
      'unknown cause "hot_workers"; did you mean "hot_worker"?',
    ],
    [
      'a negative duration',
      `${ENTRY}escalation: [{ after: -5m, to: x }]\n`,
      'expected a duration such as "10m"',
    ],
    [
      'a query that is no PromQL',
      change('signal: requests_in_progress', 'query: "sum(rate(x[5m])"'),
      'not valid PromQL',
    ],
    [
      'a placeholder outside a string of a query',
      change('signal: requests_in_progress', "query: 'x{model={scope.model}}'"),
      '{scope.model} stands outside a string',
    ],
    ['an id that is no name', change('id: in_flight', 'id: In-Flight'), 'a name of lower-case letters'],
    [
      'signal and query at once',
      change('signal: requests_in_progress', 'signal: requests_in_progress\n    query: x'),
      'expected exactly one of signal, query, logs, by_hand',
    ],
    [
      'a command-like step',
      change('signal: requests_in_progress', 'run: kubectl get pods'),
      'unknown field "run"',
    ],
  ])('%s', (_name, text, expected) => {
    expect(load({ 'a.yaml': text }).said).toContain(expected);
  });

  test('all mistakes of a file at once', () => {
    const { faults } = load({
      'a.yaml': ENTRY.replace('requests_in_progress', 'nope')
        .replace('"> 500"', '"> nope.x"')
        .replace('- queue', '- quque'),
    });

    expect(faults.length).toBeGreaterThanOrEqual(3);
  });

  test('a fix that another cause forbids and that can hold at the same time is refused', () => {
    const forbidden = `${ENTRY.replace('causes:', 'use: [kv_cache_exhausted]\ncauses:').replace('  - queue\n', '  - queue\n  - preemptions\n')}        lever: batch_size
    beats: [kv_cache_exhausted]
`;

    expect(load({ 'a.yaml': forbidden }).said).toContain(
      'is forbidden by kv_cache_exhausted, which can hold at the same time: add "unless: [kv_cache_exhausted]"',
    );
    expect(
      load({
        'a.yaml': forbidden.replace(
          'lever: batch_size',
          'lever: batch_size\n        unless: [kv_cache_exhausted]',
        ),
      }).said,
    ).toBe('');
  });

  test('two entries for one alert are reported', () => {
    expect(load({ 'a.yaml': ENTRY, 'b.yaml': ENTRY }).said).toContain(
      'b.yaml:1:21: alert "GatewaySlow" is matched by a.yaml as well',
    );
  });
});

describe('YAML that means something else than it says is refused', () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n`;
  test.each([
    ['an empty file', '', 'the file is empty'],
    ['only comments', '# nothing\n', 'the file'],
    ['only null', 'null\n', 'the file is empty'],
    ['a scalar', 'hello\n', 'found "hello", expected object'],
    ['a list', '- a\n- b\n', 'found a list of 2, expected object'],
    ['a byte order mark', `\uFEFF${ENTRY}`, 'byte order mark'],
    ['a tab', ENTRY.replace('    title', '\ttitle'), 'found a tab'],
    ['a key twice', `${ENTRY}title: again\n`, 'found the same key twice'],
    ['several documents', `${ENTRY}---\n${ENTRY}`, 'found 2 YAML documents'],
    ['an anchor', ENTRY.replace('title: The', 'title: &x The'), 'found the anchor &x'],
    ['an alias bomb', bomb, 'found the anchor &a'],
    ['a merge key', ENTRY.replace('title:', '<<: { a: 1 }\ntitle:'), 'found the key "<<"'],
    ['__proto__', ENTRY.replace('title:', '__proto__: { a: 1 }\ntitle:'), 'found the key "__proto__"'],
    [
      'constructor',
      ENTRY.replace('causes:\n', 'causes:\n  constructor: { says: x }\n'),
      'found the key "constructor"',
    ],
    ['a function tag', ENTRY.replace('The gateway is slow', '!!js/function "return 1"'), 'tag'],
    ['a binary tag', ENTRY.replace('The gateway is slow', '!!binary aGVsbG8='), 'tag'],
    ['a tag of its own', ENTRY.replace('The gateway is slow', '!secret x'), 'tag'],
    ['a key that is no word', `${ENTRY}? [a]\n: b\n`, 'a key that is not a plain word'],
    ['no YAML', 'title: "unclosed\n', 'not valid YAML'],
    ['bytes', new Uint8Array([0xff, 0xfe, 0, 1, 2, 0x80]), 'a.yaml:1:'],
    ['a huge file', `title: x\n${'# x\n'.repeat(100_000)}`, 'expected at most'],
    [
      'a thousand steps',
      `match: { alertname: X }\ntitle: x\nsteps: [${Array(1000).fill('kv_cache').join(',')}]\n`,
      'steps',
    ],
  ])('%s', (_name, text, expected) => {
    const { said, entries } = load({ 'a.yaml': text });

    expect(said).toContain(expected);
    expect(said).toMatch(/a\.yaml:\d+:\d+: /);
    expect(entries.map((entry) => entry.id)).not.toContain('a');
  });

  test('"no" and dates stay what they are: text where text is expected', () => {
    expect(load({ 'a.yaml': change('title: The gateway is slow', 'title: no') }).said).toBe('');
    expect(load({ 'a.yaml': change('title: The gateway is slow', 'title: 2026-01-01') }).said).toBe('');
  });
});

describe('files', () => {
  test('a directory that is not there is a fault, not an exception', () => {
    const { faults, entries } = loadPlaybooks({
      directories: ['/nonexistent/playbooks'],
      signals: SIGNAL_NAMES,
      thresholds: DEFAULT_THRESHOLDS,
    });

    expect(entries).toEqual([]);
    expect(faults.map((fault) => fault.message).join()).toMatch(
      /cannot read the directory.*no entry with "default: true"/,
    );
  });

  test('a link out of the directory is refused', () => {
    const directory = directoryWith({});
    symlinkSync('/etc/hostname', join(directory, 'a.yaml'));
    mkdirSync(join(directory, 'folder.yaml'));

    const { faults } = loadPlaybooks({
      directories: [builtInPlaybooksDirectory(), directory],
      signals: SIGNAL_NAMES,
      thresholds: DEFAULT_THRESHOLDS,
    });

    expect(faults.map((fault) => fault.message)).toEqual([
      'a link out of the playbook directory, expected a file inside it',
    ]);
  });
});

test('the example of playbooks/README.md works as it stands', () => {
  const readme = readFileSync(join(builtInPlaybooksDirectory(), 'README.md'), 'utf8');
  const example = /```yaml\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';

  expect(example.trimEnd().split('\n').length).toBeLessThanOrEqual(20);
  expect(load({ 'gateway-slow.yaml': example }).said).toBe('');
});
