import { parser } from '@prometheus-io/lezer-promql';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { builtInEnginesDirectory, loadEngineFiles } from '../../src/catalog/engine-file.js';
import { expandExpression } from '../../src/catalog/expand-expression.js';
import { selectScope } from '../../src/prometheus/scope-selector.js';
import { buildSelector, quoteNames } from '../../src/prometheus/selector.js';

/** Syntax errors of a query, and the number of string literals and label matchers in it. */
function parse(query: string): { errors: number; strings: string[]; matchers: number } {
  let errors = 0;
  let matchers = 0;
  const strings: string[] = [];
  parser.parse(query).iterate({
    enter(node) {
      if (node.type.isError) errors++;
      if (node.name === 'StringLiteral') strings.push(query.slice(node.from, node.to));
      if (node.name === 'UnquotedLabelMatcher') matchers++;
    },
  });
  return { errors, strings, matchers };
}

const HOSTILE = [
  '"',
  '\\',
  'a\\',
  '"} or vector(1) #',
  '"} or {__name__=~".+',
  'a\nb',
  '`',
  '.*',
  '(a+)+$',
  '|',
  '$window',
  '$&',
  '\u0024{x}',
  '{$selector}',
  '5m] offset -1y',
  '\u0000',
  '\ud800',
  '“quotes”',
  '\u2028',
  'x'.repeat(100_000),
];

describe('a selector', () => {
  test.each(HOSTILE.map((value) => [value.slice(0, 30), value]))('keeps %j one string', (_shown, value) => {
    const parsed = parse(`up{${buildSelector([['model', value]])}}`);

    expect(parsed).toMatchObject({ errors: 0, matchers: 1 });
    expect(JSON.parse(parsed.strings[0] ?? '')).toBe(value.toWellFormed());
  });

  test('keeps any text one string', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (value) => {
        const parsed = parse(`up{${buildSelector([['model', value]])}}`);
        return (
          parsed.errors === 0 &&
          parsed.matchers === 1 &&
          JSON.parse(parsed.strings[0] ?? '') === value.toWellFormed()
        );
      }),
    );
  });

  test('refuses names that are no label names, and empty values', () => {
    for (const name of ['a"}', 'a-b', '1a', '', 'a.b', 'a b'])
      expect(() => buildSelector([[name, 'x']])).toThrow(/not a label name/);
    expect(() => buildSelector([['a', '']])).toThrow(/empty/);
  });

  test('quotes the names of a pattern', () => {
    expect(quoteNames(['vllm:x', 'a.b|c'])).toBe('vllm:x|a\\.b\\|c');
  });
});

describe('an engine’s expression', () => {
  const engines = loadEngineFiles(builtInEnginesDirectory());
  const all = engines.flatMap((engine) =>
    Object.entries(engine.signals).flatMap(([signal, source]) =>
      source.expr === undefined ? [] : [[`${engine.engine} ${signal}`, engine, source.expr] as const],
    ),
  );

  test.each(all)('%s stays one query for hostile scopes and for rules', (_name, engine, expr) => {
    for (const value of ['m', ...HOSTILE.slice(0, 19)]) {
      const selected = selectScope(engine, { cluster: value, namespace: value, model: value }, []);
      if (selected.kind !== 'ok') throw new Error(selected.why);
      const windows = { windowMs: 300_000, hourMs: 3_600_000, pods: 'pods' };
      const query = expandExpression(expr, engine, { ...selected.scope, by: [], ...windows });
      const usual = selectScope(engine, { cluster: 'm', namespace: 'm', model: 'm' }, []);
      if (usual.kind !== 'ok') throw new Error(usual.why);
      const plain = expandExpression(expr, engine, { ...usual.scope, by: [], ...windows });
      expect(parse(query).errors).toBe(0);
      expect(parse(query).matchers).toBe(parse(plain).matchers);
    }
    const rule = expandExpression(expr, engine, {
      selector: '',
      place: '',
      by: ['cluster', 'model'],
      windowMs: 1500,
      hourMs: 3_600_000,
      pods: 'pods',
    });
    expect(parse(rule).errors).toBe(0);
    expect(rule).not.toMatch(/\$(selector|place|worker|by|window|hour|pods)\b|\{\}/);
  });
});
