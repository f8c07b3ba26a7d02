import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { afterEach, describe, expect, test } from 'vitest';
import { closestName } from '../../src/catalog/closest-name.js';
import {
  builtInEnginesDirectory,
  loadEngineFiles,
  PLACEHOLDERS,
  readEngineFile,
} from '../../src/catalog/engine-file.js';
import { expandExpression, promDuration, scaledWindow } from '../../src/catalog/expand-expression.js';
import { SIGNALS } from '../../src/catalog/signals.js';

const engines = loadEngineFiles(builtInEnginesDirectory());
const HEAD = 'engine: own\ntitle: Own\nprobe: own_up\nlabels: { model: model_id }\nworker: [host]\n';
const GOOD =
  "signals:\n  queue_depth: { expr: 'own_q{$selector}', status: exact, metrics: [own_q], source: x }\n";

function faultsOf(text: string): string[] {
  const read = readEngineFile('own.yaml', text);
  return read.kind === 'ok' ? [] : read.faults.map((fault) => `${fault.line}: ${fault.message}`);
}

describe('the engine files that come with the product', () => {
  test('are engines first, then what fills their gaps: companions, gateways, and last the canonical names', () => {
    expect(engines.map((engine) => engine.engine)).toEqual([
      'nim',
      'ray',
      'sglang',
      'tgi',
      'triton',
      'trtllm',
      'vllm',
      'dcgm',
      'kube-state-metrics',
      'dynamo',
      'llm-d',
      'llm',
    ]);
  });

  test.each(engines.map((engine) => [engine.engine, engine] as const))(
    '%s says something of every signal',
    (_n, engine) => {
      expect(Object.keys(engine.signals).sort()).toEqual(SIGNALS.map((signal) => signal.name).sort());
    },
  );

  test('read exactly the names they look up, and never add an old name to a new one', () => {
    for (const { signals } of engines) {
      for (const [name, { expr, metrics, was }] of Object.entries(signals)) {
        if (expr === undefined) continue;
        // A histogram is looked up by its count and asked for by its buckets.
        for (const metric of metrics) expect(expr, name).toContain(metric.replace(/_count$/, ''));
        for (const old of was.filter((one) => expr.match(`${one}\\b`) !== null)) {
          const before = expr.slice(0, expr.indexOf(old));
          expect(before, `${name}: ${old} must stand after "or"`).toMatch(/\bor\b/);
        }
      }
    }
  });

  test('divide only by what is greater than 0', () => {
    for (const { signals } of engines) {
      for (const { expr } of Object.values(signals)) {
        for (const divisor of expr?.split(' / ').slice(1) ?? [])
          expect(divisor).toMatch(/^(?:(?:ignoring|on) \([^)]*\) )?\([\s\S]*> 0\)/);
      }
    }
  });

  test('answer one value a worker or one for the scope, as the catalog says', () => {
    const values = {
      selector: 'a="b"',
      place: 'a="b"',
      by: [],
      windowMs: 60_000,
      hourMs: 60_000,
      pods: 'pods',
    };
    for (const engine of engines) {
      for (const { name, level } of SIGNALS) {
        const source = engine.signals[name];
        if (source?.expr === undefined) continue;
        expect(source.expr.includes('$worker') && !source.expr.startsWith('count'), name).toBe(
          level === 'worker',
        );
        let errors = 0;
        parser.parse(expandExpression(source.expr, engine, values)).iterate({
          enter: (node) => {
            if (node.type.isError) errors++;
          },
        });
        expect(errors, name).toBe(0);
      }
    }
  });

  test('say that vLLM has no GPU figures', () => {
    const vllm = engines.find(({ engine }) => engine === 'vllm');
    expect(vllm?.signals.gpu_utilization?.status).toBe('unavailable');
    expect(vllm?.signals.gpu_memory_ratio?.status).toBe('unavailable');
  });
});

describe('an engine file of an operator', () => {
  test('is taken with its defaults', () => {
    const read = readEngineFile('own.yaml', HEAD + GOOD);
    expect(read).toMatchObject({
      kind: 'ok',
      engine: { signals: { queue_depth: { scale: 1, was: [], needs_traffic: false } } },
    });
  });

  test('has all its faults told at once, each with its line', () => {
    const text = `${HEAD}signals:
  queue_dept: { expr: 'own_q{$selector}', status: exact, metrics: [own_q], source: x }
  gpu_utilization: { status: unavailable, source: x }
  requests_running: { expr: 'own_r{$selektor}', status: exact, source: x }
  preemption_rate: { status: exact, metrics: [own_p], source: x }
`;
    expect(faultsOf(text)).toEqual([
      '7: signals.queue_dept: no signal of the catalog has this name; did you mean "queue_depth"?',
      '8: signals.gpu_utilization: an unavailable signal needs a "why"',
      '9: signals.requests_running: "metrics" is missing: the names to look up when it answers nothing',
      '9: signals.requests_running: unknown placeholder $selektor; did you mean "selector"?',
      '9: signals.requests_running: expr has no $selector: it would not be limited to the scope',
      '10: signals.preemption_rate: "expr" is missing',
    ]);
  });

  test.each([
    ['an unknown field', 'statsu: x\n', /^6: unknown field "statsu"/],
    [
      'a mistyped field of a signal',
      "signals:\n  queue_depth: { exprr: 'x', status: exact, source: x }\n",
      /^7: signals\.queue_depth: unknown field "exprr"; did you mean "expr"\?/,
    ],
    [
      'a status that is none',
      "signals:\n  queue_depth: { expr: 'x', status: sure, source: x }\n",
      /^7: signals\.queue_depth\.status: /,
    ],
    [
      'a metric name that is none',
      "signals:\n  queue_depth: { expr: 'x', status: exact, metrics: ['a-b'], source: x }\n",
      /^7: .*expected a metric name/,
    ],
    [
      'a signal without a source',
      "signals:\n  queue_depth: { expr: 'x{$selector}', status: exact, metrics: [x] }\n",
      /^7: signals\.queue_depth\.source: /,
    ],
    ['broken YAML', 'signals: [\n', /^\d+: /],
    ['a key given twice', `${GOOD}signals: {}\n`, /^8: .*unique/],
  ])('with %s is refused', (_name, text, fault) => {
    expect(
      faultsOf(HEAD + text).some((one) => fault.test(one)),
      faultsOf(HEAD + text).join('\n'),
    ).toBe(true);
  });

  test('that is a list or empty is refused', () => {
    expect(faultsOf('')).not.toEqual([]);
    expect(faultsOf('- a\n')).not.toEqual([]);
  });
});

describe('a directory of engine files', () => {
  const directories: string[] = [];
  afterEach(() => {
    for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
  });

  function directoryOf(files: Readonly<Record<string, string>>): string {
    const directory = mkdtempSync(join(tmpdir(), 'wakewell-engines-'));
    directories.push(directory);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    return directory;
  }

  test('tells the faults of all its files', () => {
    const directory = directoryOf({
      'a.yaml': 'x: 1\n',
      'b.yaml': `${HEAD}bad: 1\n${GOOD}`,
      'notes.txt': 'no yaml',
    });
    expect(() => loadEngineFiles(directory)).toThrow(/a\.yaml:\d+: [\s\S]*b\.yaml:6: unknown field "bad"/);
  });

  test('puts the canonical names last whatever the file is called', () => {
    const directory = directoryOf({ 'a.yaml': HEAD.replace('own', 'llm') + GOOD, 'z.yaml': HEAD + GOOD });
    expect(loadEngineFiles(directory).map((engine) => engine.engine)).toEqual(['own', 'llm']);
  });
});

describe('filling an expression', () => {
  const engine = engines.find((one) => one.engine === 'vllm');
  if (engine === undefined) throw new Error('no engine');
  const scoped = { selector: 'm="$window"', place: '', by: [], windowMs: 15_000, hourMs: 180_000 };
  const rule = { ...scoped, selector: '', by: ['cluster', 'model_name'] };

  test.each([
    ['sum by ($by) (a{$selector})', 'sum (a{m="$window"})', 'sum by (cluster, model_name) (a)'],
    [
      'sum by (le, $by) (a{x="y",$selector})',
      'sum by (le) (a{x="y",m="$window"})',
      'sum by (le, cluster, model_name) (a{x="y"})',
    ],
    [
      'max by ($worker) (up{$place})',
      'max by (worker_id, pod, instance, engine) (up)',
      'max by (worker_id, pod, instance, engine) (up)',
    ],
    ['a[$window] b[$hour]', 'a[15s] b[3m]', 'a[15s] b[3m]'],
  ])('%s', (expr, forScope, forRules) => {
    expect(expandExpression(expr, engine, scoped)).toBe(forScope);
    expect(expandExpression(expr, engine, rule)).toBe(forRules);
  });

  test('knows the placeholders that the loader knows', () => {
    for (const placeholder of PLACEHOLDERS)
      expect(
        expandExpression(`$${placeholder}`, engine, { ...rule, selector: 's', place: 'p', pods: 'q' }),
      ).not.toContain('$');
  });

  test.each([
    [300_000, '5m'],
    [3_600_000, '1h'],
    [90_000, '90s'],
    [1500, '1500ms'],
  ])('%d ms is %s', (ms, text) => {
    expect(promDuration(ms)).toBe(text);
  });

  test('windows shrink with the time scale but not below four scrapes', () => {
    expect(scaledWindow(300_000, {})).toBe(300_000);
    expect(scaledWindow(300_000, { timeScale: 20 })).toBe(15_000);
    expect(scaledWindow(60_000, { timeScale: 20, scrapeIntervalMs: 1000 })).toBe(4000);
    expect(scaledWindow(60_000, { timeScale: 100 })).toBe(4000);
    expect(scaledWindow(60_000, { scrapeIntervalMs: 60_000 })).toBe(240_000);
  });
});

test('the closest name is near or none', () => {
  expect(closestName('queue_dpeth', ['queue_depth', 'queue_wait'])).toBe('queue_depth');
  expect(closestName('something', ['queue_depth'])).toBeNull();
  expect(closestName('x'.repeat(101), ['x'])).toBeNull();
});
